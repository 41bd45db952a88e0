using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Sources as editors of Windows write them.</summary>
public sealed class SourceMarkTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static TheoryData<string> Names => new(Known.All.Select(language => language.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_byte_order_mark_is_no_part_of_a_program(string name)
    {
        LanguageCase tried = LanguageTests.CaseOf(name);
        var grader = new CodeGrader(shared.Pool, Known.Find(name)!, new SandboxLimits());
        Assert.Equal(new Grade(Verdict.Passed, ""), await grader.GradeAsync('\uFEFF' + tried.Hello, [new CodeTest(null, null, "hello")], CancellationToken.None));
        Assert.Equal(new Grade(Verdict.Passed, ""), await grader.GradeAsync('\uFEFF' + tried.Right, tried.Calls, CancellationToken.None));
        Assert.True((await new StaticAnalyser(shared.Pool).AnalyseAsync(Known.Find(name)!, '\uFEFF' + tried.Hello, CancellationToken.None)).Parses);
    }
}
