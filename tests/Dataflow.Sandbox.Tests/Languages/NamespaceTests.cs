using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>What a program declares in a namespace or package.</summary>
public sealed class NamespaceTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    public static TheoryData<string, string, string[]> Programs => new()
    {
        { "csharp", "namespace A;\nclass S { public static int F(int x) => x + 1; }", ["S.F(2)", "A.S.F(2)", "global::A.S.F(2)"] },
        { "csharp", "using System.Linq;\nnamespace A.B\n{\n    public class S { public static int F(int x) => x + 1; }\n}\nnamespace C { public class T { public static int G(int x) => A.B.S.F(x); } }", ["S.F(2)", "A.B.S.F(2)", "T.G(2)", "C.T.G(2)"] },
        { "csharp", "namespace A { namespace B { class S { public static int F(int x) => x + 1; } } }", ["S.F(2)", "A.B.S.F(2)"] },
        { "csharp", "namespace Calculator { public class Calculator { public int Add(int x) => x + 1; public static int F(int x) => x + 1; } }", ["new Calculator().Add(2)", "Calculator.F(2)", "Calculator.Calculator.F(2)", "new Calculator.Calculator().Add(2)"] },
        { "csharp", "// namespace Other;\nnamespace A;\nclass Timer { public static int F(int x) => x + 1; }", ["Timer.F(2)", "A.Timer.F(2)"] },
        { "csharp", "class S { public static string F() => \"namespace X.Y;\"; public static int G(int x) => x + 1; }", ["S.G(2)"] },
        { "java", "package com.x;\nclass Solution { static int f(int x) { return x + 1; } }", ["Solution.f(2)", "com.x.Solution.f(2)"] },
        { "java", "package com.x ;\nimport java.util.*;\npublic class Solution { int f(int x) { return List.of(x + 1).get(0); } }\nclass Other { static int g(int x) { return new com.x.Solution().f(x); } }", ["new Solution().f(2)", "new com.x.Solution().f(2)", "Other.g(2)"] },
        { "java", "package com.x;\nstatic int f(int x) { return x + 1; }", ["f(2)"] },
        { "php", "namespace App;\nconst N = 1;\nfunction f($x) { return $x + N; }\nclass S { static function g($x) { return f($x); } }", ["f(2)", "\\App\\f(2)", "App\\f(2)", "S::g(2)", "\\App\\S::g(2)", "2 + N", "strlen('abc')", "(new \\DateTime('2003-01-01'))->format('Y') - 2000"] },
        { "php", "namespace A { function f($x) { return $x; } function g($x) { return $x + 1; } }\nnamespace { function f($x) { return $x + 1; } }", ["f(2)", "g(2)"] },
        { "php", "function f($x) { return $x + 1; }", ["f(2)", "(new DateTime('2003-01-01'))->format('Y') - 2000"] },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task What_is_declared_in_a_namespace_may_be_called_with_it_or_without(string name, string source, string[] calls)
    {
        Grade grade = await new CodeGrader(shared.Pool, LanguageSet.Standard().Find(name)!, new SandboxLimits()).GradeAsync(source, calls.Select(call => new CodeTest(call, null, "3")).ToArray(), CancellationToken.None);
        Assert.Equal(new Grade(Verdict.Passed, ""), grade);
    }

    [Theory]
    [InlineData("csharp", "namespace A;\nclass S { public static int F(int x) => x + 1; }", "S.F(2)", "S.H(2)")]
    [InlineData("java", "package a;\nclass S { static int F(int x) { return x + 1; } }", "S.F(2)", "a.S.H(2)")]
    public async Task A_call_that_does_not_compile_is_named_there_too(string name, string source, string right, string wrong)
    {
        CodeTest[] tests = [new(right, null, "3"), new(wrong, null, "3"), new(right, null, "3")];
        Grade grade = await new CodeGrader(shared.Pool, LanguageSet.Standard().Find(name)!, new SandboxLimits()).GradeAsync(source, tests, CancellationToken.None);
        Assert.Equal(Verdict.CompileError, grade.Verdict);
        Assert.StartsWith($"test 2: {wrong} does not compile with it", grade.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mb_strlen('é')", "1")]
    [InlineData("ctype_alpha('abc')", "true")]
    [InlineData("iconv_strlen('é', 'UTF-8')", "1")]
    public async Task PHP_has_the_extensions_that_programs_take_for_granted(string call, string expected) => Assert.Equal(
        new Grade(Verdict.Passed, ""), await new CodeGrader(shared.Pool, new Php(), new SandboxLimits()).GradeAsync("", [new CodeTest(call, null, expected, true)], CancellationToken.None));
}
