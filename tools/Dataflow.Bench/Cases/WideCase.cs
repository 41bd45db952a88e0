using System.Globalization;
using Dataflow.Bench.Stages;

namespace Dataflow.Bench;

/// <summary>
/// Many rows of 16 async columns against a model that costs nothing: what the engine itself spends on a task, as more
/// and more tasks wait. The same calls made bare are measured beside and taken off.
/// </summary>
internal sealed class WideCase(EngineHost host, bool quick)
{
    private const int Columns = 16;

    private readonly int rounds = quick ? 1 : 3;
    private readonly int rows = quick ? 20_000 : 100_000;

    public async Task RunAsync(TextWriter output)
    {
        int[] waiting = [64, 256, 1024, 4096, 16_384];
        Samples[] bare = waiting.Select(_ => new Samples()).ToArray();
        Samples[] engine = waiting.Select(_ => new Samples()).ToArray();
        var most = new int[waiting.Length];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < waiting.Length; i++)
            {
                int depth = waiting[i];
                int reached = 0;
                Sample alone = await Machine.MeasureAsync(async () => reached = await BareAsync(depth));
                Sample whole = await Machine.MeasureAsync(() => host.RunAsync(Pipeline(depth)));
                most[i] = Math.Max(most[i], reached);
                if (round > 0)
                {
                    bare[i].Add(alone);
                    engine[i].Add(whole);
                }
            }
        }

        double tasks = (double)rows * Columns;
        await output.WriteLineAsync($"\nwide: {rows} rows x {Columns} calls, {rounds} rounds interleaved, load {Machine.Load()}\n");
        await output.WriteLineAsync("| tasks waiting | most at once, bare | bare CPU us per task | with the engine | the engine's own |\n| --- | --- | --- | --- | --- |");
        for (int i = 0; i < waiting.Length; i++)
        {
            double alone = bare[i].Cpu / tasks * 1e6;
            double whole = engine[i].Cpu / tasks * 1e6;
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {waiting[i]} | {most[i]} | {alone:0.00} | {whole:0.00} | {whole - alone:0.00} |"));
        }
    }

    // Twice the rows that wait: one half at the model, one half on the way.
    private static int RowsInFlight(int depth) => Math.Max(1, 2 * depth / Columns);

    private async Task<int> BareAsync(int depth)
    {
        using var model = new WaitingModel(depth);
        using var slots = new SemaphoreSlim(RowsInFlight(depth));
        async Task RowAsync()
        {
            await Calls.MakeAsync(model, Columns);
            slots.Release();
        }

        var last = new List<Task>();
        for (int row = 0; row < rows; row++)
        {
            await slots.WaitAsync();
            Task task = Task.Run(RowAsync);
            if (row >= rows - RowsInFlight(depth))
            {
                last.Add(task);
            }
        }

        for (int i = 0; i < RowsInFlight(depth); i++)
        {
            await slots.WaitAsync();
        }

        await Task.WhenAll(last);
        return model.MostWaiting;
    }

    private string Pipeline(int depth) => $$"""
        name: wide
        stages:
          numbers: { uses: bench.numbers, with: { rows: {{rows}} } }
          columns: { uses: bench.calls, from: numbers, concurrency: {{RowsInFlight(depth)}}, with: { per_row: {{Columns}}, waiting: {{depth}} } }
          counted: { uses: bench.count, from: columns, order: any }
        """;
}
