using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Which names a call of C++ and what is expected of it may use.</summary>
public sealed class CppTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("vector<int>{1, 2}")]
    [InlineData("std::vector<int>{1, 2}")]
    [InlineData("array<int, 2>{1, 2}")]
    [InlineData("tuple<int, int>{1, 2}")]
    [InlineData("list<int>{1, 2}")]
    public async Task What_is_expected_may_be_written_as_the_program_would_write_it(string expected) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("cpp", "#include <vector>\nusing namespace std;\nvector<int> f() { return {1, 2}; }", new CodeTest("f()", null, expected)));

    [Theory]
    [InlineData("text")]
    [InlineData("number")]
    [InlineData("range")]
    [InlineData("render")]
    [InlineData("send")]
    [InlineData("fail")]
    [InlineData("call")]
    public async Task A_function_may_have_any_name(string name) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("cpp", $"int {name}(int x) {{ return x + 1; }}", new CodeTest($"{name}(2)", null, "3")));
}
