using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Dataflow.Bench;

/// <summary>A peer in a process of its own: it answers each number of steps by a line of JSON.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;

    /// <param name="cores">The cores that it may use, from 0 on.</param>
    public PeerProcess(int cores, string program, params string[] arguments)
    {
        process = Process.Start(new ProcessStartInfo("taskset", ["-c", $"0-{cores - 1}", program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Hello = Read();
    }

    /// <summary>What it says of itself when it is ready.</summary>
    public JsonNode Hello { get; }

    public JsonNode Go(int steps)
    {
        process.StandardInput.WriteLine(steps);
        process.StandardInput.Flush();
        return Read();
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    private JsonNode Read() => JsonNode.Parse(process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the peer has stopped"))!;
}
