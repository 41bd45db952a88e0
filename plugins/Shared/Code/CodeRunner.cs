using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>Runs candidates of any language for a stage, in a pool of the stage's own that starts with its first program.</summary>
/// <param name="isolateTests">Whether each input of a program has a sandbox of its own.</param>
internal sealed class CodeRunner(ISandboxOptions options, bool isolateTests = false) : IAsyncDisposable
{
    private const int Remembered = 100_000;
    private const int MostMutants = 10;
    private readonly ConcurrentDictionary<string, Lazy<Task<Grade>>> grades = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CodeGrader> graders = new(StringComparer.Ordinal);
    private readonly Lazy<SandboxPool> pool = new(() => SandboxPool.Create(options.Slots ?? Environment.ProcessorCount, options.Sandbox));

    private SandboxLimits Limits => new() { WallTime = options.Timeout, CpuTime = options.Timeout, MemoryBytes = options.Memory };

    /// <summary>Complains of limits under which no program could run.</summary>
    /// <param name="language">The one language; null if rows say it.</param>
    public static void Check(ISandboxOptions options, CodeLanguage? language, StageDeclaration declaration)
    {
        if (options.Timeout <= TimeSpan.Zero)
        {
            declaration.Error("timeout", "a program needs some time");
        }

        Language least = CodeLanguages.Of(language ?? CodeLanguage.Python);
        if (options.Memory < least.LeastMemoryBytes)
        {
            // Below it the language itself does not start, which would look like a failure of every program.
            declaration.Error("memory", $"{CodeLanguages.Title(least)} needs {least.LeastMemoryBytes / 1_000_000} MB to start");
        }
    }

    /// <summary>What keeps programs from running on this machine, and what is enforced.</summary>
    /// <param name="language">The one language; null if rows say it, and then what is missing for others is only told.</param>
    public static async ValueTask<EnvironmentFindings> CheckEnvironmentAsync(SandboxBackend backend, CodeLanguage? language, CancellationToken cancellationToken)
    {
        SandboxStatus status = await SandboxProbe.CheckAsync(backend, cancellationToken);
        string[] sandbox = status.Problem is null ? [$"sandbox enforces {string.Join("; ", status.Enforced)}"] : [];
        return EnvironmentFindings.Of(status.Problem, language is CodeLanguage one ? CodeLanguages.Of(one).Problem() : null) with
        {
            Facts = [.. sandbox, .. language is null ? CodeLanguages.Missing() : []],
        };
    }

    /// <summary>
    /// The verdict. The same program with the same tests has one verdict, so it runs once, however many rows ask for it.
    /// Only a verdict is remembered, not what kept one from being reached, and not for ever: memory stays flat.
    /// </summary>
    /// <exception cref="RowFailedException"><c>sandbox</c>: it could not be run; <c>no_toolchain</c>: the language is not installed; <c>bad_tests</c>.</exception>
    public async Task<Grade> GradeAsync(Language language, string code, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken)
    {
        RequireToolchain(language);
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { language.Name, code, tests }))));
        if (grades.Count >= Remembered)
        {
            grades.Clear();
        }

        while (true)
        {
            Lazy<Task<Grade>> lazy = grades.GetOrAdd(key, _ => new Lazy<Task<Grade>>(() => Grader(language).GradeAsync(code, tests, cancellationToken)));
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

    /// <summary>Why tests are worth nothing, beginning with a word for the kind; null if they can tell right from wrong.</summary>
    public async Task<string?> ProblemAsync(Language language, string code, JsonArray tests, ulong seed, CancellationToken cancellationToken)
    {
        if (tests.Count == 0)
        {
            return "no_tests: the list is empty";
        }

        IReadOnlyList<CodeTest> read;
        Grade grade;
        try
        {
            read = TestRows.Read(tests.ToJsonString(), "tests", language);
            grade = await GradeAsync(language, code, read, cancellationToken);
        }
        catch (RowFailedException failure) when (failure.Code == "bad_tests")
        {
            return "bad_tests: " + failure.Message;
        }

        // Tests that a solution fails are no empty ones; who is wrong is for the repair to find out.
        return grade.Verdict == Verdict.Passed ? await VacuousAsync(language, code, read, seed, cancellationToken) : null;
    }

    private CodeGrader Grader(Language language) => graders.GetOrAdd(language.Name, _ => new CodeGrader(pool.Value, language, Limits, isolateTests));

    private static void RequireToolchain(Language language)
    {
        if (language.Problem() is string absent)
        {
            throw new RowFailedException("no_toolchain", absent);
        }
    }

    private static string LineComment(Language language) => language.Name switch
    {
        "python" or "bash" => "#",
        "sql" => "--",
        _ => "//",
    };

    // A mutant that does not compile or run says nothing of the tests: only a wrong value that they notice counts.
    private async Task<string?> VacuousAsync(Language language, string code, IReadOnlyList<CodeTest> tests, ulong seed, CancellationToken cancellationToken)
    {
        int ran = 0;
        foreach (string mutant in Mutants.Of(code, LineComment(language), MostMutants, seed))
        {
            Grade grade = await GradeAsync(language, mutant, tests, cancellationToken);
            if (grade.Verdict == Verdict.Failed)
            {
                return null;
            }

            ran += grade.Verdict == Verdict.Passed ? 1 : 0;
        }

        return ran > 0 ? $"vacuous: {ran} mutants of the solution pass as well" : "unproven: no mutant of the solution gives a value at all";
    }

    /// <summary>What a program prints on each input.</summary>
    /// <exception cref="RowFailedException"><c>sandbox</c>: it could not be run; <c>no_toolchain</c>: the language is not installed.</exception>
    public async Task<IReadOnlyList<ProgramRun>> RunAsync(Language language, string code, IReadOnlyList<string> inputs, CancellationToken cancellationToken)
    {
        RequireToolchain(language);
        try
        {
            return await new ProgramRunner(pool.Value, language, Limits).RunAsync(code, inputs, cancellationToken);
        }
        catch (SandboxException failure)
        {
            throw new RowFailedException("sandbox", failure.Message, failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (pool.IsValueCreated)
        {
            await pool.Value.DisposeAsync();
        }
    }
}
