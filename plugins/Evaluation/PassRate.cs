using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Evaluation;

[Stage("eval.pass_rate", "Reports pass@k over prompts with 95% intervals.")]
public sealed class PassRate(PassRateOptions options) : IAggregate, IStage<PassRateOptions>
{
    private static readonly Schema Output = Columns.Schema(
        ("label", Columns.Text), ("metric", Columns.Text), ("value", Columns.Number), ("low", Columns.Number), ("high", Columns.Number), ("prompts", Columns.Integer));

    public static void Declare(PassRateOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by");
        declaration.Require(options.Passed, "passed", StageInputs.Default, "boolean");
        if (options.K.Count == 0)
        {
            declaration.Error("k", "pass@k needs a k of 1 or more");
        }

        for (int i = 0; i < options.K.Count; i++)
        {
            if (options.K[i] < 1)
            {
                declaration.Error($"k[{i}]", $"pass@k needs a k of 1 or more, not {options.K[i]}");
            }
        }

        declaration.Port("out", Output, optional: true);
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (int Samples, int Passed)[] prompts = await CountAsync(inputs.In, cancellationToken);
        if (prompts.Length < options.MinPrompts)
        {
            throw new StageFailedException($"only {prompts.Length} prompts were evaluated, fewer than min_prompts {options.MinPrompts}");
        }

        var rows = new List<IReadOnlyDictionary<string, object?>>();
        foreach (int k in options.K)
        {
            int fewest = prompts.Min(prompt => prompt.Samples);
            if (k > fewest)
            {
                throw new StageFailedException($"pass@{k} needs {k} samples of every prompt, but one has {fewest}");
            }

            Interval rate = PassAtK.Over(prompts, k);
            string label = options.Label ?? context.StageName;
            context.Report(new Metric($"pass@{k}", rate.Value, Low: rate.Low, High: rate.High, Label: label, Headline: true));
            rows.Add(new Dictionary<string, object?>
            {
                ["label"] = label,
                ["metric"] = $"pass@{k}",
                ["value"] = rate.Value,
                ["low"] = rate.Low,
                ["high"] = rate.High,
                ["prompts"] = (long)prompts.Length,
            });
        }

        yield return new PortBatch("out", ArrowRows.BuildBatch(Output, rows));
    }

    private async Task<(int Samples, int Passed)[]> CountAsync(IRowStream rows, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, (int Samples, int Passed)>(StringComparer.Ordinal);
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                string prompt = row.Text(options.By);
                (int samples, int passed) = counts.GetValueOrDefault(prompt);
                counts[prompt] = (samples + 1, passed + (row.Flag(options.Passed) ? 1 : 0));
            }
        }

        return [.. counts.Values];
    }
}

public sealed record PassRateOptions
{
    [Description("Column that says which prompt a response belongs to.")]
    public string By { get; init; } = "prompt_id";

    [Description("Boolean column: did the response pass?")]
    public string Passed { get; init; } = "passed";

    [Description("The k of pass@k; each prompt needs at least that many samples.")]
    public IReadOnlyList<int> K { get; init; } = [1];

    [Description("Who is evaluated; the stage's name if absent.")]
    public string? Label { get; init; }

    [Description("Fail if fewer prompts than this were evaluated."), Range(1, int.MaxValue)]
    public int MinPrompts { get; init; } = 1;
}
