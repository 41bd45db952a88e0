using System.ComponentModel;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.join", "Joins left and right by key; the right side is held in memory.")]
[StageInput("left")]
[StageInput("right")]
public sealed class Join(JoinOptions options) : IAggregate, IStage<JoinOptions>
{
    public static void Declare(JoinOptions options, StageDeclaration declaration)
    {
        RowKeys.Declare(options.On, "on", declaration);
        Schema output = OutputSchema(options, declaration.Inputs["left"], declaration.Inputs["right"]);
        if (output.FieldsList.GroupBy(field => field.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            declaration.Error("suffix", $"two columns would be called '{twice.Key}'");
        }

        declaration.Out(output);
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Dictionary<string, List<(string Id, IReadOnlyDictionary<string, object?> Row)>> right = await LoadRightAsync(inputs["right"], cancellationToken);
        Schema schema = OutputSchema(options, inputs["left"].Schema, inputs["right"].Schema);
        var rows = new List<IReadOnlyDictionary<string, object?>>();
        var ids = new List<string>();
        await foreach (RowBatch batch in inputs["left"].ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                var matches = RowKeys.Known(row, options.On) is string key ? right.GetValueOrDefault(key) : null;
                foreach ((string id, IReadOnlyDictionary<string, object?> joined) in Match(row, matches ?? []))
                {
                    rows.Add(joined);
                    ids.Add(id);
                    if (rows.Count == context.BatchRows)
                    {
                        yield return Flush();
                    }
                }
            }
        }

        if (rows.Count > 0)
        {
            yield return Flush();
        }

        PortBatch Flush()
        {
            var batch = new PortBatch("out", ArrowRows.BuildBatch(schema, rows), ids.ToArray());
            rows.Clear();
            ids.Clear();
            return batch;
        }
    }

    private IEnumerable<(string Id, IReadOnlyDictionary<string, object?> Row)> Match(Row row, List<(string Id, IReadOnlyDictionary<string, object?> Row)> matches)
    {
        IReadOnlyDictionary<string, object?> left = row.ToDictionary();
        bool single = options.How switch
        {
            JoinKind.Semi => matches.Count > 0,
            JoinKind.Anti or JoinKind.Left => matches.Count == 0,
            _ => false,
        };
        if (single)
        {
            yield return (row.Id, left);
        }

        if (options.How is JoinKind.Inner or JoinKind.Left)
        {
            foreach ((string id, IReadOnlyDictionary<string, object?> match) in matches)
            {
                var joined = new Dictionary<string, object?>(left, StringComparer.Ordinal);
                foreach ((string column, object? value) in match.Where(pair => !options.On.Contains(pair.Key)))
                {
                    joined[left.ContainsKey(column) ? column + options.Suffix : column] = value;
                }

                yield return (RowId.Combine(row.Id, id), joined);
            }
        }
    }

    private async Task<Dictionary<string, List<(string, IReadOnlyDictionary<string, object?>)>>> LoadRightAsync(IRowStream stream, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, List<(string, IReadOnlyDictionary<string, object?>)>>(StringComparer.Ordinal);
        await foreach (RowBatch batch in stream.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                if (RowKeys.Known(row, options.On) is not string key)
                {
                    continue;
                }

                if (!rows.TryGetValue(key, out var list))
                {
                    rows[key] = list = [];
                }

                list.Add((row.Id, row.ToDictionary()));
            }
        }

        return rows;
    }

    private static Schema OutputSchema(JoinOptions options, Schema left, Schema right)
    {
        if (options.How is JoinKind.Semi or JoinKind.Anti)
        {
            return left;
        }

        List<Field> fields = [.. left.FieldsList];
        foreach (Field field in right.FieldsList.Where(field => !options.On.Contains(field.Name)))
        {
            string name = left.Find(field.Name) is null ? field.Name : field.Name + options.Suffix;
            fields.Add(new Field(name, field.DataType, nullable: true));
        }

        return new Schema(fields, null);
    }
}

public sealed record JoinOptions
{
    [Description("Key columns, on both sides; a row with a null among them matches none.")]
    public required IReadOnlyList<string> On { get; init; }

    [Description("inner (every pair that matches), left (and left rows without a match), semi (left rows with a match, once), anti (left rows without one).")]
    public JoinKind How { get; init; } = JoinKind.Inner;

    [Description("Put behind a right column's name that the left has too.")]
    public string Suffix { get; init; } = "_right";
}

public enum JoinKind
{
    Inner,
    Left,
    Semi,
    Anti,
}
