using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>The sqlite3 shell runs SQL, and what it knows beside SQL stays within it.</summary>
public sealed class SqlTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private const string Table = "CREATE TABLE e(x);\nINSERT INTO e VALUES (1);\n";

    [Theory]
    [InlineData(".shell echo 42")]
    [InlineData("SELECT 1;\n.sys echo 42")]
    [InlineData(".headers on\n.read /etc/passwd")]
    [InlineData(".output /tmp/x")]
    [InlineData(".once /tmp/x\nSELECT 1;")]
    [InlineData(".import /etc/passwd e")]
    [InlineData(".open /tmp/x.db")]
    [InlineData(".save /tmp/x.db")]
    [InlineData(".load /tmp/x.so")]
    [InlineData(".cd /")]
    [InlineData(".log /tmp/x")]
    [InlineData("SELECT writefile('/tmp/x', 'y');")]
    [InlineData("SELECT readfile('/etc/passwd');")]
    [InlineData("SELECT edit('x', 'echo 42');")]
    [InlineData("ATTACH '/tmp/x.db' AS x;")]
    public async Task A_script_does_not_reach_out_of_SQL(string source)
    {
        foreach (CodeTest[] tests in new[] { [new CodeTest(null, null, "42")], new[] { new CodeTest(null, "", "42"), new CodeTest(null, "", "42") }, [new CodeTest("SELECT 42", null, "42")] })
        {
            Grade grade = await shared.GradeAsync("sql", source, tests);
            Assert.Equal(Verdict.RuntimeError, grade.Verdict);
            Assert.Contains("in safe mode", grade.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_input_does_not_reach_out_of_SQL_either()
    {
        foreach (int count in new[] { 1, 2 })
        {
            CodeTest[] tests = Enumerable.Repeat(new CodeTest(null, ".shell echo 42\n", "42\n1"), count).ToArray();
            Assert.Contains("line 1: cannot run .shell in safe mode", (await Assert.ThrowsAsync<ArgumentException>(() => shared.GradeAsync("sql", "SELECT 1;", tests))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Commands_that_only_shape_the_output_may_stay() =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("sql", ".headers on\n.mode csv\n.print made\nSELECT x, 2 AS y FROM e;", new CodeTest(null, Table, "made\nx,y\n1,2")));

    [Theory]
    [InlineData("SELECT nope FROM e", "no such column: nope")]
    [InlineData("SELECT x FROM nope", "no such table: nope")]
    [InlineData("SELECT x FROM e WHERE", "near \";\": syntax error")]
    [InlineData("SELEC x", "no such column: SELEC")]
    public async Task A_call_that_SQL_cannot_read_is_a_compile_error_that_names_the_test(string call, string why) => Assert.Equal(
        new Grade(Verdict.CompileError, $"test 2: {call} does not compile with it: {why}"), await shared.GradeAsync("sql", Table, new CodeTest("SELECT x FROM e", null, "1"), new CodeTest(call, null, "1")));

    [Fact]
    public async Task A_wrong_value_counts_before_a_later_call_that_SQL_cannot_read() => Assert.Equal(
        new Grade(Verdict.Failed, "test 1: SELECT x FROM e gave [[1]]"), await shared.GradeAsync("sql", Table, new CodeTest("SELECT x FROM e", null, "2"), new CodeTest("SELECT nope FROM e", null, "1")));

    [Fact]
    public async Task A_mistake_of_the_script_is_told_in_its_own_line()
    {
        Assert.Equal((2, 15), await shared.GradeAsync("sql", "SELECT 1;\nSELECT x FORM e;", new CodeTest(null, Table, "1")) is { Verdict: Verdict.CompileError } grade ? (grade.Line, grade.Column) : default);
        Assert.Equal(new Grade(Verdict.RuntimeError, "test 1: Runtime error near line 2: integer overflow"), await shared.GradeAsync("sql", "SELECT 1;\nSELECT abs(-9223372036854775807 - 1);", new CodeTest(null, "", "1")));
    }
}
