using System.Text.Json.Serialization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>One program to run: a line of JSON on the launcher's stdin.</summary>
/// <param name="Arguments">Full command line, from the first program of the chain on.</param>
/// <param name="Cancel">Nothing to run: end the program with this id.</param>
/// <param name="Files">Contents for numbered descriptors (3 and up) that the command line refers to.</param>
internal sealed record LaunchRequest(
    long Id, string[] Arguments, string[] Environment, byte[] Stdin, Dictionary<int, byte[]> Files, int WallMilliseconds, int OutputBytes,
    bool Cancel = false);

/// <summary>How it ended: a line of JSON on the launcher's stdout.</summary>
/// <param name="Started">False if the program itself was never reached; Stderr says why.</param>
/// <param name="Status">Raw wait status of the outermost process.</param>
internal sealed record LaunchReply(
    long Id, bool Started, int Status, bool TimedOut, bool OutputExceeded, byte[] Stdout, byte[] Stderr, byte[] Result, long WallMicroseconds, long CpuMicroseconds);

[JsonSerializable(typeof(LaunchRequest))]
[JsonSerializable(typeof(LaunchReply))]
internal sealed partial class ProtocolJson : JsonSerializerContext;
