using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>What is a script and what a module is decided as Node.js decides it.</summary>
public sealed class NodeModuleTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    [Theory]
    [InlineData("javascript", "await 1;console.log(1)")]
    [InlineData("javascript", "const x = await Promise.resolve(1);\nconsole.log(x)")]
    [InlineData("javascript", "for await (const x of [Promise.resolve(1)]) console.log(x)")]
    [InlineData("javascript", "  import fs from 'fs'; console.log(typeof fs.readFileSync === 'function' ? 1 : 2)")]
    [InlineData("typescript", "await 1;console.log(1)")]
    [InlineData("typescript", "const x: number = await Promise.resolve(1);\nconsole.log(x)")]
    [InlineData("typescript", "for await (const x of [Promise.resolve(1)]) console.log(x)")]
    [InlineData("typescript", "import fs from 'fs';\nconst x: number = await Promise.resolve(1);\nconsole.log(x)")]
    public Task A_module_may_await_at_top_level(string language, string source) => ParsesAndPrintsOneAsync(language, source);

    [Theory]
    [InlineData("javascript", "const text = `\nimport x from 'y'\nexport default 1\n`;\nconsole.log(require('fs') ? 1 : 2)")]
    [InlineData("javascript", "/*\nexport default 1\n*/\nvar await = 1; with ({ a: 1 }) console.log(a)")]
    [InlineData("typescript", "declare const require: any;\nconst text: string = `\nimport x from 'y'\n`;\nconsole.log(require('fs') ? 1 : 2)")]
    [InlineData("typescript", "declare const require: any;\nimport fs = require('fs');\nconsole.log(typeof fs.readFileSync === 'function' ? 1 : 2)")]
    public Task What_can_be_read_as_a_script_is_one(string language, string source) => ParsesAndPrintsOneAsync(language, source);

    [Theory]
    [InlineData("javascript", "import fs from 'fs';\nconst y = = 2;\n")]
    [InlineData("javascript", "export const x = 1;\nconst y = = 2;\n")]
    public async Task A_module_with_a_mistake_does_not_parse(string language, string source)
    {
        Grade grade = await shared.GradeAsync(language, source, new CodeTest(null, null, "1"));
        Assert.Equal((Verdict.CompileError, 2, 11), (grade.Verdict, grade.Line, grade.Column));
        SourceAnalysis analysis = await new StaticAnalyser(shared.Pool).AnalyseAsync(Known.Find(language)!, source, CancellationToken.None);
        Assert.Equal((false, 2, 11), (analysis.Parses, analysis.Findings[0].Line, analysis.Findings[0].Column));
    }

    [Theory]
    [InlineData("javascript", "const base = await Promise.resolve(2);\nconst square = (x) => x ** base;")]
    [InlineData("javascript", "import fs from 'fs';\nexport const square = (x) => x * x;")]
    [InlineData("javascript", "const square = (x) => x * x;\nmodule.exports = { square };")]
    [InlineData("typescript", "const base: number = await Promise.resolve(2);\nconst square = (x: number): number => x ** base;")]
    [InlineData("typescript", "declare const module: any;\nconst square = (x: number): number => x * x;\nmodule.exports = { square };")]
    [InlineData("typescript", "const square = (x: number): number => x * x;\nexport = square;")]
    public async Task Scripts_and_modules_are_called_alike(string language, string source)
    {
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(language, source, new CodeTest("square(3)", null, "9"), new CodeTest("Promise.resolve(square(2))", null, "4")));
        Assert.Equal(Verdict.Failed, (await shared.GradeAsync(language, source, new CodeTest("square(3)", null, "8"))).Verdict);
    }

    private async Task ParsesAndPrintsOneAsync(string name, string source)
    {
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(name, source, new CodeTest(null, null, "1")));
        SourceAnalysis analysis = await new StaticAnalyser(shared.Pool).AnalyseAsync(Known.Find(name)!, source, CancellationToken.None);
        Assert.True(analysis.Parses);
        Assert.DoesNotContain(analysis.Findings, finding => finding.Code is "TS1375" or "TS1378" or "TS1431" or "TS1432");
    }
}
