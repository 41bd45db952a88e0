using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using System.Security.Cryptography;
using Dataflow.Abstractions;
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
    private static readonly string[] SharedNames =
    [
        "Dataflow.Abstractions", "Apache.Arrow", "Apache.Arrow.Scalars", "Microsoft.Extensions.AI.Abstractions",
        "Microsoft.Extensions.Logging.Abstractions", "TorchSharp", "Dataflow.Torch",
    ];

    private static readonly Version HostContract = typeof(IStage).Assembly.GetName().Version!;

    public static PluginContent? Load(string dll, DiagnosticBag diagnostics)
    {
        if (!ContractFits(dll, diagnostics))
        {
            return null;
        }

        try
        {
            var loader = PluginLoader.CreateFromAssemblyFile(dll, config =>
            {
                config.IsUnloadable = false;
                config.DefaultContext = AssemblyLoadContext.Default;
                foreach (string name in SharedNames)
                {
                    config.SharedAssemblies.Add(new AssemblyName(name));
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

    // Read from metadata: loading a DLL of another contract fails later with messages nobody understands.
    private static bool ContractFits(string dll, DiagnosticBag diagnostics)
    {
        Version? builtAgainst = null;
        try
        {
            using var file = new PEReader(File.OpenRead(dll));
            MetadataReader metadata = file.GetMetadataReader();
            foreach (AssemblyReferenceHandle handle in metadata.AssemblyReferences)
            {
                AssemblyReference reference = metadata.GetAssemblyReference(handle);
                if (metadata.GetString(reference.Name) == "Dataflow.Abstractions")
                {
                    builtAgainst = reference.Version;
                }
            }
        }
        catch (Exception failure) when (failure is BadImageFormatException or IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{dll}: is not a readable .NET assembly: {failure.Message}", "build or copy it again");
            return false;
        }

        if (builtAgainst is null)
        {
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{dll}: does not reference Dataflow.Abstractions, so it is no plugin", "private dependencies belong beside the plugin's own DLL");
            return false;
        }

        if (builtAgainst.Major != HostContract.Major || builtAgainst.Minor > HostContract.Minor)
        {
            diagnostics.Error(
                DiagnosticCodes.PluginContract, null,
                $"{dll}: built against contract {builtAgainst.ToString(2)}, but this host has {HostContract.ToString(2)}",
                $"rebuild it against Dataflow.Abstractions {HostContract.ToString(2)}");
            return false;
        }

        return true;
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
