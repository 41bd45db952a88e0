using Dataflow.Abstractions;
using Dataflow.Plugins.CodeExecution;
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

    [Fact]
    public async Task A_translation_passes_only_if_it_prints_what_the_original_prints()
    {
        const string Original = "n = int(input())\nprint(sum(range(n + 1)))\n";
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer(
            request.Prompt.Contains("to JavaScript", StringComparison.Ordinal) ? Block("const n = parseInt(require('fs').readFileSync(0, 'utf8'));\nconsole.log(n * (n + 1) / 2);\n", "javascript")
            // It compiles and runs, and is wrong for larger inputs.
            : Block("#include <iostream>\nint main() { long n; std::cin >> n; std::cout << n * (n - 1) / 2 + 1 << \"\\n\"; }\n", "cpp")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [Dataflow.Plugins.Code.CodeLanguage.Javascript, Dataflow.Plugins.Code.CodeLanguage.Cpp] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))),
            [Original, "python", new object?[] { "1\n", "10\n", "100\n" }], ["raise SystemExit(1)", "python", new object?[] { "1\n", "2\n" }]);
        var results = await Stages.ProcessAsync(stage, rows);
        Assert.Equal(
            [("passed", "javascript", "passed"), ("failed", "cpp", "failed")],
            results[0].Rows.Select(row => (row.Port, (string)row.Values["target_language"]!, (string)row.Values["verdict"]!)));
        Assert.Equal("original_fails", results[1].Failure?.Code);
    }

    [Theory]
    [InlineData(Dataflow.Plugins.Code.CodeLanguage.Bash, "python3 -c '\nn = int(input())\nprint(sum(range(n + 1)))\n'\n")]
    [InlineData(Dataflow.Plugins.Code.CodeLanguage.Php, "<?php\npassthru('python3 -c \"print(sum(range(int(input()) + 1)))\"');\n")]
    [InlineData(Dataflow.Plugins.Code.CodeLanguage.C, "#include <unistd.h>\nint main(void) {\n  execl(\"/usr/bin/python3\", \"python3\", \"-c\", \"print(sum(range(int(input()) + 1)))\", (char *)0);\n  return 1;\n}\n")]
    [InlineData(Dataflow.Plugins.Code.CodeLanguage.Javascript, "console.log(require('child_process').execFileSync('python3', ['-c', 'print(sum(range(int(input()) + 1)))'], { stdio: ['inherit', 'pipe', 'inherit'] }).toString());\n")]
    public async Task A_translation_that_has_the_original_run_in_its_own_language_does_not_pass(Dataflow.Plugins.Code.CodeLanguage target, string translation)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block(translation, target.ToString().ToLowerInvariant())));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [target] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))), ["n = int(input())\nprint(sum(range(n + 1)))\n", "python", new object?[] { "1\n", "10\n" }]);
        EmittedRow row = Assert.Single((await Stages.ProcessAsync(stage, rows))[0].Rows);
        Assert.Equal("failed", row.Port);
    }

    [Fact]
    public async Task A_translation_of_a_script_cannot_hand_it_to_a_shell()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block("<?php\npassthru('read n; echo $((n * (n + 1) / 2))');\n", "php")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [Dataflow.Plugins.Code.CodeLanguage.Php] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))), ["read n\necho $((n * (n + 1) / 2))\n", "bash", new object?[] { "1\n", "10\n" }]);
        Assert.Equal("failed", Assert.Single((await Stages.ProcessAsync(stage, rows))[0].Rows).Port);
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
