using System.Globalization;

namespace Dataflow.Torch.Generation;

/// <summary>Memory of this machine that is still free.</summary>
public static class HostMemory
{
    private const string Statistics = "/proc/meminfo";

    /// <summary>Bytes that can be taken without swapping, within the limits of a container.</summary>
    public static long Available()
    {
        long granted = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
        string? line = File.Exists(Statistics) ? File.ReadLines(Statistics).FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal)) : null;
        return line is null ? granted : Math.Min(granted, 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
    }
}
