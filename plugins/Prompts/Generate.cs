using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Dataflow.Plugins.Prompts;

[Stage("prompts.generate", "Asks a model for new prompts from a few examples (Self-Instruct); drops what is like an earlier one.")]
public sealed class Generate(GenerateOptions options, IChatClient model) : IAggregate, IStage<GenerateOptions>, IRowForecast
{
    private const string DefaultInstruction =
        "Here are {{ examples.size }} tasks that people give to an assistant:\n"
        + "{% for example in examples %}{{ forloop.index }}. {{ example }}\n{% endfor %}"
        + "Write {{ n }} new tasks as a numbered list, one a line and nothing else. Each must differ from those above and "
        + "from one another in subject, verb and form.";

    private static readonly Schema Rejected = Columns.Schema(("prompt", Columns.Text), (StageDeclaration.RejectedReason, Columns.Text));

    private static readonly Schema Output = Columns.Schema(("prompt", Columns.Text), ("call", Columns.Integer));

    private readonly LiquidTemplate instruction = LiquidTemplate.Parse(options.Instruction ?? DefaultInstruction);

    public static void Declare(GenerateOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.Column, "column", StageInputs.Default, "text");
        if (options.Instruction is not null)
        {
            LiquidTemplate.Check(options.Instruction, "instruction", declaration, "examples", "n");
        }

        declaration.Out(Output);
        declaration.Port("rejected", Rejected, optional: true);
    }

    public double? ForecastRows(string port, double rowsIn) => port == "out" ? options.Count : null;

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string[] seeds = await SeedsAsync(inputs.In, cancellationToken);
        var pool = new Pool(options, seeds);
        int maxCalls = options.MaxCalls ?? (20 * options.Count / options.PerCall) + options.CallsPerRound;
        int calls = 0;
        while (pool.Accepted.Count < options.Count && calls < maxCalls)
        {
            // A round sees the pool as the last one left it, so its calls may run side by side without changing the result.
            int first = calls;
            int size = Math.Min(options.CallsPerRound, maxCalls - calls);
            string[] asked = Enumerable.Range(first, size).Select(call => Ask(pool, context, call)).ToArray();
            Answer[] answers = await Task.WhenAll(asked.Select((text, i) => AnswerAsync(text, context, first + i, cancellationToken)));
            calls += size;
            if (answers.All(answer => answer.Failure is not null))
            {
                throw new StageFailedException($"all {size} calls of a round failed; the first: {answers[0].Failure!.Message}", answers[0].Failure);
            }

            (List<IReadOnlyDictionary<string, object?>> kept, List<IReadOnlyDictionary<string, object?>> rejected) = pool.Take(answers);
            if (kept.Count > 0)
            {
                yield return new PortBatch("out", ArrowRows.BuildBatch(Output, kept));
            }

            if (rejected.Count > 0)
            {
                yield return new PortBatch("rejected", ArrowRows.BuildBatch(Rejected, rejected));
            }
        }

        if (pool.Accepted.Count < options.Count)
        {
            context.Logger.LogWarning("{Got} of {Wanted} prompts after {Calls} calls: the model repeats itself; more seeds, a higher temperature or similarity may help", pool.Accepted.Count, options.Count, calls);
        }
    }

    private async Task<string[]> SeedsAsync(IRowStream rows, CancellationToken cancellationToken)
    {
        var seeds = new List<string>();
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length && seeds.Count < options.MaxSeeds; i++)
            {
                string text = (batch.RowAt(i)[options.Column] as string)?.Trim() ?? "";
                if (text.Length > 0)
                {
                    seeds.Add(text);
                }
            }
        }

        return seeds.Count > 0 ? [.. seeds] : throw new StageFailedException("there are no seed prompts: the input is empty");
    }

    private string Ask(Pool pool, StageContext context, int call)
    {
        var random = new SeededRandom(context.SeedFor("examples", call));
        return instruction.Render(new Dictionary<string, object?> { ["examples"] = pool.Examples(random), ["n"] = (long)options.PerCall });
    }

    private async Task<Answer> AnswerAsync(string text, StageContext context, int call, CancellationToken cancellationToken)
    {
        var settings = new ChatOptions
        {
            Temperature = (float)options.Temperature,
            MaxOutputTokens = options.MaxTokens,
            Seed = (long)(context.SeedFor("call", call) >> 1),
        };
        try
        {
            ChatResponse response = await model.GetResponseAsync([new ChatMessage(ChatRole.User, text)], settings, cancellationToken);
            return new Answer(call, response.Text, response.FinishReason == ChatFinishReason.Length, null);
        }
        catch (Exception failure) when (failure is not (StageFailedException or OperationCanceledException))
        {
            // Also what the engine throws around a call: a time-out, an open circuit.
            return new Answer(call, "", false, failure);
        }
    }

    /// <summary>The answer to one call, or why there is none.</summary>
    /// <param name="Cut">The answer reached its token limit.</param>
    private sealed record Answer(int Call, string Text, bool Cut, Exception? Failure);

    /// <summary>Seeds and accepted prompts, and what makes a new one acceptable.</summary>
    private sealed class Pool
    {
        private readonly GenerateOptions options;
        private readonly string[] seeds;
        private readonly Novelty novelty;

        public Pool(GenerateOptions options, string[] seeds)
        {
            this.options = options;
            this.seeds = seeds;
            novelty = new Novelty(options.Similarity);
            foreach (string seed in seeds)
            {
                novelty.TryAdd(seed);
            }
        }

        public List<string> Accepted { get; } = [];

        public string[] Examples(SeededRandom random)
        {
            int generated = Math.Min(Math.Min(options.GeneratedExamples, options.Examples), Accepted.Count);
            string[] examples = [.. Draw(seeds, options.Examples - generated, random), .. Draw(Accepted, generated, random)];
            random.Shuffle<string>(examples);
            return examples;
        }

        public (List<IReadOnlyDictionary<string, object?>> Kept, List<IReadOnlyDictionary<string, object?>> Rejected) Take(IEnumerable<Answer> answers)
        {
            var kept = new List<IReadOnlyDictionary<string, object?>>();
            var rejected = new List<IReadOnlyDictionary<string, object?>>();
            foreach (Answer answer in answers)
            {
                if (answer.Failure is not null)
                {
                    rejected.Add(Reject(null, "call_failed: " + answer.Failure.Message));
                }

                foreach (string prompt in PromptList.Parse(answer.Text, answer.Cut))
                {
                    if (Refusal(prompt) is string reason)
                    {
                        rejected.Add(Reject(prompt, reason));
                    }
                    else
                    {
                        Accepted.Add(prompt);
                        kept.Add(new Dictionary<string, object?> { ["prompt"] = prompt, ["call"] = (long)answer.Call });
                    }
                }
            }

            return (kept, rejected);
        }

        private string? Refusal(string prompt) =>
            prompt.Length < options.MinLength ? "too_short"
            : prompt.Length > options.MaxLength ? "too_long"
            : Accepted.Count >= options.Count ? "surplus"
            : !novelty.TryAdd(prompt) ? "similar"
            : null;

        private static Dictionary<string, object?> Reject(string? prompt, string reason) =>
            new() { ["prompt"] = prompt, [StageDeclaration.RejectedReason] = reason };

        private static IEnumerable<string> Draw(IReadOnlyList<string> from, int count, SeededRandom random)
        {
            int[] order = Enumerable.Range(0, from.Count).ToArray();
            random.Shuffle<int>(order);
            return order.Take(count).Select(i => from[i]);
        }
    }
}

