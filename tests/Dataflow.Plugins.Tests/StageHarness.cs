using System.Runtime.CompilerServices;
using System.Text;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Microsoft.Extensions.Logging;

namespace Dataflow.Plugins.Tests;

/// <summary>What a stage gets when it runs without an engine; keeps what it reports.</summary>
internal sealed class StageTestContext(string? folder = null, ulong seed = 1, int batchRows = 1000) : StageContext, ILogger
{
    public List<(string Code, string Message, string Input)> InputErrors { get; } = [];

    public List<Metric> Metrics { get; } = [];

    public List<string> Messages { get; } = [];

    public override string StageName => "stage";

    public override string RunId => "run-1";

    public override ulong Seed => seed;

    public override int Threads => 1;

    public override int BatchRows => batchRows;

    public override string ArtifactFolder => throw new NotSupportedException();

    public override string WorkFolder => throw new NotSupportedException();

    public override ILogger Logger => this;

    public override string ResolvePath(string path) => Path.GetFullPath(path, folder ?? "/");

    public override Task MetricsJournalled => Task.CompletedTask;

    public override void Report(Metric metric) => Metrics.Add(metric);

    public override ValueTask ReportInputErrorAsync(string code, string message, string input, CancellationToken cancellationToken)
    {
        InputErrors.Add((code, message, input));
        return ValueTask.CompletedTask;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Messages.Add(formatter(state, exception));
}

/// <summary>Rows in memory as a stream; ids come from content and occurrence, as a source's do.</summary>
internal sealed class MemoryRows(Schema schema, IReadOnlyList<IReadOnlyDictionary<string, object?>> rows, IReadOnlyList<string>? ids = null, int batchRows = 3) : IRowStream
{
    public Schema Schema => schema;

    public long? Count => rows.Count;

    public IReadOnlyList<string> Ids { get; } = ids ?? Identify(rows);

    /// <summary>Rows by position: one array of values a row, in the schema's order.</summary>
    public static MemoryRows Of(Schema schema, params object?[][] rows) => new(schema, rows.Select(row => Dictionary(schema, row)).ToArray());

    /// <summary>Rows of one column.</summary>
    public static MemoryRows Column(string name, IArrowType type, params IEnumerable<object?> values) =>
        Of(Columns.Schema((name, type)), values.Select(value => new[] { value }).ToArray());

    public MemoryRows WithIds(params string[] given) => new(schema, rows, given, batchRows);

    public MemoryRows InBatchesOf(int size) => new(schema, rows, Ids, size);

    public async IAsyncEnumerable<RowBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int start = 0; start < rows.Count; start += batchRows)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return Batch(start, Math.Min(batchRows, rows.Count - start));
        }
    }

    /// <summary>All rows in one batch.</summary>
    public RowBatch Whole() => Batch(0, rows.Count);

    private RowBatch Batch(int start, int length)
    {
        int[] indices = Enumerable.Range(start, length).ToArray();
        return new RowBatch(
            ArrowRows.BuildBatch(schema, indices.Select(i => rows[i]).ToArray()),
            indices.Select(i => Ids[i]).ToArray(),
            indices.Select(i => OrderKey.Root(i)).ToArray());
    }

    private static Dictionary<string, object?> Dictionary(Schema schema, object?[] values) =>
        schema.FieldsList.Zip(values).ToDictionary(pair => pair.First.Name, pair => pair.Second is int number ? (long)number : pair.Second);

    private static string[] Identify(IReadOnlyList<IReadOnlyDictionary<string, object?>> rows)
    {
        var seen = new Dictionary<string, int>();
        return rows.Select(row =>
        {
            string json = RowJson.Write(row);
            int occurrence = seen[json] = seen.GetValueOrDefault(json) + 1;
            return RowId.Create("memory", Encoding.UTF8.GetBytes(json), occurrence);
        }).ToArray();
    }
}

/// <summary>A row that left a stage.</summary>
internal sealed record OutRow(string Id, IReadOnlyDictionary<string, object?> Values)
{
    public object? this[string column] => Values[column];
}

/// <summary>Runs single stages, and checks that what they give is what they declared.</summary>
internal static class Stages
{
    public static StageDeclaration Declare<TStage, TOptions>(TOptions options, params (string Name, Schema Schema)[] inputs)
        where TStage : IStage<TOptions>
        where TOptions : class
    {
        var declaration = new StageDeclaration(inputs.ToDictionary(input => input.Name, input => input.Schema), path => path);
        TStage.Declare(options, declaration);
        return declaration;
    }

    /// <summary>The complaints of a declaration as <c>option: message</c>.</summary>
    public static string[] Complaints<TStage, TOptions>(TOptions options, params (string Name, Schema Schema)[] inputs)
        where TStage : IStage<TOptions>
        where TOptions : class =>
        Declare<TStage, TOptions>(options, inputs).Issues.Select(issue => $"{issue.Option}: {issue.Message}").ToArray();

