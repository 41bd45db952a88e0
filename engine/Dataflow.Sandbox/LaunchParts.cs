using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>The parts of a launcher's request that do not hang on the backend.</summary>
internal static class LaunchParts
{
    /// <exception cref="ArgumentException">A name that would leave /job.</exception>
    public static LaunchFile[] Files(SandboxRequest request) => request.Files.Select(file => new LaunchFile(Checked(file.Key), file.Value.Content, file.Value.Executable)).ToArray();

    public static LaunchLimits Limits(SandboxLimits limits) => new(
        (int)limits.WallTime.TotalMilliseconds, CpuSeconds(limits), limits.OutputBytes, limits.MemoryBytes, limits.MemoryBytes + limits.MappingBytes,
        limits.Processes, limits.OpenFiles, limits.FileBytes, limits.TemporaryBytes, limits.TemporaryFiles);

    /// <summary>Whole seconds, as the kernel counts them.</summary>
    public static int CpuSeconds(SandboxLimits limits) => Math.Max(1, (int)Math.Ceiling(limits.CpuTime.TotalSeconds));

    /// <summary>Whether a file of that name lies below the folder it is put into.</summary>
    public static bool IsPlain(string name) => name.Split('/').All(part => part is not ("" or "." or ".."));

    private static string Checked(string name) => IsPlain(name) ? name : throw new ArgumentException($"'{name}' is not a relative path of plain names");
}
