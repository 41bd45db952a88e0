using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

/// <summary>Tests that a model wrote: what they mean to the stages that run them, and which are dropped.</summary>
public sealed class ModelTestsTests
{
    private static async Task<EmittedRow> WrittenAsync(string tests, string code, CodeLanguage language = CodeLanguage.Python, int least = 1)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer($"```json\n{tests}\n```"));
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m", Language = language, LeastTests = least }, await endpoint.OpenAsync());
        var results = await Stages.ProcessAsync(stage, MemoryRows.Of(Columns.Schema(("problem", Columns.Text), ("code", Columns.Text)), ["p", code]));
        Assert.Null(results[0].Failure);
        return Assert.Single(results[0].Rows);
    }

    private static async Task<string> RunAsync(string tests, string code, CodeLanguage language = CodeLanguage.Python)
    {
        await using var stage = new Execute(new ExecuteOptions { Language = language });
        var results = await Stages.ProcessAsync(stage, MemoryRows.Of(Columns.Schema(("response", Columns.Text), ("tests", Columns.Text)), [code, tests]));
        return results[0].Failure?.Code ?? (string)results[0].Rows.First().Values["verdict"]!;
    }

    [Theory]
    [InlineData(CodeLanguage.Python, "def greet(name):\n    return 'Hello ' * 1 + name\n", """[{"call": "greet('Bob')", "expected": "Hello Bob"}, {"call": "greet('')", "expected": "Hello "}]""")]
    [InlineData(CodeLanguage.Python, "def digits(n):\n    return str(n + 0)\n", """[{"call": "digits(42)", "expected": "42"}, {"call": "digits(7)", "expected": "7"}]""")]
    [InlineData(CodeLanguage.Python, "def find(xs, x):\n    return xs.index(x) + 0 if x in xs else None\n", """[{"call": "find([1, 2], 2)", "expected": 1}, {"call": "find([], 2)", "expected": null}]""")]
    [InlineData(CodeLanguage.Python, "def odd(xs):\n    return {x for x in xs if x % 2 == 1}\n", """[{"call": "odd([1, 2])", "expected_code": "{1}"}, {"call": "odd([])", "expected_code": "set()", "expected": null}]""")]
    [InlineData(CodeLanguage.Javascript, "function sign(n) { return n < 0 ? 'minus' : 'plus'; }\n", """[{"call": "sign(-1)", "expected": "minus"}, {"call": "sign(1)", "expected": "plus"}]""")]
    [InlineData(CodeLanguage.C, "const char *sign(int n) { return n < 0 ? \"minus\" : \"plus\"; }\n", """[{"call": "sign(-1)", "expected": "minus"}, {"call": "sign(1)", "expected": "plus"}]""")]
    public async Task What_a_call_must_give_is_the_JSON_value_that_the_model_wrote(CodeLanguage language, string code, string tests)
    {
        EmittedRow row = await WrittenAsync(tests, code, language);
        Assert.Equal(("out", null), (row.Port, row.Values.GetValueOrDefault("reason")));
        Assert.Equal("passed", await RunAsync((string)row.Values["tests"]!, code, language));
    }

    [Fact]
    public async Task A_text_of_digits_is_no_number()
    {
        EmittedRow row = await WrittenAsync("""[{"call": "digits(42)", "expected": "42"}]""", "def digits(n):\n    return str(n + 0)\n");
        Assert.Equal("failed", await RunAsync((string)row.Values["tests"]!, "def digits(n):\n    return n + 0\n"));
    }

    [Theory]
    [InlineData("def f(): return (1, 2)", """[{"call": "f()", "expected": [1, 2]}]""", "passed")]
    [InlineData("def f(): return {1: (2, [3]), 10: ()}", """[{"call": "f()", "expected": {"1": [2, [3]], "10": []}}]""", "passed")]
    [InlineData("def f(): return {1: 'a', '1': 'a'}", """[{"call": "f()", "expected": {"1": "a"}}]""", "failed")]
    [InlineData("def f(): return ('(\"', ', {1')", """[{"call": "f()", "expected": ["(\"", ", {1"]}]""", "passed")]
    [InlineData("def f(): return None", """[{"call": "f()", "expected": null}]""", "passed")]
    [InlineData("def f(): return 'None'", """[{"call": "f()", "expected": null}]""", "failed")]
    // A set in place of a list is what a program gives that forgot to sort.
    [InlineData("def f(): return {1, 2}", """[{"call": "f()", "expected": [1, 2]}]""", "failed")]
    [InlineData("def f(): return (1, 2)", """[{"call": "f()", "expected": "[1, 2]"}]""", "failed")]
    [InlineData("def f(): return 'f()'", """[{"call": "f()", "expected_json": "f()"}]""", "passed")]
    public async Task JSON_tells_apart_only_what_JSON_has(string code, string tests, string verdict) => Assert.Equal(verdict, await RunAsync(tests, code));

    [Theory]
    [InlineData("""[{"call": "1", "stdin": "1\n", "expected": 1}]""")]
    [InlineData("""[{"call": "1", "expected": 1, "expected_code": "1"}]""")]
    [InlineData("""[{"call": "1", "expected_code": 1}]""")]
    [InlineData("""[{"stdin": "1\n", "expected_code": "1"}]""")]
    public async Task A_test_says_one_thing(string tests) => Assert.Equal("bad_tests", await RunAsync(tests, "print(1)"));

    [Fact]
    public async Task A_bad_test_is_dropped_with_its_reason_and_the_others_stay()
    {
        const string Tests = """[{"call": "double(3)", "expected": 6}, {"call": "double(", "expected": 2}, {"call": "double(2)"}, {"call": "double(1)", "expected_code": "two"}, {"call": "double(4)", "expected": 9}]""";
        EmittedRow row = await WrittenAsync(Tests, "def double(n):\n    return 2 * n\n");
        Assert.Equal("out", row.Port);
        Assert.Equal(["double(3)", "double(4)"], JsonNode.Parse((string)row.Values["tests"]!)!.AsArray().Select(test => (string)test!["call"]!));
        string[] reasons = ((IReadOnlyList<object?>)row.Values["dropped_tests"]!).Cast<string>().ToArray();
        Assert.Equal(["test 2: ", "test 3: ", "test 4: "], reasons.Select(reason => reason[..8]));
        EmittedRow few = await WrittenAsync(Tests, "def double(n):\n    return 2 * n\n", least: 3);
        Assert.Equal("too_few_tests: 2 of 5 can be used, 3 are needed", few.Values["reason"]);
    }

    [Fact]
    public async Task A_call_that_alone_does_not_compile_is_dropped_where_others_do()
    {
        const string Tests = """[{"call": "twice(3)", "expected": 6}, {"call": "twice(", "expected": 2}]""";
        EmittedRow row = await WrittenAsync(Tests, "int twice(int n) { return 2 * n; }\n", CodeLanguage.C);
        Assert.Equal("out", row.Port);
        Assert.Single(JsonNode.Parse((string)row.Values["tests"]!)!.AsArray());
    }

    [Fact]
    public async Task SQL_of_a_test_that_does_not_run_is_the_tests_mistake()
    {
        const string Script = "SELECT name, price FROM items ORDER BY name;\n";
        const string Good = """{"stdin": "CREATE TABLE items (name TEXT, price INTEGER); INSERT INTO items VALUES ('tea', 3), ('jam', 5);", "expected": "jam|5\ntea|3\n"}""";
        EmittedRow row = await WrittenAsync($$"""[{{Good}}, {"stdin": "3\n", "expected": "9\n"}]""", Script, CodeLanguage.Sql);
        Assert.Equal("out", row.Port);
        Assert.Single((IReadOnlyList<object?>)row.Values["dropped_tests"]!);
        Assert.Equal("passed", await RunAsync((string)row.Values["tests"]!, Script, CodeLanguage.Sql));
        Assert.Equal("bad_tests", await RunAsync("""[{"stdin": "3\n", "expected": "9\n"}]""", Script, CodeLanguage.Sql));
        Assert.Equal("compile_error", await RunAsync($"[{Good}]", "SELECT name FROM others;\n", CodeLanguage.Sql));
    }

    [Fact]
    public async Task The_teacher_is_told_what_the_input_of_SQL_is()
    {
        string asked = "";
        await using var endpoint = new ChatEndpoint(request =>
        {
            asked = request.Prompt;
            return ChatEndpoint.Answer("none");
        });
        await using var stage = new Dataflow.Plugins.CodeExecution.Tests(new TestsOptions { Model = "m", Language = CodeLanguage.Sql }, await endpoint.OpenAsync());
        await Stages.ProcessAsync(stage, MemoryRows.Of(Columns.Schema(("problem", Columns.Text), ("code", Columns.Text)), ["p", "SELECT 1;"]));
        Assert.Contains("CREATE TABLE", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("\"3\\n\"", asked, StringComparison.Ordinal);
    }
}
