using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Where a compiler's message is about.</summary>
public sealed class PlaceTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("c", "#line 4242\nint main(void) { return x; }", "undeclared")]
    [InlineData("c", "#line 1 \"other.c\"\nint main(void) { return x; }", "undeclared")]
    [InlineData("c", "__asm__(\"d:\\n.byte 1\\n.byte 2\\n.byte 3\\n.incbin \\\"nothere\\\"\");\nint main(void) { return 0; }", "nothere")]
    [InlineData("cpp", "#include <algorithm>\n#include <list>\nint main() { std::list<int> x; std::sort(x.begin(), x.end()); }", "no match for")]
    [InlineData("csharp", "class A {\n#line 77\n  int x = y;\n}", "'y'")]
    public async Task A_place_that_is_not_in_the_source_is_not_told(string name, string source, string said)
    {
        (Grade grade, SourceAnalysis analysis) = await TriedAsync(name, source);
        Assert.Equal((Verdict.CompileError, 0, 0), (grade.Verdict, grade.Line, grade.Column));
        Assert.Contains(said, grade.Detail, StringComparison.Ordinal);
        Assert.DoesNotMatch("line [0-9]", grade.Detail);
        Assert.All(analysis.Findings, finding => Assert.InRange(finding.Line, 0, source.Split('\n').Length));
    }

    [Fact]
    public async Task A_place_in_the_source_is_told()
    {
        (Grade grade, SourceAnalysis analysis) = await TriedAsync("cpp", "#include <cstdio>\n#include <nothere.h>\nint main() { }");
        Assert.Equal((Verdict.CompileError, 2, 10), (grade.Verdict, grade.Line, grade.Column));
        Assert.Equal((2, 10), (analysis.Findings[0].Line, analysis.Findings[0].Column));
    }

    [Fact]
    public async Task Where_to_read_on_is_not_why_a_compiler_failed()
    {
        (Grade grade, _) = await TriedAsync("c", "char a[1L << 36] = {1};\nint main(void) { return 0; }");
        Assert.Equal(Verdict.CompileError, grade.Verdict);
        Assert.Contains("internal compiler error: File size limit exceeded", grade.Detail, StringComparison.Ordinal);
    }

    private async Task<(Grade, SourceAnalysis)> TriedAsync(string name, string source)
    {
        Language language = LanguageSet.Standard().Find(name)!;
        Grade grade = await new CodeGrader(shared.Pool, language, new SandboxLimits()).GradeAsync(source, [new CodeTest(null, null, "1")], CancellationToken.None);
        return (grade, await new StaticAnalyser(shared.Pool).AnalyseAsync(language, source, CancellationToken.None));
    }
}
