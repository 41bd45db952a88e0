using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.problems", "Asks a model for a programming problem that a snippet of code inspires, on a topic and for a language drawn for each row.")]
public sealed class Problems(ProblemsOptions options, IChatClient model) : IRowStage, IStage<ProblemsOptions>
{
    private readonly Teacher teacher = new(model, options);
    private readonly Prompt prompt = new("problem", options.Prompt);

    public static void Declare(ProblemsOptions options, StageDeclaration declaration)
    {
        Prompt.Check("problem", options.Prompt, "prompt", declaration, "language", "language_name", "topic", "difficulty");
        declaration.Out(declaration.Input.With(("problem", Columns.Text), ("language", Columns.Text), ("topic", Columns.Text), ("difficulty", Columns.Text)));
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        var random = new SeededRandom(context.SeedFor(row.Id));
        Language language = CodeLanguages.Of(options.Languages[random.Next(options.Languages.Count)]);
        string topic = options.Topics[random.Next(options.Topics.Count)];
        string difficulty = options.Difficulties[random.Next(options.Difficulties.Count)];
        string question = prompt.For(row, ("language", language.Name), ("language_name", language.Title), ("topic", topic), ("difficulty", difficulty));
        string answer = (await teacher.AskAsync(question, context.SeedFor(row.Id, 1), cancellationToken)).Trim();
        output.Emit("out", ("problem", answer.Length > 0 ? answer : throw new RowFailedException("empty_answer", "the model's answer is empty")), ("language", language.Name), ("topic", topic), ("difficulty", difficulty));
    }
}

public sealed record ProblemsOptions : AskingOptions
{
    [Description("Languages to draw from."), MinLength(1)]
    public IReadOnlyList<CodeLanguage> Languages { get; init; } = [CodeLanguage.Python];

    [Description("Topics to draw from."), MinLength(1)]
    public IReadOnlyList<string> Topics { get; init; } =
    [
        "strings and text processing", "arrays and lists", "hash tables and sets", "sorting and searching", "recursion", "dynamic programming", "graphs", "trees", "stacks and queues", "heaps",
        "number theory", "combinatorics", "geometry", "bit manipulation", "matrices", "intervals and scheduling", "parsing and formats", "dates and times", "simulation", "games and puzzles",
        "data validation", "statistics", "object-oriented design", "iterators and generators", "text encoding", "caching", "state machines", "file-like data", "functional programming", "error handling",
    ];

    [Description("Difficulties to draw from."), MinLength(1)]
    public IReadOnlyList<string> Difficulties { get; init; } = ["easy", "medium", "hard"];

    [Description("Liquid template of the question over the row's columns and language, language_name, topic, difficulty, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
