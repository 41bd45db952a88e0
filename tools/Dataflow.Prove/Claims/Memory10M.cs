using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Memory is flat as rows grow tenfold.</summary>
internal sealed class Memory10M : Claim
{
    public override string Name => "memory-10m";

    public override string Promise => "10 million rows through source, two transforms, filter and Parquet peak at no more than 1.15 times the memory of 1 million";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        // The collector's moods move a single peak by a tenth, so each is a median; a small run has but one, and a looser bound.
        (long many, int times, double bound) = scale == Scale.Full ? (10_000_000L, 5, 1.15) : (3_000_000L, 1, 1.3);
        var small = new List<double>();
        var large = new List<double>();
        for (int i = 0; i < times; i++)
        {
            small.Add(await PeakAsync(1_000_000, output));
            large.Add(await PeakAsync(many, output));
        }

        double ratio = Median(large) / Median(small);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"ratio of the median peaks {ratio:0.00}, at most {bound:0.00} allowed"));
        return ratio <= bound;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Peak resident memory of a run in a process of its own, in MiB.</summary>
    private static async Task<double> PeakAsync(long rows, TextWriter output)
    {
        using var command = new DataflowCommand();
        command.Write("memory.yaml", $$"""
            name: memory
            stages:
              rows:  { uses: alpha.generate, with: { rows: {{rows}}, text_length: 90 } }
              once:  { uses: alpha.map, from: rows, with: { column: twice } }
              again: { uses: alpha.map, from: once, with: { by: twice, column: four } }
              most:  { uses: alpha.keep, from: again, with: { modulo: 100 } }
              kept:  { uses: io.parquet_sink, from: most.kept, with: { path: kept.parquet } }
              rest:  { uses: io.parquet_sink, from: most.rejected, with: { path: rest.parquet } }
            """);
        var clock = Stopwatch.StartNew();
        using Process process = command.Start("run", "memory.yaml", "--plugins", Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha"));
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        double peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, HighWaterMark(process.Id));
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(20));
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(await text + await error);
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{rows} rows: peak {peak:0} MiB, {clock.Elapsed.TotalSeconds:0.0} s"));
        return peak;
    }

    // VmHWM never falls, so the last reading before the end is the peak.
    private static double HighWaterMark(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim(), CultureInfo.InvariantCulture) / 1024;
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return 0;
        }
    }
}
