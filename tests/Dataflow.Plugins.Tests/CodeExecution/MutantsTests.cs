using Dataflow.Plugins.CodeExecution;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class MutantsTests
{
    private static IReadOnlyList<string> Of(string code, string language = "python", int most = 100, ulong seed = 1) => Mutants.Of(code, LanguageSet.Standard().Find(language)!, most, seed);

    [Fact]
    public void A_mutant_differs_in_one_place()
    {
        const string Code = "def f(n):\n    return n * 2 + 1 if n > 0 else -n\n";
        IReadOnlyList<string> mutants = Of(Code);
        Assert.Equal(mutants.Count, mutants.Distinct().Count());
        Assert.Contains("def f(n):\n    return n + 2 + 1 if n > 0 else -n\n", mutants);
        Assert.Contains("def f(n):\n    return n * 3 + 1 if n > 0 else -n\n", mutants);
        Assert.Contains("def f(n):\n    return n * 2 + 1 if n <= 0 else -n\n", mutants);
        Assert.Contains("def f(n):\n    return None\n", mutants);
    }

    [Theory]
    [InlineData("python", "# a + b == 1\nx = 'a + 1' + \"b * 2\"\n'''1 < 2'''\n", "# a + b == 1\nx = 'a + 1' - \"b * 2\"\n'''1 < 2'''\n")]
    [InlineData("javascript", "// a + b\nx = `1 + ${y}`; /* 1 < 2 */ y = \"a\\\" + 1\" + 'c'\n", "// a + b\nx = `1 + ${y}`; /* 1 < 2 */ y = \"a\\\" + 1\" - 'c'\n")]
    [InlineData("sql", "-- 1 = 1 AND 2\nSELECT 'x OR y' + a\n", "-- 1 = 1 AND 2\nSELECT 'x OR y' - a\n")]
    public void What_looks_like_code_in_strings_and_comments_is_left_alone(string language, string code, string mutant)
    {
        IReadOnlyList<string> mutants = Of(code, language);
        Assert.Contains(mutant, mutants);
        Assert.DoesNotContain(mutants, other => new[] { "a - b", "a - 1", "b + 2", "1 >= 2", "1 - $", "'x AND y'", "1 = 1 OR 2" }.Any(swapped => other.Contains(swapped, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("python", "def f(xs):\n    return sorted(set(xs))\n", "def f(xs):\n    return (set(xs))\n")]
    [InlineData("python", "def f(s):\n    return s.upper()\n", "def f(s):\n    return s\n")]
    [InlineData("python", "def f(a, b):\n    return g(a, b)\n", "def f(a, b):\n    return g(b, a)\n")]
    [InlineData("python", "def f(s):\n    s.sort()\n    return s\n", "def f(s):\n    pass\n    return s\n")]
    [InlineData("python", "def f(s):\n    if s:\n        return s\n", "def f(s):\n    if not (s):\n        return s\n")]
    [InlineData("python", "def f():\n    return 'a'\n", "def f():\n    return ''\n")]
    [InlineData("javascript", "function f(s) {\n  if (s) return g(s);\n}\n", "function f(s) {\n  if (!(s)) return g(s);\n}\n")]
    [InlineData("go", "func f(s string) string {\n\tif ok(s) {\n\t\treturn s\n\t}\n}\n", "func f(s string) string {\n\tif !(ok(s)) {\n\t\treturn s\n\t}\n}\n")]
    [InlineData("bash", "read -r s\nif grep -q x; then\n  echo \"$s\"\nfi\n", "read -r s\nif ! grep -q x; then\n  echo \"$s\"\nfi\n")]
    [InlineData("sql", "SELECT a FROM t WHERE b;\n", "SELECT a FROM t WHERE NOT b;\n")]
    public void A_program_without_operators_has_mutants_too(string language, string code, string mutant) => Assert.Contains(mutant, Of(code, language));

    [Fact]
    public void The_seed_decides_which_are_drawn()
    {
        string code = string.Join('\n', Enumerable.Range(0, 50).Select(i => $"x{i} = a + {i}"));
        Assert.Equal(Of(code, most: 5), Of(code, most: 5));
        Assert.NotEqual(Of(code, most: 5), Of(code, most: 5, seed: 2));
        Assert.Equal(5, Of(code, most: 5).Count);
    }
}
