using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Checks and linters of every language, which run nothing of a source.</summary>
public sealed class StaticAnalyserTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static TheoryData<string> Names => new(Known.All.Select(language => language.Name));

    public static TheoryData<string, string, int, int, string> Suspicious => new()
    {
        { "python", "import os\nprint(1)\n", 1, 1, "" },
        { "typescript", "const x: number = 1;\nconst y: string = x;\n", 2, 7, "TS2322" },
        { "c", "int main(void) {\n  int x;\n  return 0;\n}\n", 2, 7, "unused-variable" },
        { "cpp", "int main() {\n  int x;\n  return 0;\n}\n", 2, 7, "unused-variable" },
        { "csharp", "class A {\n  static void Main() { int x; }\n}\n", 2, 28, "CS0168" },
        { "java", "import java.util.*;\nclass Main {\n  List x = new ArrayList<String>();\n}\n", 3, 3, "rawtypes" },
        { "go", "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Printf(\"%d\\n\", \"x\") }\n", 5, 15, "" },
        { "rust", "fn main() {\n    let x = 1;\n}\n", 2, 9, "" },
        { "bash", "x=$1\necho $x\n", 2, 6, "SC2086" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_good_source_parses_and_a_broken_one_does_not(string name)
    {
        LanguageCase tried = LanguageTests.CaseOf(name);
        Language language = Known.Find(name)!;
        var analyser = new StaticAnalyser(shared.Pool);
        IReadOnlyList<SourceAnalysis> analyses = await analyser.AnalyseAsync(language, [tried.Hello, tried.Broken, tried.Right], CancellationToken.None);
        // C# tells form and meaning apart, and what is broken there is a meaning.
        Assert.Equal([true, name == "csharp", true], analyses.Select(analysis => analysis.Parses));
        Assert.DoesNotContain(analyses[0].Findings, finding => finding.Severity == Severity.Error);
        Finding error = analyses[1].Findings.First(finding => finding.Severity == Severity.Error);
        Assert.Equal((language.SourceName, tried.BrokenLine, tried.BrokenColumn), (error.File, error.Line, error.Column));
        Assert.Equal(analyses[1], await analyser.AnalyseAsync(language, tried.Broken, CancellationToken.None), Same);
    }

    [Fact]
    public async Task CSharp_that_is_cut_off_does_not_parse_and_CSharp_without_its_libraries_does() => Assert.Equal(
        [false, true, true],
        await new StaticAnalyser(shared.Pool).ParseAsync(Known.Find("csharp")!, ["class A { void B( ", "class A : Missing.Base { }", "System.Console.WriteLine(1);"], CancellationToken.None));

    [Theory]
    [MemberData(nameof(Suspicious))]
    public async Task A_linter_tells_where_a_source_is_suspicious(string name, string source, int line, int column, string code)
    {
        SourceAnalysis analysis = await new StaticAnalyser(shared.Pool).AnalyseAsync(Known.Find(name)!, source, CancellationToken.None);
        Assert.True(analysis.Parses);
        Assert.Contains((line, column, code), analysis.Findings.Select(finding => (finding.Line, finding.Column, finding.Code)));
    }

    private static bool Same(SourceAnalysis a, SourceAnalysis b) => a.Parses == b.Parses && a.Findings.SequenceEqual(b.Findings);
}
