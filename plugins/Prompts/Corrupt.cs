using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Prompts;

[Stage("prompts.corrupt", "Replaces the answers of a random share of rows by their wrong ones: a noisy corpus on purpose.")]
public sealed class Corrupt(CorruptOptions options) : IBatchTransform, IStage<CorruptOptions>
{
    private const string Mark = "corrupted";

    public static void Declare(CorruptOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.Answer, "answer", StageInputs.Default, "text");
        declaration.Require(options.Wrong, "wrong", StageInputs.Default, "text");
        declaration.Require(options.By, "by", StageInputs.Default, "text");
        declaration.Out(declaration.Input.With((Mark, Columns.Boolean)));
    }

    public ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        var rows = new List<IReadOnlyDictionary<string, object?>>(batch.Length);
        for (int i = 0; i < batch.Length; i++)
        {
            var row = new Row(batch, i, "", []);
            // Which rows are hit hangs on their text, so that one row more or less changes no other.
            bool hit = new SeededRandom(context.SeedFor(row.Text(options.By))).NextDouble() < options.Share;
            var values = new Dictionary<string, object?>(row.ToDictionary(), StringComparer.Ordinal);
            object? wrong = values[options.Wrong];
            bool replaced = hit && wrong is not null && !wrong.Equals(values[options.Answer]);
            values[Mark] = replaced;
            if (replaced)
            {
                values[options.Answer] = wrong;
            }

            rows.Add(values);
        }

        return ValueTask.FromResult(ArrowRows.BuildBatch(batch.Schema.With((Mark, Columns.Boolean)), rows));
    }
}

public sealed record CorruptOptions
{
    [Description("Share of rows that get the wrong answer; a row whose wrong answer is null or equals the right one stays, and 'corrupted' is then false."), Range(0.0, 1.0)]
    public required double Share { get; init; }

    [Description("Column of the answer that is replaced.")]
    public string Answer { get; init; } = "answer";

    [Description("Column of the wrong answer.")]
    public string Wrong { get; init; } = "wrong";

    [Description("Column whose text decides, with the seed, whether a row is hit.")]
    public string By { get; init; } = "prompt";
}
