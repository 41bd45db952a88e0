using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Memory of a process as the kernel counts it.</summary>
internal static class ResidentMemory
{
    /// <summary>Bytes of anonymous memory (files that are mapped, such as libraries, left out).</summary>
    public static long Of(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