    /// <summary>Rows by port.</summary>
    public static Task<ILookup<string, OutRow>> AggregateAsync<TStage, TOptions>(TStage stage, TOptions options, MemoryRows input, StageTestContext? context = null)
        where TStage : IAggregate, IStage<TOptions>
        where TOptions : class => AggregateAsync(stage, options, context, (StageInputs.Default, input));

    public static async Task<ILookup<string, OutRow>> AggregateAsync<TStage, TOptions>(TStage stage, TOptions options, StageTestContext? context, params (string Name, MemoryRows Rows)[] inputs)
        where TStage : IAggregate, IStage<TOptions>
        where TOptions : class
    {
        context ??= new StageTestContext();
        StageDeclaration declaration = Declare<TStage, TOptions>(options, inputs.Select(input => (input.Name, input.Rows.Schema)).ToArray());
        Assert.Empty(declaration.Issues);
        var rows = new List<(string Port, OutRow Row)>();
        var streams = new StageInputs(inputs.ToDictionary(input => input.Name, input => (IRowStream)input.Rows));
        await foreach (PortBatch batch in stage.AggregateAsync(streams, context, CancellationToken.None))
        {
            using RecordBatch data = batch.Data;
            AssertSame(declaration.Ports[batch.Port].Schema, data.Schema);
            Assert.InRange(data.Length, 1, Math.Max(context.BatchRows, 1));
            Assert.True(batch.RowIds is null || batch.RowIds.Count == data.Length);
            rows.AddRange(Read(data, batch.RowIds).Select(row => (batch.Port, row)));
        }

        return rows.ToLookup(row => row.Port, row => row.Row);
    }

    public static async Task<List<OutRow>> SourceAsync<TStage, TOptions>(TStage stage, TOptions options, StageTestContext context)
        where TStage : ISource, IStage<TOptions>
        where TOptions : class
    {
        var declaration = new StageDeclaration(new Dictionary<string, Schema>(), context.ResolvePath);
        TStage.Declare(options, declaration);
        Assert.Empty(declaration.Issues);
        var rows = new List<OutRow>();
        await foreach (RecordBatch batch in stage.ReadAsync(context, CancellationToken.None))
        {
            using RecordBatch data = batch;
            AssertSame(declaration.Ports["out"].Schema, data.Schema);
            Assert.InRange(data.Length, 1, context.BatchRows);
            rows.AddRange(Read(data, null));
        }

        return rows;
    }

    /// <summary>One entry a row: null if kept, else the reason.</summary>
    public static async Task<string?[]> FilterAsync<TStage, TOptions>(TStage stage, TOptions options, MemoryRows input)
        where TStage : IFilter, IStage<TOptions>
        where TOptions : class
    {
        Assert.Empty(Complaints<TStage, TOptions>(options, (StageInputs.Default, input.Schema)));
        using RowBatch batch = input.Whole();
        return (await stage.JudgeAsync(batch.Data, new StageTestContext(), CancellationToken.None)).Select(verdict => verdict.Keep ? null : verdict.Reason ?? "").ToArray();
    }

    public static async Task<List<OutRow>> TransformAsync<TStage, TOptions>(TStage stage, TOptions options, MemoryRows input, StageTestContext? context = null)
        where TStage : IBatchTransform, IStage<TOptions>
        where TOptions : class
    {
        StageDeclaration declaration = Declare<TStage, TOptions>(options, (StageInputs.Default, input.Schema));
        Assert.Empty(declaration.Issues);
        RowBatch batch = input.Whole();
        using RecordBatch result = await stage.TransformAsync(batch.Data, context ?? new StageTestContext(), CancellationToken.None);
        // The engine disposes the input while the result lives on.
        batch.Dispose();
        AssertSame(declaration.Ports["out"].Schema, result.Schema);
        return Read(result, input.Ids).ToList();
    }

    /// <summary>What each row became, or why it failed.</summary>
    public static async Task<List<(IReadOnlyList<EmittedRow> Rows, RowFailedException? Failure)>> ProcessAsync(IRowStage stage, MemoryRows input, StageTestContext? context = null)
    {
        using RowBatch batch = input.Whole();
        var results = new List<(IReadOnlyList<EmittedRow>, RowFailedException?)>();
        for (int i = 0; i < batch.Length; i++)
        {
            var output = new RowOutput();
            try
            {
                await stage.ProcessAsync(batch.RowAt(i), output, context ?? new StageTestContext(), CancellationToken.None);
                results.Add((output.Rows, null));
            }
            catch (RowFailedException failure)
            {
                results.Add(([], failure));
            }
        }

        return results;
    }

    public static void AssertSame(Schema declared, Schema given) =>
        Assert.Equal(Describe(declared), Describe(given));

    public static string[] Describe(Schema schema) => schema.FieldsList.Select(field => $"{field.Name}: {ArrowValues.TypeName(field.DataType)}").ToArray();

    private static IEnumerable<OutRow> Read(RecordBatch data, IReadOnlyList<string>? ids) =>
        Enumerable.Range(0, data.Length).Select(i => new OutRow(ids?[i] ?? "", new Row(data, i, "", []).ToDictionary())).ToArray();
}

/// <summary>A folder of a test's own.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dataflow-plugins-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
