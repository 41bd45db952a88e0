using System.Globalization;

namespace Dataflow.Bench;

/// <summary>What a row costs that passes a row stage with an empty async body: the journal and all that goes with it.</summary>
internal sealed class JournalCost(EngineHost host, bool quick)
{
    private readonly int rounds = quick ? 3 : 9;
    private readonly int rows = quick ? 20_000 : 100_000;

    public async Task RunAsync(TextWriter output)
    {
        int[] concurrencies = [1, 32, 1024];
        var without = new Samples();
        Samples[] with = concurrencies.Select(_ => new Samples()).ToArray();
        for (int round = 0; round <= rounds; round++)
        {
            Sample bare = await Machine.MeasureAsync(() => host.RunAsync(Pipeline(null, rows)));
            if (round > 0)
            {
                without.Add(bare);
            }

            for (int i = 0; i < concurrencies.Length; i++)
            {
                int concurrency = concurrencies[i];
                // One row at a time waits for the disk at every row.
                Sample sample = await Machine.MeasureAsync(() => host.RunAsync(Pipeline(concurrency, RowsAt(concurrency))));
                if (round > 0)
                {
                    with[i].Add(sample);
                }
            }
        }

        await output.WriteLineAsync($"\njournal: rows of one number, {rounds} rounds interleaved, SQLite in WAL mode with synchronous = FULL, load {Machine.Load()}\n");
        await output.WriteLineAsync("| pipeline | rows | median s | fastest to slowest s | us per row | CPU us per row |\n| --- | --- | --- | --- | --- | --- |");
        await WriteAsync(output, "source -> sink", rows, without);
        for (int i = 0; i < concurrencies.Length; i++)
        {
            await WriteAsync(output, $"source -> row stage, {concurrencies[i]} in flight -> sink", RowsAt(concurrencies[i]), with[i]);
        }
    }

    private int RowsAt(int concurrency) => concurrency == 1 ? rows / 100 : rows;

    private static Task WriteAsync(TextWriter output, string name, int rows, Samples samples) => output.WriteLineAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {rows} | {samples.Wall:0.000} | {samples.Fastest:0.000} to {samples.Slowest:0.000} | {samples.Wall / rows * 1e6:0.0} | {samples.Cpu / rows * 1e6:0.0} |"));

    private static string Pipeline(int? concurrency, int rows) => $$"""
        name: journal
        stages:
          numbers: { uses: bench.numbers, with: { rows: {{rows}} } }
        {{(concurrency is null ? "" : $"  passed: {{ uses: bench.calls, from: numbers, concurrency: {concurrency} }}")}}
          counted: { uses: bench.count, from: {{(concurrency is null ? "numbers" : "passed")}}, order: any }
        """;
}
