using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Languages;

/// <summary>Where the .NET that runs us lies: its host, its compiler if the SDK is there, and its reference assemblies.</summary>
internal sealed class DotnetToolchain
{
    public DotnetToolchain()
    {
        // …/shared/Microsoft.NETCore.App/10.0.0/
        string runtime = RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/');
        Version = Path.GetFileName(runtime);
        Root = Path.GetFullPath(Path.Combine(runtime, "../../.."));
        string sdks = Path.Combine(Root, "sdk");
        Compiler = Newest(sdks) is string sdk ? Path.Combine(sdk, "Roslyn/bincore/csc.dll") : Path.Combine(sdks, "csc.dll");
        string? pack = Newest(Path.Combine(Root, "packs/Microsoft.NETCore.App.Ref"));
        string? references = pack is null ? null : Directory.GetDirectories(Path.Combine(pack, "ref")).FirstOrDefault();
        References = Directory.GetFiles(references ?? runtime, "*.dll").Where(file => references is not null || IsManaged(Path.GetFileName(file))).Order(StringComparer.Ordinal).ToArray();
    }

    public string Root { get; }

    public string Host => Path.Combine(Root, "dotnet");

    public string Compiler { get; }

    /// <summary>Version of the shared framework, such as 10.0.0.</summary>
    public string Version { get; }

    public IReadOnlyList<string> References { get; }

    private static string? Newest(string folder) => Directory.Exists(folder)
        ? Directory.GetDirectories(folder).OrderByDescending(path => System.Version.TryParse(Path.GetFileName(path), out System.Version? version) ? version : new Version(0, 0)).FirstOrDefault()
        : null;

    private static bool IsManaged(string name) =>
        (name.StartsWith("System.", StringComparison.Ordinal) && !name.Contains("Native", StringComparison.Ordinal)) || name is "mscorlib.dll" or "netstandard.dll"
        || name.StartsWith("Microsoft.CSharp", StringComparison.Ordinal) || name.StartsWith("Microsoft.Win32", StringComparison.Ordinal);
}
