using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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
    private readonly ConcurrentDictionary<string, Lazy<Task<Grade>>> grades = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CodeGrader> graders = new(StringComparer.Ordinal);
    private readonly LanguageSandbox sandbox = new(options.Slots, options.Sandbox);

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
            declaration.Error("memory", $"{least.Title} needs {least.LeastMemoryBytes / 1_000_000} MB to start");
        }
    }

    /// <summary>What keeps programs from running on this machine, and what is enforced.</summary>
    /// <param name="language">The one language of rows; null if they say it, and then what is missing for others is only told.</param>
    /// <param name="others">Those that are needed besides.</param>
    public static async ValueTask<EnvironmentFindings> CheckEnvironmentAsync(SandboxBackend backend, CodeLanguage? language, CancellationToken cancellationToken, params IEnumerable<CodeLanguage> others)
    {
        SandboxStatus status = await SandboxProbe.CheckAsync(backend, cancellationToken);
        string[] sandbox = status.Problem is null ? [$"sandbox enforces {string.Join("; ", status.Enforced)}"] : [];
        CodeLanguage[] needed = [.. language is CodeLanguage one ? others.Prepend(one) : others];
        return EnvironmentFindings.Of([status.Problem, .. needed.Distinct().Select(each => CodeLanguages.Of(each).Problem())]) with
        {
            Facts = [.. sandbox, .. language is null ? CodeLanguages.Missing() : []],
        };
    }

    /// <summary>
    /// The verdict. The same program with the same tests has one verdict, so it runs once, however many rows ask for it.
    /// Only a verdict is remembered, not what kept one from being reached, and not for ever: memory stays flat.
    /// </summary>
    /// <param name="alone">Whether what is tested by its output must not find a program that runs another language.</param>
    /// <exception cref="RowFailedException"><c>sandbox</c>: it could not be run; <c>no_toolchain</c>: the language is not installed; <c>bad_tests</c>.</exception>
    public async Task<Grade> GradeAsync(Language language, string code, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken, bool alone = false)
    {
        LanguageSandbox.RequireToolchain(language);
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { language.Name, code, tests, alone }))));
        if (grades.Count >= Remembered)
        {
            grades.Clear();
        }

        while (true)
        {
            Lazy<Task<Grade>> lazy = grades.GetOrAdd(key, _ => new Lazy<Task<Grade>>(() => Grader(language, alone).GradeAsync(code, tests, cancellationToken)));
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

    // A batch of inputs is run by a shell, which is a language too; so each input has a run of its own where no other may be there.
    private CodeGrader Grader(Language language, bool alone) => graders.GetOrAdd($"{language.Name} {alone}", _ => new CodeGrader(
        sandbox.Pool, language, Limits, isolateTests || alone, alone ? OtherLanguages.Hidden(language, withShell: options.Sandbox != SandboxBackend.Bubblewrap) : null));

    /// <summary>What a program prints on each input.</summary>
    /// <exception cref="RowFailedException"><c>sandbox</c>: it could not be run; <c>no_toolchain</c>: the language is not installed.</exception>
    public Task<IReadOnlyList<ProgramRun>> RunAsync(Language language, string code, IReadOnlyList<string> inputs, CancellationToken cancellationToken) => sandbox.UseAsync<IReadOnlyList<ProgramRun>>(
        language, async pool => await new ProgramRunner(pool, language, Limits).RunAsync(code, inputs, together: false, cancellationToken).ToListAsync(cancellationToken));

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();
}
