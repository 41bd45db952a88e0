using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class ExtractTests
{
    private static async Task<(string? Code, string? Reason)> ExtractAsync(string answer, CodeLanguage language = CodeLanguage.Python, bool bare = false)
    {
        var options = new ExtractOptions { Language = language, Bare = bare };
        var results = await Stages.ProcessAsync(new Extract(options), MemoryRows.Of(Columns.Schema(("response", Columns.Text)), [answer]));
        EmittedRow row = Assert.Single(Assert.Single(results).Rows);
        return (row.Values.GetValueOrDefault("code") as string, row.Values.GetValueOrDefault("reason") as string);
    }

    [Fact]
    public async Task One_block_is_the_program() =>
        Assert.Equal("def f():\n    return 1\n", (await ExtractAsync("Here it is:\n\n```python\ndef f():\n    return 1\n```\nDone.")).Code);

    [Theory]
    [InlineData("~~~py\nx = 1\n~~~", "x = 1\n")]
    [InlineData("````python\ns = '''\n```\n'''\n````", "s = '''\n```\n'''\n")]
    [InlineData("1. First:\n   ```python\n   if x:\n       y()\n   ```", "if x:\n    y()\n")]
    [InlineData("```Python3 title=\"a.py\"\nx = 1\n```", "x = 1\n")]
    [InlineData("```{.python}\nx = 1\n```", "x = 1\n")]
    [InlineData("```python title=\"example.py\"\nx = 1\n```", "x = 1\n")]
    [InlineData("```python3.11\nx = 1\n```", "x = 1\n")]
    [InlineData("```python\nx = 1\n", "x = 1\n")]
    [InlineData("```python\r\nx = 1\r\n```\r\n", "x = 1\n")]
    [InlineData("A draft:\n```python\nx = 0\n```</think>\nHere:\n```python\nx = 1\n```", "x = 1\n")]
    [InlineData("<answer>\n```python\nx = 1\n```</answer>", "x = 1\n")]
    public async Task Fences_are_read_as_Markdown_has_them(string answer, string expected)
    {
        string? code = (await ExtractAsync(answer)).Code;
        Assert.Equal(expected.TrimEnd(), code?.TrimEnd());
    }

    [Fact]
    public async Task Blocks_in_other_languages_are_left_out()
    {
        (string? code, _) = await ExtractAsync("```bash\npip install x\n```\n```python\nx = 1\n```\n```text\n1\n```");
        Assert.Equal("x = 1\n", code);
    }

    [Fact]
    public async Task Blocks_that_build_on_each_other_are_joined_in_order()
    {
        (string? code, _) = await ExtractAsync("A helper:\n```python\ndef g():\n    return 1\n```\nThen:\n```python\ndef f():\n    return g()\n```");
        Assert.Equal("def g():\n    return 1\n\ndef f():\n    return g()\n", code);
    }

    [Theory]
    [InlineData(CodeLanguage.Python, "```python\ndef f(n):\n    return n\n```\nBetter:\n```python\ndef f(n):\n    return n + 1\n```", "def f(n):\n    return n + 1\n")]
    [InlineData(CodeLanguage.Cpp, "```cpp\nint f(int n) {\n  return n;\n}\n```\nFaster:\n```cpp\nint f(int n) {\n  return n + 1;\n}\n```", "int f(int n) {\n  return n + 1;\n}\n")]
    [InlineData(CodeLanguage.Javascript, "```js\nfunction f(n) { return n }\n```\nOr:\n```js\nfunction f(n) { return n + 1 }\n```", "function f(n) { return n + 1 }\n")]
    public async Task A_block_that_defines_a_name_again_replaces_the_earlier_one(CodeLanguage language, string answer, string expected) =>
        Assert.Equal(expected, (await ExtractAsync(answer, language)).Code);

    [Theory]
    [InlineData(CodeLanguage.Python, "```python\nimport math\n\ndef helper(n):\n    return n\n\n@cache\ndef f(n):\n    return helper(n)\n```\nFaster:\n```python\ndef f(n):\n    return helper(n) + 1\n```", "import math\n\ndef helper(n):\n    return n\n\n\ndef f(n):\n    return helper(n) + 1\n")]
    [InlineData(CodeLanguage.Cpp, "```cpp\nint helper(int n) {\n  return n;\n}\nint f(int n) {\n  return helper(n);\n}\n```\nFaster:\n```cpp\nint f(int n) {\n  return helper(n) + 1;\n}\n```", "int helper(int n) {\n  return n;\n}\n\nint f(int n) {\n  return helper(n) + 1;\n}\n")]
    public async Task Of_a_block_only_what_is_defined_again_is_replaced(CodeLanguage language, string answer, string expected) =>
        Assert.Equal(expected, (await ExtractAsync(answer, language)).Code);

    [Theory]
    [InlineData("<think>\nMaybe:\n```python\ndef g():\n    return 2\n```\nNo.\n</think>\nHere:\n```python\ndef f():\n    return 1\n```")]
    [InlineData("Maybe:\n```python\ndef g():\n    return 2\n```\nNo.\n</think>\n```python\ndef f():\n    return 1\n```")]
    public async Task Drafts_in_a_models_thoughts_are_no_program(string answer) => Assert.Equal("def f():\n    return 1\n", (await ExtractAsync(answer)).Code);

    [Theory]
    [InlineData("```python\ndef f():\n    return 1\n```\nTest it with:\n```python\nprint(f())\n```")]
    [InlineData("```python\ndef f():\n    return 1\n```\n**Example:**\n```python\nprint(f())\n```")]
    [InlineData("```python\ndef f():\n    return 1\n```\nTypical mistake, avoid this:\n```python\ndef f():\n    return 2\n```")]
    [InlineData("```python\ndef f():\n    return 1\n```\nExample usage:\n```python\nprint(f(input()))\n```")]
    [InlineData("```python\ndef f():\n    return 1\n```\nTry it:\n```python\n>>> f()\n1\n```")]
    [InlineData("```python no_run\nf(open('x'))\n```\n```python\ndef f():\n    return 1\n```")]
    [InlineData("The buggy version was:\n```python\nreturn f\n```\n```python\ndef f():\n    return 1\n```")]
    public async Task What_is_not_meant_to_be_run_is_left_out(string answer) => Assert.Equal("def f():\n    return 1\n", (await ExtractAsync(answer)).Code);

    [Theory]
    [InlineData("I do not know.", "the answer has no code block")]
    [InlineData("```java\nclass A {}\n```", "no code block is in the language; there are java")]
    [InlineData("```python\n\n```", "no code block is meant to be run")]
    [InlineData("```python ignore\nf()\n```", "no code block is meant to be run")]
    public async Task An_answer_without_a_program_is_rejected_with_the_reason(string answer, string reason) => Assert.Equal((null, reason), await ExtractAsync(answer));

    [Fact]
    public async Task An_answer_without_fences_is_code_only_where_that_is_allowed()
    {
        Assert.Equal("x = 1", (await ExtractAsync("x = 1", bare: true)).Code);
        Assert.Null((await ExtractAsync("x = 1")).Code);
    }

    [Fact]
    public async Task The_language_may_be_the_rows_and_an_unknown_one_fails_its_row()
    {
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("response", Columns.Text), ("language", Columns.Text)), ["```js\nx\n```", "javascript"], ["```js\nx\n```", "klingon"]);
        var results = await Stages.ProcessAsync(new Extract(new ExtractOptions()), rows);
        Assert.Equal("x\n", results[0].Rows.Single().Values["code"]);
        Assert.Equal("unknown_language", results[1].Failure?.Code);
    }
}
