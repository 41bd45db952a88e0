using System.Text.Json.Serialization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>One program to run: a line of JSON on the launcher's stdin.</summary>
/// <param name="Arguments">Full command line, from the first program of the chain on.</param>
/// <param name="Cancel">Nothing to run: end the program with this id.</param>
/// <param name="Bundle">Configuration of a container runtime, which starts by itself and leaves results in files; empty for bubblewrap (JSON makes no difference between null and empty).</param>
/// <param name="Descriptors">Contents for numbered descriptors (3 and up) that the command line refers to.</param>
internal sealed record LaunchRequest(
    long Id, string[] Arguments, string[] Environment, byte[] Stdin, Dictionary<int, byte[]> Descriptors, LaunchFile[] Files, LaunchLimits Limits, byte[]? Bundle = null, bool Cancel = false)
{
    public static LaunchRequest Cancelling(long id) => new(id, [], [], [], [], [], new LaunchLimits(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), Cancel: true);
}

/// <summary>A read-only file of the program's /job.</summary>
/// <param name="Name">Path below /job.</param>
internal sealed record LaunchFile(string Name, byte[] Content, bool Executable);

/// <summary>Limits of one program, in the launcher's units.</summary>
/// <param name="MemoryBytes">Of the whole program, where a control group or the watch can hold it to that.</param>
/// <param name="DataBytes">Of each process's private memory.</param>
/// <param name="TemporaryFiles">Files and folders in /tmp, its root included.</param>
internal sealed record LaunchLimits(
    int WallMilliseconds, int CpuSeconds, int OutputBytes, long MemoryBytes, long DataBytes, int Processes, int OpenFiles, long FileBytes, long TemporaryBytes, int TemporaryFiles);

/// <summary>Descriptors by which the launcher and bubblewrap speak.</summary>
internal static class LaunchDescriptors
{
    /// <summary>Where a program writes its results.</summary>
    public const int Result = 8;

    /// <summary>Where bubblewrap writes its child's id and, if the program was reached, its end.</summary>
    public const int Status = 9;

    /// <summary>The seccomp program.</summary>
    public const int Seccomp = 10;

    /// <summary>Bubblewrap's child waits here until its limits are set.</summary>
    public const int Go = 11;
}

/// <summary>First line of a launcher: what it can enforce.</summary>
/// <param name="Problem">Why it cannot run anything; null if it can.</param>
/// <param name="Memory">How the memory of a whole program is limited, for people.</param>
/// <param name="Processes">How the number of processes is limited besides the resource limit; null if not.</param>
/// <param name="Groups">Folders of its control groups, to be removed after its end.</param>
internal sealed record LauncherHello(string? Problem, string Memory, string? Processes, string[] Groups);

/// <summary>How it ended: a line of JSON on the launcher's stdout.</summary>
/// <param name="Started">False if the program itself was never reached; Stderr says why.</param>
/// <param name="Status">Raw wait status of the outermost process.</param>
internal sealed record LaunchReply(
    long Id, bool Started, int Status, bool TimedOut, bool OutputExceeded, bool MemoryExceeded, byte[] Stdout, byte[] Stderr, byte[] Result, long WallMicroseconds, long CpuMicroseconds, long PeakBytes);

[JsonSerializable(typeof(LaunchRequest))]
[JsonSerializable(typeof(LaunchReply))]
[JsonSerializable(typeof(LauncherHello))]
internal sealed partial class ProtocolJson : JsonSerializerContext;
