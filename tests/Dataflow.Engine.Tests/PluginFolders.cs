using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Tests;

/// <summary>The plugins as built: the shipped ones and those made for tests.</summary>
internal static class PluginFolders
{
    private static readonly Lazy<PluginCatalog> Loaded = new(() =>
    {
        var diagnostics = new DiagnosticBag();
        PluginCatalog catalog = PluginCatalog.Load([BuiltIn, Test("Alpha"), Test("Beta")], diagnostics);
        Assert.Empty(diagnostics.All);
        return catalog;
    });

    public static string Root { get; } = FindRoot();

    public static string BuiltIn => Path.Combine(Root, "artifacts/plugins");

    /// <summary>All shipped plugins and the well-behaved test plugins.</summary>
    public static PluginCatalog Catalog => Loaded.Value;

    /// <summary>The folder that holds one test plugin's folder.</summary>
    public static string Test(string name) => Path.Combine(Root, "artifacts/test-plugins", name);

    private static string FindRoot()
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Dataflow.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
