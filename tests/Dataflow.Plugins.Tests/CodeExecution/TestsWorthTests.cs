using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

/// <summary>Which tests prove something of the program that passes them.</summary>
public sealed class TestsWorthTests
{
    private const string Square = "def f(x):\n    return x * x\n";
    private const string Twice = "def f(x):\n    return x + x\n";
    private const string SquareTests = """[{"call": "f(2)", "expected": 4}, {"call": "f(3)", "expected": 9}, {"call": "f(-1)", "expected": 1}]""";

    private static async Task<(string Port, string Reason)> WrittenAsync(string code, string tests, CodeLanguage language = CodeLanguage.Python)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer($"```json\n{tests}\n```"));
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m", Language = language }, await endpoint.OpenAsync());
        var results = await Stages.ProcessAsync(stage, MemoryRows.Of(Columns.Schema(("problem", Columns.Text), ("code", Columns.Text)), ["p", code]));
        EmittedRow row = Assert.Single(results[0].Rows);
        return (row.Port, row.Values.GetValueOrDefault("reason") as string ?? "");
    }

    private static async Task<EmittedRow> RepairedAsync(string code, string tests, string answer)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answer));
        await using var stage = new Repair(new RepairOptions { Model = "m", Attempts = 1 }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("problem", Columns.Text), ("language", Columns.Text), ("response", Columns.Text), ("code", Columns.Text), ("tests", Columns.Text), ("verdict", Columns.Text), ("detail", Columns.Text)),
            ["p", "python", "r", code, tests, "failed", "d"]);
        var results = await Stages.ProcessAsync(stage, rows);
        Assert.Null(results[0].Failure);
        return Assert.Single(results[0].Rows);
    }

    [Theory]
    [InlineData(CodeLanguage.Python, "def up(s):\n    return s.upper()\n", """[{"call": "up('a')", "expected": "A"}]""")]
    [InlineData(CodeLanguage.Python, "def uniq(xs):\n    return sorted(set(xs))\n", """[{"call": "uniq([3, 1, 3])", "expected": [1, 3]}, {"call": "uniq([])", "expected": []}]""")]
    [InlineData(CodeLanguage.Python, "def rev(s):\n    return \"\".join(reversed(s))\n", """[{"call": "rev('ab')", "expected": "ba"}]""")]
    [InlineData(CodeLanguage.Python, "from collections import Counter\ndef cnt(s):\n    return dict(Counter(s))\n", """[{"call": "cnt('aab')", "expected": {"a": 2, "b": 1}}]""")]
    [InlineData(CodeLanguage.Python, "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n        self.items.append(x)\n        return self\n    def pop(self):\n        return self.items.pop()\n", """[{"call": "Stack().push(1).push(2).pop()", "expected": 2}]""")]
    [InlineData(CodeLanguage.Python, "print(input()[::-1])\n", """[{"stdin": "ab\n", "expected": "ba\n"}]""")]
    [InlineData(CodeLanguage.Python, "def same(n):\n    return n\n", """[{"call": "same(1)", "expected": 1}, {"call": "same(2)", "expected": 2}]""")]
    [InlineData(CodeLanguage.Javascript, "const up = s => s.toUpperCase();\n", """[{"call": "up('a')", "expected": "A"}]""")]
    [InlineData(CodeLanguage.Bash, "rev\n", """[{"stdin": "ab\n", "expected": "ba\n"}]""")]
    [InlineData(CodeLanguage.Go, "package main\n\nimport \"strings\"\n\nfunc Up(s string) string {\n\treturn strings.ToUpper(s)\n}\n", """[{"call": "Up(\"a\")", "expected": "A"}]""")]
    [InlineData(CodeLanguage.Cpp, "#include <iostream>\n#include <string>\nint main() {\n  std::string s;\n  std::cin >> s;\n  std::cout << s << s;\n  return 0;\n}\n", """[{"stdin": "ab\n", "expected": "abab\n"}]""")]
    public async Task Good_tests_of_a_program_without_operators_are_kept(CodeLanguage language, string code, string tests) => Assert.Equal(("out", ""), await WrittenAsync(code, tests, language));

    [Theory]
    [InlineData("""[{"call": "callable(f)", "expected": true}]""")]
    [InlineData("""["isinstance(f(2), int)"]""")]
    [InlineData("""[{"call": "(lambda: (f(2), True))()[1]", "expected": true}]""")]
    [InlineData("""[{"call": "f(0)", "expected": 0}]""")]
    [InlineData("""["f(2) == f(2)", "f(3) == f(3)"]""")]
    public async Task Tests_that_any_program_passes_prove_nothing(string tests)
    {
        (string port, string reason) = await WrittenAsync(Square, tests);
        Assert.Equal("rejected", port);
        Assert.StartsWith("vacuous: ", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("def g(x):\n    return x * x\n", """[{"call": "callable(f)", "expected": true}, {"call": "True", "expected": true}]""", "def f(x):\n    return 0\n")]
    [InlineData("def f(x):\n    return undefined_name\n", """[{"call": "f is not None", "expected": true}, {"call": "f(1) or True", "expected": true}]""", "def f(x):\n    return None\n")]
    public async Task A_program_that_passes_after_feedback_is_kept_only_by_tests_that_prove_something(string code, string tests, string repaired)
    {
        EmittedRow row = await RepairedAsync(code, tests, $"```python\n{repaired}```");
        Assert.Equal(("failed", "vacuous_tests", false), (row.Port, row.Values["verdict"], row.Values["self_corrected"]));
    }

    [Theory]
    [InlineData("""[{"call": "f(2)", "expected": 4}, {"call": "f(2)", "expected": 4}, {"call": "f( 2)", "expected": 4}]""")]
    [InlineData("""[{"call": "f(2)", "expected": 4}, {"call": "f(0)", "expected": 0}, {"call": "1", "expected": 1}]""")]
    [InlineData("""[{"call": "f(2)", "expected": 4}, {"call": "f(0)", "expected": 0}, {"call": "callable(f)", "expected": true}]""")]
    public async Task Corrected_tests_each_ask_something_else_of_the_program(string offered)
    {
        EmittedRow row = await RepairedAsync(Twice, SquareTests, $"```json\n{offered}\n```");
        Assert.Equal(("failed", "weaker_tests", SquareTests.Replace(" ", "", StringComparison.Ordinal)), (row.Port, row.Values["verdict"], ((string)row.Values["tests"]!).Replace(" ", "", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""[{"call": "f(2)", "expected": 4}, {"call": "f(0)", "expected": 0}, {"call": "f(2) + 0", "expected": 4}]""")]
    [InlineData("""[{"call": "f(2)", "expected": 4}, {"call": "f(3)", "expected": 6}, {"call": "f(4)", "expected": 8}]""")]
    public async Task Corrected_tests_ask_again_what_the_program_answered_otherwise(string offered)
    {
        EmittedRow row = await RepairedAsync(Twice, SquareTests, $"```json\n{offered}\n```");
        Assert.Equal(("failed", "weaker_tests"), (row.Port, row.Values["verdict"]));
        Assert.Contains("asks f(", (string)row.Values["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Corrected_tests_fail_every_wrong_program_that_the_valid_ones_before_failed()
    {
        const string Code = "def f(x):\n    return x * x + 0 if x > 1 else x\n";
        const string Before = """[{"call": "f(3)", "expected": 9}, {"call": "f(4)", "expected": 17}]""";
        EmittedRow weaker = await RepairedAsync(Code, Before, "```json\n[{\"call\": \"f(0)\", \"expected\": 0}, {\"call\": \"f(1)\", \"expected\": 1}]\n```");
        Assert.Equal(("failed", "weaker_tests"), (weaker.Port, weaker.Values["verdict"]));
        EmittedRow right = await RepairedAsync(Code, Before, "```json\n[{\"call\": \"f(3)\", \"expected\": 9}, {\"call\": \"f(4)\", \"expected\": 16}]\n```");
        Assert.Equal(("passed", true), (right.Port, right.Values["tests_repaired"]));
    }
}
