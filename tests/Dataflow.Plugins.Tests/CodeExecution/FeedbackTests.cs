using Dataflow.Abstractions;
using Dataflow.Plugins.CodeExecution;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Tests.CodeExecution;

/// <summary>Stages that ask a model and run what it answers: the model is a script over real HTTP, the sandbox is the real one.</summary>
public sealed class FeedbackTests
{
    private const string Doubling = "def double(n):\n    return 2 * n\n";
    private const string Wrong = "def double(n):\n    return n + 2\n";

    private static string Block(string code, string tag = "python") => $"Here:\n```{tag}\n{code}```\n";

    private static MemoryRows Failing(string tests = """[{"call": "double(3)", "expected": 6}, {"call": "double(0)", "expected": 0}]""", string code = Wrong) => MemoryRows.Of(
        Columns.Schema(("problem", Columns.Text), ("language", Columns.Text), ("response", Columns.Text), ("code", Columns.Text), ("tests", Columns.Text), ("verdict", Columns.Text), ("detail", Columns.Text)),
        ["Write double(n).", "python", Block(code), code, tests, "failed", "test 1: double(3) gave 5"]);

    private static async Task<(EmittedRow Row, ChatEndpoint Endpoint)> RepairAsync(RepairOptions options, MemoryRows rows, params string[] answers)
    {
        int asked = 0;
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answers[Math.Min(Interlocked.Increment(ref asked), answers.Length) - 1]));
        await using var stage = new Repair(options, await endpoint.OpenAsync());
        var results = await Stages.ProcessAsync(stage, rows);
        Assert.Null(results[0].Failure);
        return (Assert.Single(results[0].Rows), endpoint);
    }

    private static RepairOptions Options => new() { Model = "m", Attempts = 3, Timeout = TimeSpan.FromSeconds(5) };

    [Fact]
    public async Task A_program_that_passes_after_feedback_is_self_corrected_and_its_turns_tell_how()
    {
        (EmittedRow row, ChatEndpoint endpoint) = await RepairAsync(Options, Failing(), Block("def double(n):\n    return n * n\n"), Block(Doubling));
        Assert.Equal(("passed", Doubling, 3L, true, false), (row.Port, row.Values["code"], row.Values["attempts"], row.Values["self_corrected"], row.Values["tests_repaired"]));
        var turns = ((IReadOnlyList<object?>)row.Values["turns"]!).Cast<IReadOnlyDictionary<string, object?>>().ToArray();
        Assert.Equal(["user", "assistant", "user", "assistant", "user", "assistant"], turns.Select(turn => turn["role"]));
        Assert.Contains("double(3) gave 5", (string)turns[2]["content"]!, StringComparison.Ordinal);
        Assert.Contains("double(3) gave 9", (string)turns[4]["content"]!, StringComparison.Ordinal);
        Assert.Equal(2, endpoint.Requests.Count);
    }

    [Fact]
    public async Task A_program_that_never_passes_is_failed_after_its_attempts()
    {
        (EmittedRow row, ChatEndpoint endpoint) = await RepairAsync(Options, Failing(), "I give up.", Block(Wrong), Block("def double(n)\n    return n\n"));
        Assert.Equal(("failed", 4L, false, "compile_error"), (row.Port, row.Values["attempts"], row.Values["self_corrected"], row.Values["verdict"]));
        Assert.Equal(3, endpoint.Requests.Count);
    }

    [Fact]
    public async Task Wrong_tests_may_be_corrected()
    {
        const string WrongTests = """[{"call": "double(3)", "expected": 7}, {"call": "double(0)", "expected": 0}]""";
        (EmittedRow row, _) = await RepairAsync(
            Options, Failing(WrongTests, Doubling), "The first test is wrong.\n```json\n[{\"call\": \"double(3)\", \"expected\": 6}, {\"call\": \"double(0)\", \"expected\": 0}]\n```");
        Assert.Equal(("passed", true, Doubling), (row.Port, row.Values["tests_repaired"], row.Values["code"]));
    }

    [Theory]
    [InlineData("""[{"call": "double(0)", "expected": 0}]""", "weaker_tests")]
    [InlineData("""[{"call": "double(3) == double(3)", "expected": true}, {"call": "1", "expected": 1}]""", "weaker_tests")]
    [InlineData("""[{"call": "double(", "expected": 6}, {"call": "1", "expected": 1}]""", "weaker_tests")]
    public async Task Tests_may_not_be_weakened(string offered, string verdict)
    {
        (EmittedRow row, _) = await RepairAsync(Options with { Attempts = 1 }, Failing(), $"```json\n{offered}\n```\n{Block(Doubling)}");
        Assert.Equal(("failed", verdict), (row.Port, row.Values["verdict"]));
    }

    [Fact]
    public async Task Where_tests_may_not_be_corrected_the_offer_is_ignored()
    {
        (EmittedRow row, _) = await RepairAsync(Options with { Attempts = 1, MayRepairTests = false }, Failing(), $"```json\n[]\n```\n{Block(Doubling)}");
        Assert.Equal(("passed", false), (row.Port, row.Values["tests_repaired"]));
    }

    [Theory]
    [InlineData("""[{"call": "double(3)", "expected": 6}, {"call": "double(-1)", "expected": -2}]""", null)]
    [InlineData("""[{"call": "double(3)", "expected": 7}]""", null)]
    [InlineData("[]", "no_tests: the list is empty")]
    [InlineData("no list at all", "no_tests: the answer holds no JSON list")]
    [InlineData("""[{"call": "double(3)", "expected": 6}, }""", "no_tests: the list in the answer is no JSON: ")]
    [InlineData("""[{"call": "double(3)", "expected": 6}, {"call": "double(-1)", "expected": -2},]""", null)]
    [InlineData("""[{"call": "double(3)", "call": "double(4)", "expected": 6}]""", "no_tests: the list in the answer is no JSON: ")]
    [InlineData("""[{"call": "double(3)", "expected": "\ud800"}]""", "no_tests: the list in the answer is no JSON: ")]
    [InlineData("""[{"call": "double(3)", "expected": NaN}]""", "no_tests: the list in the answer is no JSON: ")]
    [InlineData("[]\n```\nNo, rather:\n```json\n[{\"call\": \"double(3)\", \"expected\": 6}, {\"call\": \"double(-1)\", \"expected\": -2}]", null)]
    [InlineData("""["double", null, 3, {}]""", "bad_tests: it asserts nothing: double")]
    [InlineData("""[{"call": "double(3)"}]""", "bad_tests: column 'tests': a test needs 'expected'")]
    [InlineData("""[{"call": "double(3) == double(3)", "expected": true}, {"call": "double(3) is None", "expected": false}]""", "vacuous: ")]
    [InlineData("""[{"call": "True", "expected": true}]""", "vacuous: ")]
    public async Task Tests_that_test_nothing_are_rejected(string answer, string? reason)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer($"```json\n{answer}\n```"));
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m" }, await endpoint.OpenAsync());
        var results = await Stages.ProcessAsync(stage, Failing(code: Doubling));
        EmittedRow row = Assert.Single(results[0].Rows);
        Assert.Equal(reason is null ? "out" : "rejected", row.Port);
        Assert.StartsWith(reason ?? "", row.Values.GetValueOrDefault("reason") as string ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_flood_of_tests_the_first_hundred_are_used()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer($"[{string.Join(',', Enumerable.Range(0, 20_000).Select(i => $$"""{"call": "double({{i}})", "expected": {{2 * i}}}"""))}]"));
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m" }, await endpoint.OpenAsync());
        EmittedRow row = Assert.Single((await Stages.ProcessAsync(stage, Failing(code: Doubling)))[0].Rows);
        Assert.Equal(("out", 100), (row.Port, JsonNode.Parse((string)row.Values["tests"]!)!.AsArray().Count));
        Assert.Equal(["test 101: no more than 100 tests are used, and there are 20000"], (IReadOnlyList<object?>)row.Values["dropped_tests"]!);
    }

    [Fact]
    public async Task An_answer_that_a_filter_withheld_is_a_refusal()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer("", finish: "content_filter"));
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m" }, await endpoint.OpenAsync());
        Assert.Equal("model_refused", (await Stages.ProcessAsync(stage, Failing(code: Doubling)))[0].Failure?.Code);
    }

    [Fact]
    public async Task A_dialog_trains_on_the_passing_answer_alone()
    {
        (EmittedRow repaired, _) = await RepairAsync(Options, Failing(), Block(Doubling));
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("problem", Columns.Text), ("response", Columns.Text), ("passed", Columns.Boolean), ("turns", Columns.Messages)),
            ["p", "r", true, repaired.Values["turns"]], ["p", "r", true, null], ["p", "r", false, null]);
        var results = await Stages.ProcessAsync(new Dialog(new DialogOptions { System = "s" }), rows);
        var flags = results.Take(2).Select(result => ((IReadOnlyList<object?>)result.Rows.Single().Values["messages"]!).Cast<IReadOnlyDictionary<string, object?>>().Select(message => $"{message["role"]}:{message["train"]}"));
        Assert.Equal([["system:False", "user:False", "assistant:False", "user:False", "assistant:True"], ["system:False", "user:False", "assistant:True"]], flags);
        Assert.Equal("rejected", results[2].Rows.Single().Port);
    }

    [Theory]
    [InlineData("Verdict: -1")]
    [InlineData("Verdict: 0.5")]
    [InlineData("Verdict: yes")]
    public async Task A_mark_that_is_neither_0_nor_1_fails_the_row(string answer)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answer));
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("problem", Columns.Text), ("code", Columns.Text), ("language", Columns.Text), ("difficulty", Columns.Text)), ["p", "fine()", "python", "easy"]);
        Assert.Equal("bad_verdict", (await Stages.ProcessAsync(new Quality(new QualityOptions { Model = "m" }, await endpoint.OpenAsync()), rows))[0].Failure?.Code);
    }

    [Fact]
    public async Task Revisions_without_a_program_are_told_in_the_reason()
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer(request.Prompt.Contains("Reviewers said", StringComparison.Ordinal) ? "It is fine as it is." : "Verdict: 0"));
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("problem", Columns.Text), ("code", Columns.Text), ("language", Columns.Text), ("difficulty", Columns.Text)), ["p", "ugly()", "python", "hard"]);
        EmittedRow row = Assert.Single((await Stages.ProcessAsync(new Quality(new QualityOptions { Model = "m", Rounds = 2 }, await endpoint.OpenAsync()), rows))[0].Rows);
        Assert.Equal("judged incorrect; 2 of 2 revisions held no program", row.Values[StageDeclaration.RejectedReason]);
    }

    [Fact]
    public async Task Two_marks_keep_a_program_and_the_hardest_are_revised_instead_of_dropped()
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer(
            request.Prompt.Contains("Reviewers said", StringComparison.Ordinal) ? Block("better()\n")
            : request.Prompt.Contains("Is it correct?", StringComparison.Ordinal) ? "Hm, 'Verdict: 0' would be unfair.\nVerdict: 1"
            : request.Prompt.Contains("ugly()", StringComparison.Ordinal) ? "No.\n**Verdict: 0**" : "Yes.\nVerdict: 1"));
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("problem", Columns.Text), ("code", Columns.Text), ("language", Columns.Text), ("difficulty", Columns.Text)),
            ["p", "fine()", "python", "easy"], ["p", "ugly()", "python", "easy"], ["p", "ugly()", "python", " HARD"]);
        var results = await Stages.ProcessAsync(new Quality(new QualityOptions { Model = "m" }, await endpoint.OpenAsync()), rows);
        Assert.Equal(
            [("kept", "fine()", 0L), ("rejected", "ugly()", 0L), ("revised", "better()\n", 1L)],
            results.Select(result => (result.Rows.Single().Port, (string)result.Rows.Single().Values["code"]!, (long)result.Rows.Single().Values["revisions"]!)));
    }
}
