using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>What a call of C# may be.</summary>
public sealed class CSharpTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("public static class S { public static async Task<int> F(int x) { await Task.Yield(); return x + 1; } }", "S.F(2)", "3")]
    [InlineData("public static class S { public static Task<int> F(int x) => Task.FromResult(x + 1); }", "S.F(2)", "3")]
    [InlineData("public static class S { public static async ValueTask<int> F(int x) { await Task.Delay(1); return x + 1; } }", "S.F(2)", "3")]
    [InlineData("public static class S { public static async ValueTask<int> F(int x) { await Task.Delay(1); return x + 1; } }", "await S.F(2)", "3")]
    [InlineData("public static class S { public static async Task F(int x) { await Task.Delay(1); } }", "S.F(2)", "null")]
    [InlineData("public static class S { public static ValueTask F(int x) => default; }", "S.F(2)", "null")]
    [InlineData("async Task<List<string>> F(int x) { await Task.Delay(1); return new() { \"a\" }; }", "F(2)", "[\"a\"]")]
    [InlineData("public static async Task<int> F(int x) { await Task.Delay(1); return x; }", "F(2)", "2")]
    public async Task A_task_of_any_kind_is_awaited_for_its_value(string source, string call, string expected) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("csharp", source, new CodeTest(call, null, expected, true)));

    [Fact]
    public async Task A_task_that_fails_is_told_with_its_own_error() => Assert.Equal(
        new Grade(Verdict.RuntimeError, "test 1: System.ArgumentException: no"),
        await shared.GradeAsync("csharp", "static class S { public static async Task<int> F() { await Task.Delay(1); throw new ArgumentException(\"no\"); } }", new CodeTest("S.F()", null, "1")));
}
