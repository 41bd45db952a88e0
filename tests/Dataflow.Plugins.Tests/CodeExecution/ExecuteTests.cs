using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class ExecuteTests
{
    private const string Square = "def f(x):\n    return x * x";

    public static TheoryData<object> EveryKindOfTest => new(new object[]
    {
        new object?[] { Test(("call", "f(2)"), ("expected", "4")), Test(("call", "f(-3)"), ("expected", 9L)) },
        new object?[] { "assert f(2) == 4", "f(3) > 8" },
        "[{\"call\": \"f(2)\", \"expected\": 4}, \"f(3) == 9\"]",
        "f(2) == 4\n\nassert f(3) == 9\n",
    });

    [Theory]
    [MemberData(nameof(EveryKindOfTest))]
    public async Task Tests_of_every_kind_pass_the_right_program_and_fail_the_wrong_one(object tests)
    {
        IArrowType type = tests is string ? Columns.Text : ((object?[])tests)[0] is string ? Columns.ListOf(Columns.Text) : Columns.ListOf(Columns.Struct(("call", Columns.Text), ("expected", Columns.Text)));
        Assert.Equal(["passed", "failed"], await VerdictsAsync(new(), type, (Square, tests), ("def f(x):\n    return x + x + 1", tests)));
    }

    [Theory]
    [InlineData("""[{"call": "f(1)", "expected": true}]""", "def f(x): return True")]
    [InlineData("""[{"call": "f(1)", "expected": [1, null, "a\"b\\\n", {"k": 1.5}]}]""", "def f(x): return [1, None, 'a\"b\\\\\\n', {'k': 1.5}]")]
    [InlineData("""[{"call": "f(1)", "expected": "'text'"}]""", "def f(x): return 'text'")]
    [InlineData("""[{"call": "f(1)", "expected": "None"}]""", "def f(x): pass")]
    [InlineData("""[{"stdin": "41\n", "expected": "42"}]""", "print(int(input()) + 1)")]
    [InlineData("""[{"stdin": "", "expected": 42}]""", "print(42)")]
    [InlineData("""[{"expected": "hello"}]""", "print('hello')")]
    public async Task Expectations_in_JSON_mean_what_Python_gives(string tests, string program) =>
        Assert.Equal(["passed"], await VerdictsAsync(new(), Columns.Text, (program, tests)));

    [Theory]
    [InlineData("""[{"call": "f()", "expected_json": 15511210043330985984000000}]""", "def f(): return 15511210043330985984000000", "passed")]
    [InlineData("""[{"call": "f()", "expected": {"a": [15511210043330985984000000, 1.5], "b": null}}]""", "def f(): return {'a': [15511210043330985984000000, 1.5], 'b': None}", "passed")]
    [InlineData("""[{"call": "f()", "expected": [100000000000000000001]}]""", "def f(): return [1e20]", "failed")]
    [InlineData("""[{"stdin": "", "expected": 15511210043330985984000000}]""", "print(15511210043330985984000000)", "passed")]
    [InlineData("""[{"stdin": "", "expected": [15511210043330985984000000, "é"]}]""", "print('[15511210043330985984000000,\"é\"]')", "passed")]
    public async Task A_whole_number_in_JSON_is_expected_with_all_its_digits(string tests, string program, string verdict) =>
        Assert.Equal([verdict], await VerdictsAsync(new(), Columns.Text, (program, tests)));

    [Fact]
    public async Task Each_verdict_goes_to_its_port_and_every_row_to_out()
    {
        await using var stage = new Execute(new() { Timeout = TimeSpan.FromSeconds(2), Slots = 2 });
        (string, string)[] jobs =
        [
            (Square, "f(2) == 4"), ("def f(x): return 0", "f(2) == 4"), ("def f(x: return", "f(2) == 4"), ("raise ValueError('no')", "f(2) == 4"),
            ("def f(x):\n    while True: pass", "f(2) == 4"), ("print('x' * 100_000_000)", "f(2) == 4"), (Square, "[]"), ("import sys; print('OK'); sys.exit(0)", "f(2) == 4"),
        ];
        var results = await Stages.ProcessAsync(stage, Jobs(Columns.Text, jobs.Select(job => (job.Item1, (object?)job.Item2)).ToArray()));
        Assert.Equal(
            ["passed", "failed", "compile_error", "runtime_error", "timeout", "output_limit", "no_tests", "runtime_error"],
            results.Select(result => (string)result.Rows[0].Values["verdict"]!));
        Assert.All(results, result =>
        {
            bool passed = (string)result.Rows[0].Values["verdict"]! == "passed";
            Assert.Equal(["out", passed ? "passed" : "failed"], result.Rows.Select(row => row.Port));
            Assert.All(result.Rows, row => Assert.Equal((passed, (long?)null), (row.Values["passed"], row.Child)));
        });
        Assert.Equal("test 1: f(2) gave 0", results[1].Rows[0].Values["detail"]);
        Assert.Contains("ValueError: no", (string)results[3].Rows[0].Values["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[{\"call\": \"f(2)\"", "bad_tests")]
    [InlineData("[{\"call\": \"f(2)\"}]", "bad_tests")]
    [InlineData("[{\"call\": 2, \"expected\": 4}]", "bad_tests")]
    [InlineData("[7]", "bad_tests")]
    [InlineData("[{\"call\": \"f(2)\", \"expected\": \"four\"}]", "bad_tests")]
    [InlineData("[{\"call\": \"f(2\", \"expected\": 4}]", "bad_tests")]
    [InlineData("[{\"call\": \"return 4\", \"expected\": 4}]", "bad_tests")]
    [InlineData("f(2) == (4", "bad_tests")]
    [InlineData(null, "bad_tests")]
    public async Task A_broken_test_is_a_row_error_and_no_verdict_on_the_program(string? tests, string code)
    {
        await using var stage = new Execute(new() { Slots = 1 });
        Assert.Equal(code, (await Stages.ProcessAsync(stage, Jobs(Columns.Text, (Square, tests))))[0].Failure?.Code);
    }

    [Theory]
    [InlineData(CodeLanguage.Cpp, "#include <vector>\nstd::vector<int> f(int x) { return {x, x}; }", """[{"call": "f(2)", "expected": [2, 2]}, {"call": "f(3)[0] * 1.5", "expected": "4.5"}]""")]
    [InlineData(CodeLanguage.Javascript, "```js\nconst f = async (x) => ({ x, y: [null, 'a'] });\n```", """[{"call": "f(2)", "expected": {"y": [null, "a"], "x": 2}}, {"call": "f(3)", "expected": "{x: 3, y: [undefined, `a`]}"}]""")]
    [InlineData(CodeLanguage.Sql, "SELECT name FROM t ORDER BY name;", """[{"stdin": "CREATE TABLE t(name); INSERT INTO t VALUES ('b'), ('a');", "expected": "a\nb"}]""")]
    public async Task Every_language_has_its_own_calls_and_expectations(CodeLanguage language, string program, string tests) =>
        Assert.Equal(["passed"], await VerdictsAsync(new() { Language = language, Program = "{{ response | code_block }}" }, Columns.Text, (program, tests)));

    [Fact]
    public async Task A_column_can_name_the_language_of_each_row()
    {
        await using var stage = new Execute(new() { LanguageColumn = "lang", Slots = 1 });
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("response", Columns.Text), ("tests", Columns.Text), ("lang", Columns.Text)),
            ["echo $((1 + 1))", """[{"expected": "2"}]""", "sh"], ["print(1 + 1)", """[{"expected": "2"}]""", "Python"], ["print(1 + 1)", """[{"expected": "2"}]""", "klingon"], ["print(1 + 1)", """[{"expected": "2"}]""", null]);
        Assert.Equal(
            ["passed", "passed", "unknown_language", "missing_value"],
            (await Stages.ProcessAsync(stage, rows)).Select(result => result.Failure?.Code ?? (string)result.Rows[0].Values["verdict"]!));
        Assert.Equal(
            ["language_column: the input has no column 'z'"],
            Stages.Complaints<Execute, ExecuteOptions>(new() { LanguageColumn = "z" }, ("in", Columns.Schema(("response", Columns.Text), ("tests", Columns.Text)))));
    }

    [Fact]
    public async Task Isolated_tests_have_the_same_verdicts()
    {
        const string Tests = """[{"stdin": "1", "expected": 2}, {"stdin": "2", "expected": 3}, {"stdin": "3", "expected": 5}]""";
        foreach (bool isolate in new[] { true, false })
        {
            await using var stage = new Execute(new() { IsolateTests = isolate, Slots = 1 });
            Assert.Equal("test 3: printed 4\n", (await Stages.ProcessAsync(stage, Jobs(Columns.Text, ("print(int(input()) + 1)", Tests))))[0].Rows[0].Values["detail"]);
        }
    }

    [Fact]
    public async Task A_program_that_raises_a_syntax_error_is_still_judged() =>
        Assert.Equal(["runtime_error"], await VerdictsAsync(new(), Columns.Text, ("def f(x): return eval('1 +')", "f(2) == 4")));

    [Fact]
    public async Task An_expression_is_compared_with_what_was_expected()
    {
        var options = new ExecuteOptions { Expression = "{{ response | code_block }}", Expected = "{{ answer }}", Slots = 1 };
        await using var stage = new Execute(options);
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("response", Columns.Text), ("answer", Columns.Text)), ["40 + 2", "42"], ["```python\n'ab'[::-1]\n```", "'ba'"], ["41", "42"], ["4 2", "42"], ["open('/etc/shadow').read()", "42"]);
        Assert.Equal(["passed", "passed", "failed", "runtime_error", "runtime_error"], (await Stages.ProcessAsync(stage, rows)).Select(result => (string)result.Rows[0].Values["verdict"]!));
    }

    [Fact]
    public async Task The_program_is_a_template() =>
        Assert.Equal(["passed"], await VerdictsAsync(new() { Program = "{{ response | code_block }}\ng = f" }, Columns.Text, ($"Sure:\n```python\n{Square}\n```\n", "g(3) == 9")));

    [Fact]
    public async Task The_memory_limit_holds() =>
        Assert.Equal(["memory_limit", "passed"], await VerdictsAsync(new() { Memory = 128_000_000 }, Columns.Text, ("def f(): return len(bytearray(300_000_000))", "f() == 300000000"), ("def f(): return 1", "f() == 1")));

    [Fact]
    public async Task Equal_jobs_run_once_and_unequal_ones_apart()
    {
        // The program's value changes from run to run, so equal details show that it ran once.
        const string Random = "import os\ndef f(): return os.urandom(8).hex()";
        await using var stage = new Execute(new() { Slots = 2 });
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Stages.ProcessAsync(stage, Jobs(Columns.Text, (Random + (i == 5 ? "\n" : ""), "f() == 1")))));
        string[] details = results.Select(result => (string)result[0].Rows[0].Values["detail"]!).ToArray();
        Assert.Single(details.Take(5).Distinct());
        Assert.NotEqual(details[0], details[5]);
    }

    [Fact]
    public async Task A_run_that_was_given_up_is_not_remembered()
    {
        await using var stage = new Execute(new() { Slots = 1 });
        using RowBatch batch = Jobs(Columns.Text, ("import time\ntime.sleep(0.5)\ndef f(): return 1", "f() == 1")).Whole();
        using var stop = new CancellationTokenSource();
        Task given = stage.ProcessAsync(batch.RowAt(0), new RowOutput(), new StageTestContext(), stop.Token).AsTask();
        var output = new RowOutput();
        Task waiting = stage.ProcessAsync(batch.RowAt(0), output, new StageTestContext(), CancellationToken.None).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await waiting;
        Assert.Equal("passed", output.Rows[0].Values["verdict"]);
    }

    [Fact]
    public async Task The_sandbox_is_checked_before_a_run()
    {
        await using var stage = new Execute(new());
        EnvironmentFindings findings = await stage.CheckEnvironmentAsync(new StageTestContext(), CancellationToken.None);
        Assert.Empty(findings.Problems);
        Assert.Contains("seccomp", Assert.Single(findings.Facts), StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["program: the input has no column 'x'", "tests: the input has no column 'y'"], Complaints(new() { Program = "{{ x }}", Tests = "y" }));
        Assert.Equal(["expression: an expression needs 'expected'"], Complaints(new() { Expression = "{{ response }}" }));
        Assert.Equal(["expected: 'expected' goes with an 'expression'; a program has its 'tests'"], Complaints(new() { Expected = "4" }));
        Assert.Equal(["expected: the input has no column 'z'"], Complaints(new() { Expression = "{{ response }}", Expected = "{{ z }}" }));
        Assert.Equal(["timeout: a program needs some time", "memory: Python needs 64 MB to start"], Complaints(new() { Timeout = TimeSpan.Zero, Memory = 1000 }));

        static string[] Complaints(ExecuteOptions options) =>
            Stages.Complaints<Execute, ExecuteOptions>(options, ("in", Columns.Schema(("response", Columns.Text), ("tests", Columns.Text))));
    }

    private static Dictionary<string, object?> Test(params (string, object?)[] fields) => fields.ToDictionary(field => field.Item1, field => field.Item2);

    private static MemoryRows Jobs(IArrowType type, params (string Program, object? Tests)[] jobs) =>
        MemoryRows.Of(Columns.Schema(("response", Columns.Text), ("tests", type)), jobs.Select(job => new[] { job.Program, job.Tests }).ToArray());

    private static async Task<string[]> VerdictsAsync(ExecuteOptions options, IArrowType type, params (string, object?)[] jobs)
    {
        await using var stage = new Execute(options with { Slots = 1 });
        return (await Stages.ProcessAsync(stage, Jobs(type, jobs))).Select(result => result.Failure?.Message ?? (string)result.Rows[0].Values["verdict"]!).ToArray();
    }
}
