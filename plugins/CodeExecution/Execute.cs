using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.execute", "Runs code in the sandbox against its tests; what the program prints or exits with cannot make it pass.", Version = 2)]
public sealed class Execute : IRowStage, IStage<ExecuteOptions>, IEnvironmentCheck, IAsyncDisposable
{
    private const int Remembered = 100_000;

    private readonly ExecuteOptions options;
    private readonly LiquidTemplate? program;
    private readonly LiquidTemplate? expression;
    private readonly LiquidTemplate? expected;
    private readonly ConcurrentDictionary<string, Lazy<Task<Grade>>> grades = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CodeGrader> graders = new(StringComparer.Ordinal);
    private readonly LanguageSet languages = LanguageSet.Standard();
    private readonly Language language;
    private readonly Lazy<SandboxPool> pool;

    public Execute(ExecuteOptions options)
    {
        this.options = options;
        language = Chosen(languages, options);
        program = options.Expression is null ? LiquidTemplate.Parse(options.Program) : null;
        expression = options.Expression is null ? null : LiquidTemplate.Parse(options.Expression);
        expected = options.Expected is null ? null : LiquidTemplate.Parse(options.Expected);
        pool = new Lazy<SandboxPool>(() => SandboxPool.Create(options.Slots ?? Environment.ProcessorCount));
    }

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

        if (options.Timeout <= TimeSpan.Zero)
        {
            declaration.Error("timeout", "a program needs some time");
        }

        Language language = Chosen(LanguageSet.Standard(), options);
        if (options.Memory < language.LeastMemoryBytes)
        {
            // Below it the language itself does not start, which would look like a failure of every program.
            declaration.Error("memory", $"{language.Name} needs {language.LeastMemoryBytes / 1_000_000} MB to start");
        }

        if (options.LanguageColumn is not null)
        {
            declaration.Require(options.LanguageColumn, "language_column");
        }

        Schema schema = declaration.Input.With(("passed", Columns.Boolean), ("verdict", Columns.Text), ("detail", Columns.Text));
        declaration.Port("out", schema, optional: true);
        declaration.Port("passed", schema, optional: true);
        declaration.Port("failed", schema, optional: true);
    }

    public async ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken)
    {
        SandboxStatus status = await SandboxProbe.CheckAsync(cancellationToken);
        var facts = new List<string>();
        if (status.Problem is null)
        {
            facts.Add($"sandbox enforces {string.Join("; ", status.Enforced)}");
        }

        if (options.LanguageColumn is not null)
        {
            // Which languages the rows will name is not known yet.
            facts.AddRange(languages.All.Select(each => each.Problem()).OfType<string>());
        }

        return EnvironmentFindings.Of(status.Problem, options.LanguageColumn is null ? language.Problem() : null) with { Facts = facts };
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language spoken = LanguageOf(row);
        (string code, IReadOnlyList<CodeTest> tests) = Job(row, spoken);
        Grade grade = await GradeOnceAsync(spoken, code, tests, cancellationToken);
        bool passed = grade.Verdict == Verdict.Passed;
        (string, object?)[] values = [("passed", passed), ("verdict", SnakeCase.From(grade.Verdict.ToString())), ("detail", grade.Detail)];
        output.Emit("out", values);
        output.Emit(passed ? "passed" : "failed", values);
    }

    public async ValueTask DisposeAsync()
    {
        if (pool.IsValueCreated)
        {
            await pool.Value.DisposeAsync();
        }
    }

    private static Language Chosen(LanguageSet languages, ExecuteOptions options) => languages.Find(options.Language.ToString())!;

    private Language LanguageOf(Row row)
    {
        if (options.LanguageColumn is null)
        {
            return language;
        }

        string name = ArrowValues.Display(row[options.LanguageColumn]);
        Language spoken = languages.Find(name) ?? throw new RowFailedException("unknown_language", $"column '{options.LanguageColumn}': '{name}' is not one of {string.Join(", ", languages.All.Select(each => each.Name))}");
        return spoken.Problem() is string problem ? throw new RowFailedException("no_toolchain", problem) : spoken;
    }

    private (string Code, IReadOnlyList<CodeTest> Tests) Job(Row row, Language spoken) => expression is not null
        ? ("", [new CodeTest(expression.Render(row), null, expected!.Render(row))])
        : (program!.Render(row), TestRows.Read(row[options.Tests], options.Tests, spoken));

    // The same program with the same tests has one verdict, so it runs once, however many rows ask for it. Only a verdict
    // is remembered, not what kept one from being reached, and not for ever: memory stays flat.
    private async Task<Grade> GradeOnceAsync(Language spoken, string code, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken)
    {
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { spoken.Name, code, tests }))));
        if (grades.Count >= Remembered)
        {
            grades.Clear();
        }

        while (true)
        {
            Lazy<Task<Grade>> lazy = grades.GetOrAdd(key, _ => new Lazy<Task<Grade>>(() => Grader(spoken).GradeAsync(code, tests, cancellationToken)));
            try
            {
                return await lazy.Value.WaitAsync(cancellationToken);
            }
            catch (ArgumentException failure)
            {
                throw new RowFailedException("bad_tests", failure.Message, failure);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Whoever began the run gave it up; this row begins it again.
                grades.TryRemove(KeyValuePair.Create(key, lazy));
            }
            catch (Exception failure)
            {
                grades.TryRemove(KeyValuePair.Create(key, lazy));
                if (failure is SandboxException)
                {
                    throw new RowFailedException("sandbox", failure.Message, failure);
                }

                throw;
            }
        }
    }

    private CodeGrader Grader(Language spoken) => graders.GetOrAdd(spoken.Name, _ => new CodeGrader(
        pool.Value, spoken, new SandboxLimits { WallTime = options.Timeout, CpuTime = options.Timeout, MemoryBytes = options.Memory }, options.IsolateTests));
}

public sealed record ExecuteOptions
{
    [Description("Language of the code.")]
    public CodeLanguage Language { get; init; } = CodeLanguage.Python;

    [Description("Column with the language of each row, by its name or by that of a fenced code block, in place of 'language'.")]
    public string? LanguageColumn { get; init; }

    [Description("Liquid template of the program.")]
    public string Program { get; init; } = "{{ response }}";

    [Description("Column with the program's tests: a list of {call, expected} or {stdin, expected}, or for Python of assertions such as 'f(2) == 4'; the same as JSON text, or assertions in lines. What a call is expected to give is an expression of the language as text, or a JSON value.")]
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
}

public enum CodeLanguage
{
    Python,
    Javascript,
    Typescript,
    C,
    Cpp,
    Csharp,
    Java,
    Go,
    Rust,
    Php,
    Bash,
    Sql,
}
