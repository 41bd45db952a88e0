using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.RejectionSampling;

[Stage("select.best_of", "Keeps the best responses to each prompt: verified ones only, highest score first, ties to the lowest sample.")]
public sealed class BestOf(BestOfOptions options) : IAggregate, IStage<BestOfOptions>
{
    public static void Declare(BestOfOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by");
        declaration.Require(options.Response, "response", StageInputs.Default, "text");
        if (options.Verified is not null)
        {
            declaration.Require(options.Verified, "verified", StageInputs.Default, "boolean");
        }

        if (options.Score is not null)
        {
            declaration.Require(options.Score, "score", StageInputs.Default, "number", "integer");
        }

        if (options.Pick == PickKind.Random && options.Score is not null)
        {
            declaration.Error("pick", "a random pick takes no score");
        }

        declaration.Port("out", OutputSchema(options, declaration.Input));
        declaration.Port("rejected", declaration.Input.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Schema schema = OutputSchema(options, inputs.In.Schema);
        Schema rejectedSchema = inputs.In.Schema.With((StageDeclaration.RejectedReason, Columns.Text));
        var kept = new RowBuffer("out", schema, context.BatchRows);
        var rejected = new RowBuffer("rejected", rejectedSchema, context.BatchRows);
        await foreach (List<Candidate> group in GroupsAsync(inputs.In, cancellationToken))
        {
            Choose(group, context);
            foreach (Candidate candidate in group)
            {
                RowBuffer buffer = candidate.Reason is null ? kept : rejected;
                if (buffer.Add(candidate.Id, candidate.Output(options.Score is not null)) is PortBatch full)
                {
                    yield return full;
                }
            }
        }

        foreach (RowBuffer buffer in new[] { kept, rejected })
        {
            if (buffer.Flush() is PortBatch rest)
            {
                yield return rest;
            }
        }
    }

    // Responses to one prompt are neighbours in order-key order; only one group is held at a time.
    private async IAsyncEnumerable<List<Candidate>> GroupsAsync(IRowStream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var group = new List<Candidate>();
        var closed = new HashSet<string>(StringComparer.Ordinal);
        string? current = null;
        await foreach (RowBatch batch in stream.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                if (row[options.By] is null)
                {
                    yield return [new Candidate(row.Id, 0, "", row.ToDictionary()) { Reason = "no_prompt" }];
                    continue;
                }

                string key = row.Text(options.By);
                if (key != current)
                {
                    if (group.Count > 0)
                    {
                        yield return group;
                    }

                    if (!closed.Add(key))
                    {
                        throw new StageFailedException($"rows of '{options.By}' = '{key}' are not next to each other; sort or group the input by it");
                    }

                    group = [];
                    current = key;
                }

                group.Add(new Candidate(row.Id, group.Count, key, row.ToDictionary()));
            }
        }

        if (group.Count > 0)
        {
            yield return group;
        }
    }

    private void Choose(List<Candidate> group, StageContext context)
    {
        foreach (Candidate candidate in group)
        {
            candidate.Reason ??= Unfit(candidate);
        }

        List<Candidate> fit = group.Where(candidate => candidate.Reason is null).ToList();
        if (options.Pick == PickKind.Random)
        {
            new SeededRandom(context.SeedFor(group[0].Prompt)).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(fit));
        }
        else if (options.Score is not null)
        {
            double median = Median(fit.Select(Score).Order().ToArray());
            fit.ForEach(candidate => candidate.Margin = Score(candidate) - median);
            fit = [.. fit.OrderByDescending(Score).ThenBy(candidate => candidate.Index)];
        }

        var responses = new HashSet<string>(StringComparer.Ordinal);
        int taken = 0;
        foreach (Candidate candidate in fit)
        {
            string text = (string?)candidate.Values[options.Response] ?? "";
            candidate.Reason = !responses.Add(text) ? "duplicate" : taken >= options.Keep ? "not_best" : null;
            taken += candidate.Reason is null ? 1 : 0;
        }
    }

    private string? Unfit(Candidate candidate)
    {
        if (string.IsNullOrWhiteSpace((string?)candidate.Values[options.Response]))
        {
            return "empty";
        }

        if (candidate.Values.GetValueOrDefault("finish_reason") is "length")
        {
            return "truncated";
        }

        if (options.Verified is not null && candidate.Values[options.Verified] is not true)
        {
            return "not_verified";
        }

        return options.Score is not null && candidate.Values[options.Score] is null or double.NaN ? "no_score" : null;
    }

    private double Score(Candidate candidate) => candidate.Values[options.Score!] is long whole ? whole : (double)candidate.Values[options.Score!]!;

    private static double Median(double[] sorted) =>
        sorted.Length == 0 ? 0 : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;

    private static Schema OutputSchema(BestOfOptions options, Schema input) =>
        options.Score is null ? input : input.With(("margin_to_median", Columns.Number));

    private sealed class Candidate(string id, int index, string prompt, IReadOnlyDictionary<string, object?> values)
    {
        public string Id => id;

        public int Index => index;

        public string Prompt => prompt;

        public IReadOnlyDictionary<string, object?> Values => values;

        public string? Reason { get; set; }

        public double? Margin { get; set; }

        // What is added replaces a column of the input only on the port that has it.
        public Dictionary<string, object?> Output(bool scored)
        {
            var output = new Dictionary<string, object?>(values, StringComparer.Ordinal);
            if (Reason is not null)
            {
                output[StageDeclaration.RejectedReason] = Reason;
            }
            else if (scored)
            {
                output["margin_to_median"] = Margin;
            }

            return output;
        }
    }

    private sealed class RowBuffer(string port, Schema schema, int limit)
    {
        private readonly List<IReadOnlyDictionary<string, object?>> rows = [];
        private readonly List<string> ids = [];

        public PortBatch? Add(string id, IReadOnlyDictionary<string, object?> row)
        {
            rows.Add(row);
            ids.Add(id);
            return rows.Count >= limit ? Flush() : null;
        }

        public PortBatch? Flush()
        {
            if (rows.Count == 0)
            {
                return null;
            }

            var batch = new PortBatch(port, ArrowRows.BuildBatch(schema, rows), ids.ToArray());
            rows.Clear();
            ids.Clear();
            return batch;
        }
    }
}

public sealed record BestOfOptions
{
    [Description("Column that says which prompt a response belongs to; rows of one prompt must be neighbours.")]
    public string By { get; init; } = "prompt_id";

    [Description("Column holding the response; an empty one, or one whose finish_reason is length, is never kept.")]
    public string Response { get; init; } = "response";

    [Description("Boolean column: only rows where it is true may be kept.")]
    public string? Verified { get; init; }

    [Description("Number column: the highest is best. Adds margin_to_median: how far above the median of the prompt's eligible responses.")]
    public string? Score { get; init; }

    [Description("Distinct responses kept per prompt, at most."), Range(1, 1024)]
    public int Keep { get; init; } = 1;

    [Description("best, or random: a seeded random one among those that may be kept (a control).")]
    public PickKind Pick { get; init; } = PickKind.Best;
}

public enum PickKind
{
    Best,
    Random,
}
