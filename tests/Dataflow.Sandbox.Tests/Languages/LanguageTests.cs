using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Every language through the real toolchain: each kind of program has exactly its verdict.</summary>
public sealed class LanguageTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    private static readonly IReadOnlyDictionary<string, LanguageCase> Cases = new Dictionary<string, LanguageCase>
    {
        ["python"] = ScriptCases.Python,
        ["javascript"] = ScriptCases.JavaScript,
        ["typescript"] = ScriptCases.TypeScript,
        ["c"] = CompiledCases.C,
        ["cpp"] = CompiledCases.Cpp,
        ["csharp"] = CompiledCases.CSharp,
        ["java"] = CompiledCases.Java,
        ["go"] = CompiledCases.Go,
        ["rust"] = CompiledCases.Rust,
        ["php"] = ScriptCases.Php,
        ["bash"] = ScriptCases.Bash,
        ["sql"] = ScriptCases.Sql,
    };

    public static LanguageCase CaseOf(string name) => Cases[name];

    public static TheoryData<string> Names => new(Known.All.Select(language => language.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_program_is_judged_by_what_it_prints(string name)
    {
        LanguageCase tried = Cases[name];
        Assert.Equal(new Grade(Verdict.Passed, ""), await GradeAsync(name, tried.Hello, new CodeTest(null, null, "hello")));
        Assert.Equal(new Grade(Verdict.Failed, "test 2: printed 42\n"), Trimmed(await GradeAsync(name, tried.Next, new CodeTest(null, tried.Inputs.Seven, "8"), new CodeTest(null, tried.Inputs.FortyOne, "43"))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_program_that_does_not_compile_is_told_with_its_position(string name)
    {
        LanguageCase tried = Cases[name];
        foreach (CodeTest test in new[] { new CodeTest(null, null, "hello"), tried.Calls[0] })
        {
            Grade grade = await GradeAsync(name, tried.Broken, test);
            Assert.Equal((Verdict.CompileError, tried.BrokenLine, tried.BrokenColumn), (grade.Verdict, grade.Line, grade.Column));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_program_that_fails_says_why(string name)
    {
        Grade grade = await GradeAsync(name, Cases[name].Fails, new CodeTest(null, null, "hello"));
        Assert.Equal(Verdict.RuntimeError, grade.Verdict);
        Assert.Contains(Cases[name].Reason, grade.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_program_without_end_runs_out_of_time(string name) =>
        Assert.Equal((Verdict.Timeout, "test 1: ran past its time"), Short(await GradeAsync(name, TimeSpan.FromSeconds(1), Cases[name].Endless, new CodeTest(null, null, "hello"))));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_program_that_takes_too_much_memory_is_told_so(string name) =>
        Assert.Equal(Verdict.MemoryLimit, (await GradeAsync(name, TimeSpan.FromSeconds(20), Cases[name].Hungry, new CodeTest(null, null, "hello"))).Verdict);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Calls_are_judged_by_their_values(string name)
    {
        LanguageCase tried = Cases[name];
        Assert.Equal(new Grade(Verdict.Passed, ""), await GradeAsync(name, tried.Right, tried.Calls));
        Grade wrong = await GradeAsync(name, tried.Wrong, tried.Calls);
        Assert.Equal(Verdict.Failed, wrong.Verdict);
        Assert.StartsWith("test 2: ", wrong.Detail, StringComparison.Ordinal);
        Assert.EndsWith("gave -1", wrong.Detail.Replace("\"", "", StringComparison.Ordinal).Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_test_of_something_that_the_candidate_lacks_is_named(string name)
    {
        LanguageCase tried = Cases[name];
        Grade grade = await GradeAsync(name, tried.Right, tried.Calls[0], tried.Foreign);
        Assert.Equal(tried.ForeignVerdict, grade.Verdict);
        Assert.StartsWith("test 2", grade.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_forged_pass_does_not_pass(string name)
    {
        foreach (string forgery in Cases[name].Forgeries)
        {
            Assert.NotEqual(Verdict.Passed, (await GradeAsync(name, forgery, Cases[name].Calls)).Verdict);
        }
    }

    private static Grade Trimmed(Grade grade) => grade with { Detail = grade.Detail.TrimEnd() + "\n" };

    private static (Verdict, string) Short(Grade grade) => (grade.Verdict, grade.Detail);

    private Task<Grade> GradeAsync(string name, string source, params CodeTest[] tests) => GradeAsync(name, TimeSpan.FromSeconds(2), source, tests);

    private Task<Grade> GradeAsync(string name, TimeSpan time, string source, params CodeTest[] tests)
    {
        var limits = new SandboxLimits { WallTime = time, CpuTime = time, MemoryBytes = 256_000_000 };
        return new CodeGrader(shared.Pool, Known.Find(name)!, limits).GradeAsync(source, tests, CancellationToken.None);
    }
}

/// <summary>One pool for all tests of a class.</summary>
public sealed class LanguagePool : IAsyncDisposable
{
    public SandboxPool Pool { get; } = SandboxPool.Create(2);

    /// <summary>The grade within the usual limits.</summary>
    public Task<Grade> GradeAsync(string language, string source, params CodeTest[] tests) =>
        new CodeGrader(Pool, LanguageSet.Standard().Find(language)!, new SandboxLimits()).GradeAsync(source, tests, CancellationToken.None);

    public ValueTask DisposeAsync() => Pool.DisposeAsync();
}
