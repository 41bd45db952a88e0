using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.Liquid;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.execute", "Runs code in the sandbox against its tests; what the program prints or exits with cannot make it pass.", Version = 4)]
public sealed class Execute(ExecuteOptions options) : IRowStage, IStage<ExecuteOptions>, IEnvironmentCheck, IAsyncDisposable
{
    private readonly LiquidTemplate? program = options.Expression is null ? LiquidTemplate.Parse(options.Program) : null;
    private readonly LiquidTemplate? expression = options.Expression is null ? null : LiquidTemplate.Parse(options.Expression);
    private readonly LiquidTemplate? expected = options.Expected is null ? null : LiquidTemplate.Parse(options.Expected);
    private readonly CodeRunner runner = new(options, options.IsolateTests);

    public static void Declare(ExecuteOptions options, StageDeclaration declaration)
    {
        if (options.Expression is not null)
        {
            LiquidTemplate.Check(options.Expression, "expression", declaration);
            LiquidTemplate.Check(options.Expected, "expected", declaration);
            if (options.Expected is null)
            {
                declaration.Error("expression", "an expression needs 'expected'");
            }

            if (options.Program != new ExecuteOptions().Program)
            {
                declaration.Error("expression", "give either a 'program' with its tests or an 'expression'");
            }
        }
        else
        {
            LiquidTemplate.Check(options.Program, "program", declaration);
            declaration.Require(options.Tests, "tests");
            if (options.Expected is not null)
            {
                declaration.Error("expected", "'expected' goes with an 'expression'; a program has its 'tests'");
            }
        }

        CodeRunner.Check(options, options.LanguageColumn is null ? options.Language : null, declaration);
        if (options.LanguageColumn is not null)
        {
            declaration.Require(options.LanguageColumn, "language_column");
        }

        Schema schema = declaration.Input.With(("passed", Columns.Boolean), ("verdict", Columns.Text), ("detail", Columns.Text));
        declaration.Port("out", schema, optional: true);
        declaration.Port("passed", schema, optional: true);
        declaration.Port("failed", schema, optional: true);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        CodeRunner.CheckEnvironmentAsync(options.Sandbox, options.LanguageColumn is null ? options.Language : null, cancellationToken);

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = options.LanguageColumn is null ? CodeLanguages.Of(options.Language) : CodeLanguages.Of(options.LanguageColumn, row);
        (string code, IReadOnlyList<CodeTest> tests) = Job(row, language);
        Grade grade = await runner.GradeAsync(language, code, tests, cancellationToken);
        bool passed = grade.Verdict == Verdict.Passed;
        (string, object?)[] values = [("passed", passed), ("verdict", SnakeCase.From(grade.Verdict.ToString())), ("detail", grade.Detail)];
        output.Emit("out", values);
        output.Emit(passed ? "passed" : "failed", values);
    }

    public ValueTask DisposeAsync() => runner.DisposeAsync();

    private (string Code, IReadOnlyList<CodeTest> Tests) Job(Row row, Language language) => expression is not null
        ? ("", [new CodeTest(expression.Render(row), null, expected!.Render(row))])
        : (program!.Render(row), TestRows.Read(row[options.Tests], options.Tests, language));
}

public sealed record ExecuteOptions : ISandboxOptions
{
    [Description("Language of the code.")]
    public CodeLanguage Language { get; init; } = CodeLanguage.Python;

    [Description("Column with the language of each row, by its name or by that of a fenced code block, in place of 'language'.")]
    public string? LanguageColumn { get; init; }

    [Description("Liquid template of the program.")]
    public string Program { get; init; } = "{{ response }}";

    [Description("Column with the program's tests: a list of {call, expected} or {stdin, expected}, or for Python of assertions such as 'f(2) == 4'; the same as JSON text, or assertions in lines. What a call is expected to give is an expression of the language as text, or a JSON value; under 'expected_json' a text is a JSON value too, and under 'expected_code' it is always an expression.")]
    public string Tests { get; init; } = "tests";

    [Description("Liquid template of one expression to evaluate, in place of a program with tests.")]
    public string? Expression { get; init; }

    [Description("Liquid template of the expression that it must equal in value, such as a literal.")]
    public string? Expected { get; init; }

    [Description("Whether each stdin test has a sandbox of its own; if not, one sandbox runs a program with all its inputs, one after another, which is quicker.")]
    public bool IsolateTests { get; init; }

    [Description("Wall time, and CPU time, of one program: for each stdin test, and for all calls together. Compiling has its own."), Shortest(0.1)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    [Description("Memory of one program; Python needs 64 MB at least."), ByteSize]
    public long Memory { get; init; } = 512_000_000;

    [Description("Programs at a time; the number of processors if absent."), Range(1, 64)]
    public int? Slots { get; init; }

    [Description("What isolates a program: bubblewrap, or podman or runsc, which are slower and need root.")]
    public SandboxBackend Sandbox { get; init; } = SandboxBackend.Bubblewrap;
}
