using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>What a program of Python may do while it is called, and the numbers it may give.</summary>
public sealed class PythonTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("import pickle\nclass A:\n    def __init__(self, x): self.x = x\ndef f(x): return pickle.loads(pickle.dumps(A(x))).x + 1")]
    [InlineData("import multiprocessing\ndef g(x): return x + 1\ndef f(x):\n    with multiprocessing.Pool(2) as pool: return pool.map(g, [x, x])[1]")]
    [InlineData("import multiprocessing\ndef g(x): return x + 1\ndef f(x):\n    with multiprocessing.get_context('spawn').Pool(1) as pool: return pool.map(g, [x])[0]")]
    [InlineData("from concurrent.futures import ProcessPoolExecutor\ndef g(x): return x + 1\ndef f(x):\n    with ProcessPoolExecutor(2) as pool: return list(pool.map(g, [x]))[0]")]
    [InlineData("from __future__ import annotations\nimport dataclasses, typing\n@dataclasses.dataclass\nclass A:\n    x: int\n    n: typing.ClassVar[int] = 1\ndef f(x): return A(x).x + A.n")]
    [InlineData("import copy, sys\nclass A: pass\ndef f(x): return x + (getattr(sys.modules[copy.deepcopy(A()).__module__], 'A') is A)")]
    [InlineData("def f(x): return x + 1\nif __name__ == '__main__': f = None")]
    public async Task A_program_that_is_called_is_a_module_of_its_own(string source) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", source, new CodeTest("f(2)", null, "3"), new CodeTest("f(3)", null, "4")));

    [Theory]
    [InlineData("n = int(input())\nif n > 2:\n    print(n + 1)\n    exit()\nprint(n + 1)\nquit(0)")]
    [InlineData("import sys\nassert sys.argv == ['/job/candidate.py'] and __file__ == sys.argv[0] and __name__ == '__main__'\nprint(int(input()) + 1)\nhelp")]
    public async Task A_program_has_the_names_that_an_interpreter_is_known_to_have(string source) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", source, new CodeTest(null, "2\n", "3\n"), new CodeTest(null, "5\n", "6\n")));

    [Theory]
    [InlineData("def f(x):\n    if x < 0: exit(1)\n    return x + 1")]
    [InlineData("import inspect\ndef f(x): return x + len(inspect.getsource(f).splitlines())")]
    public async Task A_function_has_them_too_and_its_source(string source) => Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", source, new CodeTest("f(2)", null, "3")));

    [Fact]
    public async Task A_mistake_is_told_at_its_place_in_the_program_itself() =>
        Assert.Equal("line 2, column 6: SyntaxError: '(' was never closed", (await shared.GradeAsync("python", "x = 1\nprint((x)\n", new CodeTest(null, "", "1"))).Detail);

    [Theory]
    [InlineData("def f(): return (1 + 2j) * 2", "2 + 4j", "complex(2, -4)")]
    [InlineData("def f(): return complex(3, 0)", "3", "3 + 1j")]
    [InlineData("from decimal import Decimal\ndef f(): return Decimal('0.10') * 3", "Decimal('0.3')", "0.3")]
    [InlineData("from decimal import Decimal\ndef f(): return Decimal('2.50')", "2.5", "Decimal('2.51')")]
    [InlineData("from fractions import Fraction\ndef f(): return [Fraction(2, 6), Fraction(4, 2)]", "[Fraction(1, 3), 2]", "[1 / 3, 2]")]
    [InlineData("import fractions\ndef f(): return fractions.Fraction(1, 10)", "__import__('decimal').Decimal('0.1')", "0.1")]
    [InlineData("def f(): return 10**5000", "10**5000", "10**5000 + 1")]
    [InlineData("def f(): return 2.0", "Decimal(2)", "Decimal('Infinity')")]
    public async Task A_number_of_any_kind_equals_what_Python_says_it_equals(string source, string expected, string other)
    {
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", source, new CodeTest("f()", null, expected)));
        Assert.Equal(Verdict.Failed, (await shared.GradeAsync("python", source, new CodeTest("f()", null, other))).Verdict);
    }

    [Fact]
    public async Task A_whole_number_may_be_written_with_more_digits_than_Python_reads_by_itself()
    {
        string digits = "1" + new string('0', 5000);
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", "def f(x): return x", new CodeTest($"f({digits})", null, digits), new CodeTest($"f({digits})", null, digits, true)));
        Assert.Equal(Verdict.RuntimeError, (await shared.GradeAsync("python", "def f(x): return str(x)", new CodeTest($"f({digits})", null, digits))).Verdict);
    }

    [Fact]
    public async Task A_number_with_too_large_an_exponent_has_no_plain_form() =>
        Assert.Equal(Verdict.Failed, (await shared.GradeAsync("python", "from decimal import Decimal\ndef f(): return Decimal('1e999999')", new CodeTest("f()", null, "1"))).Verdict);
}
