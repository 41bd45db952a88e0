using System.Reflection;
using System.Runtime.Loader;
using System.Security.Cryptography;
using Dataflow.Engine.Diagnostics;
using McMaster.NETCore.Plugins;

namespace Dataflow.Engine.Catalog;

/// <summary>What one plugin DLL offers.</summary>
internal sealed record PluginContent(PluginInfo Info, IReadOnlyList<StageDescriptor> Stages, IReadOnlyList<ModelDescriptor> Models);

/// <summary>Loads one plugin into a load context of its own; the only place that knows McMaster.</summary>
internal static class PluginLoading
{
    // Abstractions and what its public API exposes must be one type on both sides. Torch is shared because a Tensor of
    // a second copy is another type, and its native library can live only once in a process.
    // A host that has no Torch (an embedder that only moves text) can still load every plugin that needs none.
    private static readonly AssemblyName[] Shared = new[]
    {
        "Dataflow.Abstractions", "Apache.Arrow", "Apache.Arrow.Scalars", "Microsoft.Extensions.AI.Abstractions",
        "Microsoft.Extensions.Logging.Abstractions", "TorchSharp", "Dataflow.Torch",
    }.Where(PluginReferences.HostHas).Select(name => new AssemblyName(name)).ToArray();

    public static PluginContent? Load(string dll, DiagnosticBag diagnostics)
    {
        if (!PluginReferences.Fit(dll, diagnostics))
        {
            return null;
        }

        try
        {
            var loader = PluginLoader.CreateFromAssemblyFile(dll, config =>
            {
                config.IsUnloadable = false;
                config.DefaultContext = AssemblyLoadContext.Default;
                foreach (AssemblyName name in Shared)
                {
                    config.SharedAssemblies.Add(name);
                }
            });
            Type[] types = loader.LoadDefaultAssembly().GetExportedTypes();
            var info = new PluginInfo(Path.GetFileNameWithoutExtension(dll), dll, HashFolder(Path.GetDirectoryName(dll)!));
            var inspector = new PluginInspector(info, diagnostics);
            return new PluginContent(info, inspector.Stages(types), inspector.Models(types));
        }
        catch (Exception failure)
        {
            // Whatever a foreign DLL throws while it is looked at concerns that DLL alone.
            Exception cause = failure is ReflectionTypeLoadException { LoaderExceptions: [Exception first, ..] } ? first : failure;
            string? hint = cause is FileNotFoundException missing
                ? $"copy {new AssemblyName(missing.FileName ?? "the missing assembly").Name}.dll into the plugin's folder (publish the plugin, or set EnableDynamicLoading)"
                : null;
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{dll}: cannot be loaded: {cause.Message}", hint);
            return null;
        }
    }

    private static string HashFolder(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Directory.GetFiles(folder, "*.dll").Order(StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(file) + "\n"));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
