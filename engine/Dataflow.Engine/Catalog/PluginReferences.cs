using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Dataflow.Abstractions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>
/// What a plugin DLL refers to, read from its metadata before anything of it is loaded: a DLL of another contract, or
/// one whose dependency is absent, would otherwise fail late and with a message nobody understands.
/// </summary>
internal static class PluginReferences
{
    private static readonly string Contract = typeof(IStage).Assembly.GetName().Name!;

    private static readonly Version HostContract = typeof(IStage).Assembly.GetName().Version!;

    private static readonly HashSet<string> HostAssemblies = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>True if the assembly belongs to this process: the framework's or the host's own.</summary>
    public static bool HostHas(string name) => HostAssemblies.Contains(name);

    /// <summary>True if the DLL can be loaded here; a diagnostic that names it otherwise.</summary>
    public static bool Fit(string dll, DiagnosticBag diagnostics) =>
        Read(dll, diagnostics) is { } references && ContractFits(dll, references, diagnostics) && DependenciesAreThere(dll, references, diagnostics);

    private static List<(string Name, Version Version)>? Read(string dll, DiagnosticBag diagnostics)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(dll));
            MetadataReader metadata = file.GetMetadataReader();
            return metadata.AssemblyReferences.Select(metadata.GetAssemblyReference).Select(reference => (metadata.GetString(reference.Name), reference.Version)).ToList();
        }
        catch (Exception failure) when (failure is BadImageFormatException or IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{dll}: is not a readable .NET assembly: {failure.Message}", "build or copy it again");
            return null;
        }
    }

    private static bool ContractFits(string dll, List<(string Name, Version Version)> references, DiagnosticBag diagnostics)
    {
        Version? builtAgainst = references.Find(reference => reference.Name == Contract).Version;
        if (builtAgainst is null)
        {
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{dll}: does not reference {Contract}, so it is no plugin", "private dependencies belong beside the plugin's own DLL");
            return false;
        }

        if (builtAgainst.Major == HostContract.Major && builtAgainst.Minor <= HostContract.Minor)
        {
            return true;
        }

        diagnostics.Error(
            DiagnosticCodes.PluginContract, null, $"{dll}: built against contract {builtAgainst.ToString(2)}, but this host has {HostContract.ToString(2)}",
            $"rebuild it against {Contract} {HostContract.ToString(2)}");
        return false;
    }

    private static bool DependenciesAreThere(string dll, List<(string Name, Version Version)> references, DiagnosticBag diagnostics)
    {
        string folder = Path.GetDirectoryName(dll)!;
        (string? name, Version? version) = references.Find(reference => !HostHas(reference.Name) && !File.Exists(Path.Combine(folder, reference.Name + ".dll")));
        if (name is null)
        {
            return true;
        }

        diagnostics.Error(
            DiagnosticCodes.BadPlugin, null, $"{dll}: needs {name} {version}, which is neither beside it nor in the host",
            $"copy {name}.dll into the plugin's folder (publish the plugin, or set EnableDynamicLoading)");
        return false;
    }
}
