namespace Dataflow.Sandbox;

/// <summary>Limits of one program.</summary>
public sealed record SandboxLimits
{
    /// <summary>Time from start to end, without that in which a busy machine keeps the program from running; at most thirty times as much with it.</summary>
    public TimeSpan WallTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>CPU time of each process, and of all together while time is lent for a busy machine.</summary>
    public TimeSpan CpuTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of memory: of the whole program where a control group is writable or by watching it, and of each process's own data by a resource limit.</summary>
    public long MemoryBytes { get; init; } = 512_000_000;

    /// <summary>What a process's runtime may map beyond <see cref="MemoryBytes"/> without using it, in bytes.</summary>
    public long MappingBytes { get; init; }

    /// <summary>Processes and threads at a time.</summary>
    public int Processes { get; init; } = 64;

    public int OpenFiles { get; init; } = 256;

    /// <summary>Largest file it may write.</summary>
    public long FileBytes { get; init; } = 16_000_000;

    /// <summary>Size of its private /tmp.</summary>
    public long TemporaryBytes { get; init; } = 64_000_000;

    /// <summary>Most files and folders in its private /tmp.</summary>
    public int TemporaryFiles { get; init; } = 10_000;

    /// <summary>Most bytes kept of each of stdout, stderr and results; beyond it the program is ended.</summary>
    public int OutputBytes { get; init; } = 1_000_000;
}

/// <summary>A read-only file that a program finds.</summary>
public sealed record SandboxFile(byte[] Content, bool Executable = false)
{
    public static SandboxFile Text(string text) => new(System.Text.Encoding.UTF8.GetBytes(text));
}

/// <summary>One program to run. It starts in its private, writable /tmp.</summary>
/// <param name="Command">Program and arguments, as seen inside the sandbox.</param>
/// <param name="Files">Read-only files placed below /job: relative path to content.</param>
public sealed record SandboxRequest(
    IReadOnlyList<string> Command, IReadOnlyDictionary<string, SandboxFile> Files, byte[] Stdin, SandboxLimits Limits)
{
    /// <summary>Folder in which <see cref="Files"/> lie.</summary>
    public const string JobFolder = "/job";

    /// <summary>Paths of this machine that it may read besides /usr, such as a toolchain's folder; an absent one is left out.</summary>
    public IReadOnlyList<string> ReadOnlyPaths { get; init; } = [];

    /// <summary>What of /usr it must not see.</summary>
    public HiddenPaths Hidden { get; init; } = HiddenPaths.None;

    /// <summary>Environment variables besides PATH, HOME and LANG.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

public enum SandboxOutcome
{
    Exited,
    Signaled,
    TimedOut,
    OutputExceeded,
    MemoryExceeded,
}

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">Its exit code; meaningless unless <see cref="SandboxOutcome.Exited"/>.</param>
/// <param name="Result">What it wrote to descriptor 8, apart from stdout and stderr.</param>
/// <param name="CpuTime">User and system time of all its processes that were waited for.</param>
public sealed record SandboxResult(
    SandboxOutcome Outcome, int ExitCode, int Signal, byte[] Stdout, byte[] Stderr, byte[] Result, TimeSpan WallTime, TimeSpan CpuTime)
{
    /// <summary>Whether one of its processes held most of the memory that it may have; false where nobody knows, as of a container's.</summary>
    public bool NearMemoryLimit { get; init; }
}

/// <summary>The sandbox itself failed; never a statement about the program.</summary>
public sealed class SandboxException(string message, Exception? inner = null) : Exception(message, inner);
