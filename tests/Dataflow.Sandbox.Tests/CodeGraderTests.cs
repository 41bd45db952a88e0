using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests;

public sealed class CodeGraderTests : IAsyncDisposable
{
    private readonly SandboxPool pool = SandboxPool.Create(2);

    public ValueTask DisposeAsync() => pool.DisposeAsync();

    private Task<Grade> GradeAsync(string source, params CodeTest[] tests) =>
        new CodeGrader(pool, new Python(), new SandboxLimits { WallTime = TimeSpan.FromSeconds(3) }).GradeAsync(source, tests, CancellationToken.None);

    [Theory]
    [InlineData("85", "85", Verdict.Passed)]
    [InlineData("47+38", "85", Verdict.Passed)]
    [InlineData("84", "85", Verdict.Failed)]
    [InlineData("True", "1", Verdict.Failed)]
    [InlineData("'olleh'", "'olleh'", Verdict.Passed)]
    [InlineData("(1, 2)", "[1, 2]", Verdict.Failed)]
    [InlineData("1/0", "1", Verdict.RuntimeError)]
    [InlineData("8 5", "85", Verdict.RuntimeError)]
    [InlineData("while", "85", Verdict.RuntimeError)]
    [InlineData("__import__('time').sleep(60)", "85", Verdict.Timeout)]
    public async Task An_expression_passes_only_by_its_value(string expression, string expected, Verdict verdict)
    {
        Grade grade = await new CodeGrader(pool, new Python(), new SandboxLimits { WallTime = TimeSpan.FromSeconds(2) }).GradeExpressionAsync(expression, expected, CancellationToken.None);
        Assert.Equal(verdict, grade.Verdict);
    }

    [Fact]
    public async Task A_right_function_passes_and_a_wrong_one_fails()
    {
        CodeTest[] tests = [new("f(2)", null, "4"), new("f(-3)", null, "9")];
        Assert.Equal(Verdict.Passed, (await GradeAsync("def f(x): return x * x", tests)).Verdict);
        Assert.Equal(Verdict.Failed, (await GradeAsync("def f(x): return x * 2", tests)).Verdict);
    }

    [Theory]
    [InlineData("print('OK'); import sys; sys.exit(0)")]
    [InlineData("import os; os._exit(0)")]
    [InlineData("class A:\n  def __eq__(s, o): return True\n  def __hash__(s): return 0\ndef f(x): return A()")]
    [InlineData("import json\njson.dumps = lambda *a, **k: '{\"value\": 4}'\ndef f(x): return 5")]
    [InlineData("import os\nos.write(8, b'{\"i\": 0, \"value\": true}\\n')\ndef f(x): return 5")]
    [InlineData("import os\nos.write(8, b'{\"i\": 0, \"value\": 4}\\n{\"i\": 1, \"value\": 9}\\n')\nos._exit(0)")]
    [InlineData("import os\ndef f(x):\n  os.write(8, b'{\"i\": 0, \"value\": 4}\\n{\"i\": 1, \"value\": 9}\\n')\n  os._exit(0)")]
    [InlineData("import os\ndef f(x):\n  os.write(8, b'{\"i\": 0, \"value\": %d}\\n' % (x * x))\n  return 99")]
    [InlineData("import builtins\nbuiltins.eval = lambda *a: 'passed'\ndef f(x): return 5")]
    [InlineData("class I(int): pass\ndef f(x): return I(4)")]
    public async Task A_forged_pass_does_not_pass(string candidate)
    {
        Grade grade = await GradeAsync(candidate, new CodeTest("f(2)", null, "4"), new CodeTest("f(3)", null, "9"));
        Assert.NotEqual(Verdict.Passed, grade.Verdict);
    }

    [Fact]
    public async Task Right_values_that_no_call_gave_do_not_pass()
    {
        const string Source = "#include <unistd.h>\nint f(int x){return 0;}\n__attribute__((constructor)) void a(void){write(8,\"{\\\"i\\\":0,\\\"value\\\":4}\\n{\\\"i\\\":1,\\\"value\\\":9}\\n\",42);_exit(0);}\n";
        var grader = new CodeGrader(pool, new C(), new SandboxLimits { WallTime = TimeSpan.FromSeconds(3) });
        Grade grade = await grader.GradeAsync(Source, [new CodeTest("f(2)", null, "4"), new CodeTest("f(3)", null, "9")], CancellationToken.None);
        Assert.Equal((Verdict.RuntimeError, "the result channel was written to"), (grade.Verdict, grade.Detail));
    }

    [Fact]
    public async Task A_program_that_stops_its_driver_gains_no_time()
    {
        // The driver is another user's process where we are root, and this one's own where we are not.
        const string Source = """
            import os,time,signal
            x=input(); pp=os.getppid()
            os.kill(pp,signal.SIGSTOP); time.sleep(4)
            f=os.open(f'/proc/{pp}/fd/8',os.O_WRONLY)
            os.write(f,b'0 0 1 2 0\n1\n1 0 1 2 0\n1\n'); os.kill(pp,9)
            """;
        Grade grade = await GradeAsync(Source, new CodeTest(null, "1", "1"), new CodeTest(null, "1", "1"));
        Assert.Equal(Verdict.Timeout, grade.Verdict);
    }

    [Fact]
    public async Task A_call_that_Python_cannot_parse_is_the_test_s_mistake_and_not_the_program_s()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => GradeAsync("def f(x): return x", new CodeTest("f(2", null, "2")));
        Assert.Equal(Verdict.RuntimeError, (await GradeAsync("def f(x): return eval('1 +')", new CodeTest("f(2)", null, "2"))).Verdict);
    }

    [Fact]
    public async Task Output_is_compared_with_what_was_expected()
    {
        Assert.Equal(Verdict.Passed, (await GradeAsync("print(int(input()) + 1)", new CodeTest(null, "41\n", "42"))).Verdict);
        Assert.Equal(Verdict.Failed, (await GradeAsync("print('OK')", new CodeTest(null, "41\n", "42"))).Verdict);
    }

    [Fact]
    public async Task No_tests_is_not_a_pass() => Assert.Equal(Verdict.NoTests, (await GradeAsync("x = 1")).Verdict);

    [Theory]
    [InlineData("def f(x): return [x] * 3\ng = f", "f(1) == list([1, 1, 1])", Verdict.Passed)]
    [InlineData("def f(x): return [x] * 3\ng = f", "f(1) == g(1)", Verdict.Passed)]
    [InlineData("def f(x): return [x] * 3\ndef g(x): return x", "f(1) == g(1)", Verdict.Failed)]
    [InlineData("def f(x): return b'ab'", "f(1) == b'ab'", Verdict.Passed)]
    [InlineData("def f(x): return b'ba'", "f(1) == b'ab'", Verdict.Failed)]
    [InlineData("import collections\ndef f(x): return collections.Counter(x)", "f('aab') == {'b': 1, 'a': 2}", Verdict.Passed)]
    [InlineData("class Equal:\n    def __eq__(self, other): return True\ndef f(x): return Equal()", "f(1) == list([1, 1, 1])", Verdict.Failed)]
    [InlineData("import os\nos.write(8, b'{\"i\":0,\"value\":true}\\n')\nos._exit(0)", "f(1) == list([1, 1, 1])", Verdict.RuntimeError)]
    public async Task An_assertion_is_compared_outside_where_its_right_side_has_a_value_by_itself(string source, string assertion, Verdict verdict)
    {
        Assert.Equal(verdict, (await GradeAsync(source, PythonAssertion.Parse(assertion))).Verdict);
    }
}
