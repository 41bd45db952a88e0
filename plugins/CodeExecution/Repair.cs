using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.repair", "Shows a model its failing program with what came of it and asks for another, until one passes or the attempts are used up; it may correct the tests instead, but not weaken them. What passes counts only with tests that mutants of the program fail; if they pass too, the verdict is vacuous_tests.", Version = 4)]
public sealed class Repair(RepairOptions options, IChatClient model) : SandboxedAskingStage<RepairOptions>(options, model), IRowStage, IStage<RepairOptions>
{
    private readonly Prompt prompt = new("repair", options.Prompt);

    public static void Declare(RepairOptions options, StageDeclaration declaration)
    {
        foreach (string column in new[] { "problem", "response", "code", "tests", "verdict", "detail" })
        {
            declaration.Require(column, "prompt", StageInputs.Default, column == "tests" ? [] : ["text"]);
        }

        Prompt.Check("repair", options.Prompt, "prompt", declaration, "tests", "verdict", "detail", "code", "language_name", "may_repair_tests", "static_report");
        CheckCommon(options, declaration);
        Schema schema = declaration.Input.With(
            ("response", Columns.Text), ("code", Columns.Text), ("tests", Columns.Text), ("passed", Columns.Boolean), ("verdict", Columns.Text), ("detail", Columns.Text),
            ("attempts", Columns.Integer), ("self_corrected", Columns.Boolean), ("tests_repaired", Columns.Boolean), ("turns", Columns.Messages));
        declaration.Port("passed", schema);
        declaration.Port("failed", schema, optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        JsonArray original = TestsJson(row);
        string tests = original.ToJsonString();
        var state = new State(row.Text("response"), row.Text("code"), tests, new Grade(Verdict.Failed, row.Text("detail")), row.Text("verdict"));
        List<ChatMessage> dialog = [new(ChatRole.User, row.Text("problem")), new(ChatRole.Assistant, state.Response)];
        Language language = CodeLanguages.Of(Options.Language, row);
        int attempts = 1;
        while (attempts <= Options.Attempts && state.Verdict != "passed")
        {
            dialog.Add(new ChatMessage(ChatRole.User, prompt.For(
                row, ("tests", ShownTests(state.Tests)), ("verdict", state.Verdict), ("detail", state.Grade.Detail), ("code", state.Code), ("language_name", language.Title), ("may_repair_tests", Options.MayRepairTests),
                // What was said of the first program is not about the next.
                ("static_report", attempts == 1 && row.Has("static_report") ? row["static_report"] : null))));
            string answer = await Teacher.AskAsync(dialog, context.SeedFor(row.Id, attempts), cancellationToken);
            dialog.Add(new ChatMessage(ChatRole.Assistant, answer));
            attempts++;
            state = await JudgeAsync(language, state, original, answer, context.SeedFor(row.Id, 1000 + attempts), cancellationToken);
        }

        bool passed = state.Verdict == "passed";
        output.Emit(
            passed ? "passed" : "failed",
            ("response", state.Response), ("code", state.Code), ("tests", state.Tests), ("passed", passed), ("verdict", state.Verdict), ("detail", state.Grade.Detail), ("attempts", (long)attempts),
            ("self_corrected", passed && attempts > 1), ("tests_repaired", passed && state.Tests != tests), ("turns", Turns(dialog)));
    }

    // An answer is another program, other tests, or both; what it leaves out stays as it was.
    private async Task<State> JudgeAsync(Language language, State state, JsonArray original, string answer, ulong seed, CancellationToken cancellationToken)
    {
        SelectedCode selected = CodeSelection.From(answer, CodeLanguages.Tags(language), Options.Bare);
        JsonArray? offered = Options.MayRepairTests ? AnswerJson.Fenced(answer) : null;
        if (selected.Code is null && offered is null)
        {
            return state with { Response = answer, Grade = new Grade(Verdict.Failed, selected.Problem!), Verdict = "no_code" };
        }

        state = state with { Response = answer, Code = selected.Code ?? state.Code };
        if (offered is not null)
        {
            VettedTests vetted = await new TestVetting(Runner).VetAsync(language, state.Code, ModelTests.ToRow(offered), cancellationToken);
            if (TestStrength.FormProblem(original, vetted) is string wrong)
            {
                return state with { Grade = new Grade(Verdict.Failed, $"the corrected tests cannot be used: {wrong}"), Verdict = "weaker_tests" };
            }

            state = state with { Tests = vetted.Kept.ToJsonString() };
        }

        IReadOnlyList<CodeTest> tests = TestRows.Read(state.Tests, "tests", language);
        Grade grade = await Runner.GradeAsync(language, state.Code, tests, cancellationToken);
        state = state with { Grade = grade, Verdict = SnakeCase.From(grade.Verdict.ToString()) };
        return grade.Verdict == Verdict.Passed ? await ProvenAsync(language, state, original, tests, seed, cancellationToken) : state;
    }

    // Only now is there a program by whose mutants the tests can be measured, the first ones too.
    private async Task<State> ProvenAsync(Language language, State state, JsonArray original, IReadOnlyList<CodeTest> tests, ulong seed, CancellationToken cancellationToken)
    {
        string first = original.ToJsonString();
        bool corrected = state.Tests != first;
        string? problem = await new TestsWorth(Runner).ProblemAsync(language, state.Code, tests, seed, cancellationToken)
            ?? (corrected ? await new TestStrength(Runner).WeakerAsync(language, state.Code, original, tests, seed, cancellationToken) : null);
        return problem is null ? state
            : corrected ? state with { Tests = first, Grade = new Grade(Verdict.Failed, $"the corrected tests cannot be used: {problem}"), Verdict = "weaker_tests" }
            : state with { Grade = new Grade(Verdict.Failed, $"the program passes, but the tests prove nothing: {problem}"), Verdict = "vacuous_tests" };
    }

    // Tests may be a list of structs or assertions in lines; from here on they are JSON.
    private static JsonArray TestsJson(Row row)
    {
        string json = row["tests"] switch
        {
            string text when text.TrimStart().StartsWith('[') => text,
            string lines => new JsonArray([.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => (JsonNode?)line)]).ToJsonString(),
            null => throw new RowFailedException("missing_value", "column 'tests' is null"),
            var list => RowJson.WriteValue(list),
        };
        try
        {
            return JsonNode.Parse(json)!.AsArray();
        }
        catch (JsonException failure)
        {
            throw new RowFailedException("bad_tests", $"column 'tests' is not JSON: {failure.Message}", failure);
        }
    }

    // The model answers in the form that it is shown, and that must be the one by which its answer is read.
    private static string ShownTests(string tests) => ModelTests.ToModel(JsonNode.Parse(tests)!.AsArray()).ToJsonString();

    private static object?[] Turns(List<ChatMessage> dialog) =>
        dialog.Select(message => (object?)new Dictionary<string, object?> { ["role"] = message.Role.Value, ["content"] = message.Text }).ToArray();

    private sealed record State(string Response, string Code, string Tests, Grade Grade, string Verdict);
}

public sealed record RepairOptions : SandboxedAskingOptions
{
    [Description("Most further answers."), Range(1, 100), CallsPerRow]
    public int Attempts { get; init; } = 3;

    [Description("Whether an answer without any fence is a program as a whole.")]
    public bool Bare { get; init; }

    [Description("Whether the model may correct the tests in place of the program. They must be as many as before at least, each ask something else, ask again what the program answers otherwise than a test before expects, each be failed by some wrong program, and fail every mutant of the program that fails those of the tests before which the program passes. Short of it the verdict is weaker_tests.")]
    public bool MayRepairTests { get; init; } = true;

    [Description("Liquid template of the feedback over the row's columns and tests, verdict, detail, code, language_name, may_repair_tests, static_report, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
