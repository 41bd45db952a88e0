using System.Diagnostics;

namespace Dataflow.Bench;

/// <summary>What the machine tells of itself.</summary>
internal static class Machine
{
    /// <summary>Processes that wait for a core, over 1, 5 and 15 minutes.</summary>
    public static string Load() => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";

    /// <summary>The checkout.</summary>
    public static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Dataflow.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the benchmark runs from inside the checkout");
    }

    /// <summary>Runs once and says how long it took, on the clock and on the processors.</summary>
    public static async Task<Sample> MeasureAsync(Func<Task> work)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        await work();
        return new Sample(clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }
}

/// <summary>One measurement, in seconds.</summary>
internal readonly record struct Sample(double Wall, double Cpu);

/// <summary>The measurements of one case.</summary>
internal sealed class Samples
{
    private readonly List<Sample> samples = [];

    public void Add(Sample sample) => samples.Add(sample);

    public double Wall => Statistics.Median(samples.Select(sample => sample.Wall));

    public double Cpu => Statistics.Median(samples.Select(sample => sample.Cpu));

    public double Fastest => samples.Min(sample => sample.Wall);

    public double Slowest => samples.Max(sample => sample.Wall);

}
