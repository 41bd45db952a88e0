using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Memory of a process as the kernel counts it.</summary>
internal static class ResidentMemory
{
    /// <summary>Bytes of anonymous memory (files that are mapped, such as libraries, left out).</summary>
    public static long Of(int process) => Read(process, "RssAnon");

    /// <summary>Bytes of this process, mapped files included.</summary>
    public static long Now() => Read(Environment.ProcessId, "VmRSS");

    /// <summary>The most that <see cref="Now"/> has been so far.</summary>
    public static long Peak() => Read(Environment.ProcessId, "VmHWM");

    private static long Read(int process, string field)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
