using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class MutantsTests
{
    [Fact]
    public void A_mutant_differs_in_one_place()
    {
        const string Code = "def f(n):\n    return n * 2 + 1 if n > 0 else -n\n";
        IReadOnlyList<string> mutants = Mutants.Of(Code, "#", 100, 1);
        Assert.Equal(mutants.Count, mutants.Distinct().Count());
        Assert.Contains("def f(n):\n    return n + 2 + 1 if n > 0 else -n\n", mutants);
        Assert.Contains("def f(n):\n    return n * 3 + 1 if n > 0 else -n\n", mutants);
        Assert.Contains("def f(n):\n    return n * 2 + 1 if n <= 0 else -n\n", mutants);
    }

    [Theory]
    [InlineData("#", "# a + b == 1\nx = 'a + 1' + \"b * 2\"\n'''1 < 2'''\n")]
    [InlineData("//", "// a + b\nx = `1 + ${y}`; /* 1 < 2 */ y = \"a\\\" + 1\" + 'c'\n")]
    [InlineData("--", "-- 1 = 1 AND 2\nSELECT 'x OR y' + a\n")]
    public void Strings_and_comments_are_left_alone(string lineComment, string code)
    {
        IReadOnlyList<string> mutants = Mutants.Of(code, lineComment, 100, 1);
        Assert.Single(mutants);
    }

    [Fact]
    public void The_seed_decides_which_are_drawn()
    {
        string code = string.Join('\n', Enumerable.Range(0, 50).Select(i => $"x{i} = a + {i}"));
        Assert.Equal(Mutants.Of(code, "#", 5, 1), Mutants.Of(code, "#", 5, 1));
        Assert.NotEqual(Mutants.Of(code, "#", 5, 1), Mutants.Of(code, "#", 5, 2));
        Assert.Equal(5, Mutants.Of(code, "#", 5, 1).Count);
    }
}