public sealed record GenerateOptions
{
    [Description("Model to ask."), ModelReference(typeof(IChatClient))]
    public required string Model { get; init; }

    [Description("New prompts to make."), Range(1, 10_000_000)]
    public required int Count { get; init; }

    [Description("Column of the seed prompts.")]
    public string Column { get; init; } = "prompt";

    [Description("Liquid template of the request, over 'examples' (a list of texts) and 'n' (prompts wanted); a numbered or bulleted list, a JSON array of texts, or else plain lines are read back, without the last item where an answer was cut off.")]
    public string? Instruction { get; init; }

    [Description("Examples shown in each request, if there are so many."), Range(1, 100)]
    public int Examples { get; init; } = 8;

    [Description("How many of the examples are earlier results instead of seeds, once there are any."), Range(0, 100)]
    public int GeneratedExamples { get; init; } = 2;

    [Description("Prompts asked for in one request."), Range(1, 100)]
    public int PerCall { get; init; } = 8;

    [Description("Requests sent at a time; they share one view of what was made before."), Range(1, 1024)]
    public int CallsPerRound { get; init; } = 8;

    [Description("Most requests in all; if absent 20 times what would be enough, and one round more."), Range(1, int.MaxValue)]
    public int? MaxCalls { get; init; }

    [Description("ROUGE-L F1 with a seed or an earlier result from which on a new one is dropped; 1 drops only equal words."), Range(0.01, 1.0)]
    public double Similarity { get; init; } = 0.7;

    [Description("Sampling temperature."), Range(0.0, 10.0)]
    public double Temperature { get; init; } = 1;

    [Description("Most tokens of an answer."), Range(1, 1_000_000)]
    public int MaxTokens { get; init; } = 1024;

    [Description("Shortest prompt, in characters."), Range(1, 1_000_000)]
    public int MinLength { get; init; } = 8;

    [Description("Longest prompt, in characters."), Range(1, 1_000_000)]
    public int MaxLength { get; init; } = 4000;

    [Description("Seeds read from the input at most."), Range(1, 10_000_000)]
    public int MaxSeeds { get; init; } = 10_000;
}
