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
        for (int i = 0; i < options.On.Count; i++)
        {
            Field? left = declaration.Require(options.On[i], $"on[{i}]", "left");
            Field? right = declaration.Require(options.On[i], $"on[{i}]", "right");
            if (left is not null && right is not null && !Columns.SameType(left.DataType, right.DataType))
            {
                declaration.Error($"on[{i}]", $"column '{options.On[i]}' is {ArrowValues.TypeName(left.DataType)} on the left but {ArrowValues.TypeName(right.DataType)} on the right");
            }
        }

        declaration.Out(OutputSchema(options, declaration.Inputs["left"], declaration.Inputs["right"]));
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
                List<(string Id, IReadOnlyDictionary<string, object?> Row)>? matches = right.GetValueOrDefault(RowKeys.Of(row, options.On));
                Match(row, matches ?? [], rows, ids);
            }

            if (rows.Count > 0)
            {
                yield return new PortBatch("out", ArrowRows.BuildBatch(schema, rows), ids.ToArray());
                rows.Clear();
                ids.Clear();
            }
        }
    }

    private void Match(Row row, List<(string Id, IReadOnlyDictionary<string, object?> Row)> matches, List<IReadOnlyDictionary<string, object?>> rows, List<string> ids)
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
            rows.Add(left);
            ids.Add(row.Id);
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

                rows.Add(joined);
                ids.Add(RowId.Combine(row.Id, id));
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
                string key = RowKeys.Of(row, options.On);
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
    [Description("Key columns, on both sides.")]
    public required IReadOnlyList<string> On { get; init; }

    [Description("inner, left, semi (left rows with a match), anti (left rows without one).")]
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
