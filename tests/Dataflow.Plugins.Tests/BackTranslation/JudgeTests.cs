extern alias BackTranslation;

using BackTranslation::Dataflow.Plugins.BackTranslation;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Tests.BackTranslation;

/// <summary>The judge is a script over real HTTP, the sandbox is the real one.</summary>
public sealed class JudgeTests
{
    private const string Original = "def triple(n):\n    return 3 * n\n";
    private const string Tests = """[{"call": "triple(2)", "expected": 6}, {"call": "triple(-1)", "expected": -3}]""";

    private static async Task<(EmittedRow Row, int Asked)> JudgeAsync(string regenerated, string? tests, string answer = "It keeps every promise.\nScore: 5", string original = Original)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answer));
        await using var stage = new Judge(new() { Model = "m", Tests = "tests", Slots = 1 }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("language", Columns.Text), ("code", Columns.Text), ("regenerated", Columns.Text), ("tests", Columns.Text)), ["python", original, regenerated, tests]);
        var result = (await Stages.ProcessAsync(stage, rows))[0];
        Assert.Null(result.Failure);
        return (Assert.Single(result.Rows), endpoint.Requests.Count);
    }

    [Fact]
    public async Task Code_that_does_the_same_and_is_judged_faithful_is_kept()
    {
        (EmittedRow row, int asked) = await JudgeAsync("def triple(n):\n    return n + n + n\n", Tests);
        Assert.Equal(("kept", (object?)true, (object?)5L, (object?)"passed", 1), (row.Port, row.Values["equivalent"], row.Values["fidelity"], row.Values["verdict"], asked));
    }

    [Theory]
    [InlineData("def triple(n):\n    return abs(3 * n)\n", "failed")]
    [InlineData("def triple(n):\n    return 3 * m\n", "runtime_error")]
    [InlineData("def triple(n)\n    return 3 * n\n", "compile_error")]
    public async Task Code_that_does_otherwise_is_rejected_and_nobody_is_asked(string regenerated, string verdict)
    {
        (EmittedRow row, int asked) = await JudgeAsync(regenerated, Tests);
        Assert.Equal(("rejected", (object?)false, (object?)null, (object?)verdict, 0), (row.Port, row.Values["equivalent"], row.Values["fidelity"], row.Values["verdict"], asked));
        Assert.Equal($"it does not do what the original does: {verdict}", row.Values[StageDeclaration.RejectedReason]);
    }

    [Theory]
    [InlineData(null, Original, "no_tests")]
    [InlineData(Tests, "def triple(n):\n    return 4 * n\n", "original_failed")]
    public async Task Without_tests_that_the_original_passes_the_model_alone_decides(string? tests, string original, string verdict)
    {
        (EmittedRow row, int asked) = await JudgeAsync("def triple(n):\n    return 0\n", tests, "Score: 4", original);
        Assert.Equal(("rejected", (object?)null, (object?)4L, (object?)verdict, 1), (row.Port, row.Values["equivalent"], row.Values["fidelity"], row.Values["verdict"], asked));
        Assert.Equal("fidelity 4 is below 5", row.Values[StageDeclaration.RejectedReason]);
    }

    [Fact]
    public async Task The_last_score_counts() =>
        Assert.Equal(2L, (await JudgeAsync(Original, Tests, "Names: **Score: 5**\nBehaviour differs.\n**Score:** 2")).Row.Values["fidelity"]);

    [Theory]
    [InlineData("Score: 3/5")]
    [InlineData("Score: 3.")]
    [InlineData("score = Score: `3`")]
    public async Task A_score_is_read_as_people_write_it(string answer) => Assert.Equal(3L, (await JudgeAsync(Original, Tests, answer)).Row.Values["fidelity"]);

    [Theory]
    [InlineData("I like it.")]
    [InlineData("Score: 7")]
    [InlineData("Score: 4.5")]
    [InlineData("Score: -5")]
    [InlineData("Score: 5/10")]
    [InlineData("The form is 'Score: 5'.\nScore: 0")]
    public async Task An_answer_without_a_score_fails_the_row(string answer)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answer));
        await using var stage = new Judge(new() { Model = "m" }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("language", Columns.Text), ("code", Columns.Text), ("regenerated", Columns.Text)), ["python", Original, Original]);
        Assert.Equal("bad_verdict", (await Stages.ProcessAsync(stage, rows))[0].Failure?.Code);
    }
}
