using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.translate", "Asks a model to translate programs to other languages, and passes those that compile, run, and print on shared inputs what the original prints, where no other language can be run.", Version = 4)]
public sealed class Translate(TranslateOptions options, IChatClient model) : SandboxedAskingStage<TranslateOptions>(options, model), IRowStage, IStage<TranslateOptions>
{
    private readonly Prompt prompt = new("translate", options.Prompt);

    public static void Declare(TranslateOptions options, StageDeclaration declaration)
    {
        Prompt.Check("translate", options.Prompt, "prompt", declaration, "language_name", "target", "target_name");
        declaration.Require("code", "prompt", StageInputs.Default, "text");
        declaration.Require(options.Inputs, "inputs");
        CheckCommon(options, declaration);
        Schema schema = declaration.Input.With(
            ("target_language", Columns.Text), ("translation", Columns.Text), ("passed", Columns.Boolean), ("verdict", Columns.Text), ("detail", Columns.Text), ("inputs_compared", Columns.Integer));
        declaration.Port("passed", schema);
        declaration.Port("failed", schema, optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language source = CodeLanguages.Of(Options.Language, row);
        string code = row.Text("code");
        if (Options.To.All(to => CodeLanguages.Of(to).Name == source.Name))
        {
            throw new RowFailedException("no_target", $"the program is in {source.Title}, and 'to' names no other language");
        }

        IReadOnlyList<CodeTest> tests = await OriginalAsync(source, code, Inputs(row), cancellationToken);
        for (int i = 0; i < Options.To.Count; i++)
        {
            Language target = CodeLanguages.Of(Options.To[i]);
            if (target.Name == source.Name)
            {
                continue;
            }

            string question = prompt.For(row, ("language_name", source.Title), ("target", target.Name), ("target_name", target.Title));
            SelectedCode selected = CodeSelection.From(await Teacher.AskAsync(question, context.SeedFor(row.Id, i), cancellationToken), CodeLanguages.Tags(target), bare: false);
            Grade? grade = selected.Code is null ? null : await Runner.GradeAsync(target, selected.Code, tests, cancellationToken, alone: true);
            bool passed = grade?.Verdict == Verdict.Passed;
            output.EmitChild(
                passed ? "passed" : "failed",
                ("target_language", target.Name), ("translation", selected.Code), ("passed", passed), ("verdict", grade is null ? "no_code" : SnakeCase.From(grade.Verdict.ToString())),
                ("detail", grade?.Detail ?? selected.Problem), ("inputs_compared", (long)tests.Count));
        }
    }

    private protected override IEnumerable<CodeLanguage> Needed => Options.To;

    private IReadOnlyList<string> Inputs(Row row) => row[Options.Inputs] switch
    {
        IReadOnlyList<object?> list when list.All(item => item is string) => list.Cast<string>().ToArray(),
        string text when AnswerJson.List(text).List is { } list && list.All(item => item?.GetValueKind() == System.Text.Json.JsonValueKind.String) => list.Select(item => (string)item!).ToArray(),
        _ => throw new RowFailedException("bad_inputs", $"column '{Options.Inputs}' must be a list of texts, one input each"),
    };

    // An input on which the original itself fails, prints nothing, or not twice the same, compares nothing.
    private async Task<IReadOnlyList<CodeTest>> OriginalAsync(Language source, string code, IReadOnlyList<string> given, CancellationToken cancellationToken)
    {
        string[] inputs = given.Distinct(StringComparer.Ordinal).ToArray();
        if (inputs.Length < Options.LeastInputs)
        {
            throw new RowFailedException("bad_inputs", $"column '{Options.Inputs}' has {inputs.Length} different inputs, {Options.LeastInputs} are needed");
        }

        var tests = new List<CodeTest>();
        string problem = "";
        IReadOnlyList<ProgramRun> runs = await Runner.RunAsync(source, code, [.. inputs, .. inputs], cancellationToken);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (Problem(runs[i], runs[inputs.Length + i]) is string found)
            {
                problem = found;
            }
            else
            {
                tests.Add(new CodeTest(null, inputs[i], runs[i].Output));
            }
        }

        return tests.Count < Options.LeastInputs ? throw new RowFailedException("original_fails", $"the original can be compared on {tests.Count} of {inputs.Length} inputs, {Options.LeastInputs} are needed: {problem}")
            : Options.LeastInputs > 1 && tests.All(test => test.Expected == tests[0].Expected) ? throw new RowFailedException("original_constant", $"the original prints the same on all {tests.Count} inputs, so a program without its logic would too")
            : tests;
    }

    private static string? Problem(ProgramRun run, ProgramRun again) =>
        run.Ending.Verdict != Verdict.Passed ? $"{SnakeCase.From(run.Ending.Verdict.ToString())}: {run.Ending.Detail}"
        : string.IsNullOrWhiteSpace(run.Output) ? "it prints nothing"
        : run.Output != again.Output ? "what it prints differs from run to run"
        : null;
}

public sealed record TranslateOptions : SandboxedAskingOptions
{
    [Description("Languages to translate to; a row for each."), MinLength(1)]
    public required IReadOnlyList<CodeLanguage> To { get; init; }

    [Description("Column with inputs for standard input: a list of texts, or the same as JSON.")]
    public string Inputs { get; init; } = "inputs";

    [Description("Fewest different inputs on which the original must run for a comparison to be worth anything; from two on it must not print the same on all."), Range(1, 1000)]
    public int LeastInputs { get; init; } = 2;

    [Description("Liquid template of the question over the row's columns and language_name, target, target_name, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
