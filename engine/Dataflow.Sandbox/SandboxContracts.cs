namespace Dataflow.Sandbox;

/// <summary>Limits of one program.</summary>
public sealed record SandboxLimits
{
    public TimeSpan WallTime { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan CpuTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Address space of each process, in bytes.</summary>
    public long MemoryBytes { get; init; } = 512_000_000;

    /// <summary>Processes and threads at a time.</summary>
    public int Processes { get; init; } = 64;

    public int OpenFiles { get; init; } = 256;

    /// <summary>Largest file it may write.</summary>
    public long FileBytes { get; init; } = 16_000_000;

    /// <summary>Size of its private /tmp.</summary>
    public long TemporaryBytes { get; init; } = 64_000_000;

    /// <summary>Most bytes kept of each of stdout, stderr and results; beyond it the program is ended.</summary>
    public int OutputBytes { get; init; } = 1_000_000;
}

/// <summary>One program to run.</summary>
/// <param name="Command">Program and arguments, as seen inside the sandbox.</param>
/// <param name="Files">Read-only files placed in /tmp: name (no path) to content.</param>
public sealed record SandboxRequest(
    IReadOnlyList<string> Command, IReadOnlyDictionary<string, byte[]> Files, byte[] Stdin, SandboxLimits Limits);

public enum SandboxOutcome
{
    Exited,
    Signaled,
    TimedOut,
    OutputExceeded,
}

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">Its exit code; meaningless unless <see cref="SandboxOutcome.Exited"/>.</param>
/// <param name="Result">What it wrote to descriptor 8, apart from stdout and stderr.</param>
public sealed record SandboxResult(
    SandboxOutcome Outcome, int ExitCode, int Signal, byte[] Stdout, byte[] Stderr, byte[] Result, TimeSpan WallTime, TimeSpan CpuTime);

/// <summary>The sandbox itself failed; never a statement about the program.</summary>
public sealed class SandboxException(string message, Exception? inner = null) : Exception(message, inner);
