using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Prompts;

[Stage("prompts.template", "Makes tasks from templates with seeded random variables; row i hangs on the seed and i alone (with unique, on the rows before it too).")]
public sealed class TemplateSource(TemplateSourceOptions options) : ISource, IStage<TemplateSourceOptions>, ICountedSource
{
    private const int DrawsPerRow = 10_000;

    private static readonly Schema Output = Columns.Schema(
        ("prompt", Columns.Text), ("answer", Columns.Text), ("key", Columns.Text), ("task", Columns.Text), ("wrong", Columns.Text));

    public static void Declare(TemplateSourceOptions options, StageDeclaration declaration)
    {
        if (options.Tasks.Count == 0)
        {
            declaration.Error("tasks", "at least one task is needed");
        }

        if (options.Tasks.Count > 0 && options.Tasks.All(task => task.Weight <= 0))
        {
            declaration.Error("tasks", "one task at least needs a weight above 0");
        }

        for (int i = 0; i < options.Tasks.Count; i++)
        {
            TaskTemplate.Check(options.Tasks[i], $"tasks[{i}]", declaration);
        }

        declaration.Out(Output);
    }

    public ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken) => ValueTask.FromResult<long?>(options.Count);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TaskTemplate[] tasks = options.Tasks.Select(task => new TaskTemplate(task)).ToArray();
        double totalWeight = options.Tasks.Sum(task => task.Weight);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        for (int i = 0; i < options.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var random = new SeededRandom(context.SeedFor("row", i));
            rows.Add(Draw(tasks, totalWeight, random, seen));
            if (rows.Count == context.BatchRows)
            {
                yield return ArrowRows.BuildBatch(Output, rows);
                rows.Clear();
                await Task.Yield();
            }
        }

        if (rows.Count > 0)
        {
            yield return ArrowRows.BuildBatch(Output, rows);
        }
    }

    private Dictionary<string, object?> Draw(TaskTemplate[] tasks, double totalWeight, SeededRandom random, HashSet<string> seen)
    {
        for (int attempt = 0; attempt < DrawsPerRow; attempt++)
        {
            double pick = random.NextDouble() * totalWeight;
            int index = 0;
            while (index < tasks.Length - 1 && (pick -= options.Tasks[index].Weight) >= 0)
            {
                index++;
            }

            GeneratedTask task = tasks[index].Draw(random);
            if (options.Unique && !seen.Add(task.Key))
            {
                continue;
            }

            return new Dictionary<string, object?>
            {
                ["prompt"] = task.Prompt,
                ["answer"] = task.Answer,
                ["key"] = task.Key,
                ["task"] = options.Tasks[index].Name,
                ["wrong"] = task.Wrong ?? Perturb(task.Answer, random),
            };
        }

        throw new StageFailedException($"the templates give no more unique tasks after {seen.Count}; lower 'count' or widen the variables");
    }

    // One letter or digit replaced by another of its kind; null where there is none.
    private static string? Perturb(string? answer, SeededRandom random)
    {
        int[] places = Enumerable.Range(0, answer?.Length ?? 0).Where(i => char.IsAsciiLetterOrDigit(answer![i])).ToArray();
        if (places.Length == 0)
        {
            return null;
        }

        int place = places[random.Next(places.Length)];
        char old = answer![place];
        char changed = char.IsAsciiDigit(old)
            ? (char)('0' + ((old - '0' + 1 + random.Next(9)) % 10))
            : (char)((char.IsAsciiLetterLower(old) ? 'a' : 'A') + (((old | 0x20) - 'a' + 1 + random.Next(25)) % 26));
        return answer[..place] + changed + answer[(place + 1)..];
    }
}

public sealed record TemplateSourceOptions
{
    [Description("Rows to make."), Range(1, 100_000_000)]
    public required int Count { get; init; }

    [Description("Task templates; each row draws one by weight.")]
    public required IReadOnlyList<TaskOptions> Tasks { get; init; }

    [Description("Make each key only once; the run fails if 10,000 draws give no new one.")]
    public bool Unique { get; init; }
}

public sealed record TaskOptions
{
    [Description("Name, written to the column 'task'.")]
    public required string Name { get; init; }

    [Description("How often it is drawn, relative to the others."), Range(0.0, 1e9)]
    public double Weight { get; init; } = 1;

    [Description("Variables, drawn in this order; later ones may use earlier ones.")]
    public IReadOnlyDictionary<string, VariableOptions> Variables { get; init; } = new Dictionary<string, VariableOptions>();

    [Description("Liquid template of the prompt.")]
    public required string Prompt { get; init; }

    [Description("Liquid template of the right answer.")]
    public string? Answer { get; init; }

    [Description("Liquid template of a plausible wrong answer; the right one with one ASCII letter or digit changed if absent, null if it has none.")]
    public string? Wrong { get; init; }

    [Description("Liquid template of what makes two tasks of this name the same (such as sorted operands); the prompt if absent.")]
    public string? Key { get; init; }
}

public sealed record VariableOptions
{
    [Description("Whole number between two bounds, both included: [0, 99]. They lie at most 2^53 apart.")]
    public IReadOnlyList<long>? Int { get; init; }

    [Description("Random lower-case letters, as many as lies between two bounds: [3, 7].")]
    public IReadOnlyList<int>? Letters { get; init; }

    [Description("One of these texts.")]
    public IReadOnlyList<string>? Choice { get; init; }

    [Description("Liquid template over the earlier variables; what reads as a whole number is one.")]
    public string? Liquid { get; init; }
}
