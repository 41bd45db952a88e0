using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Python;

public enum Verdict
{
    Passed,
    Failed,
    Error,
    Timeout,
    OutputLimit,
    MemoryLimit,
    NoTests,
}

/// <summary>A verdict and what led to it, without anything that changes from run to run.</summary>
public sealed record Grade(Verdict Verdict, string Detail);

/// <summary>One test: either a call and the value it must give, or an input and the output that must follow.</summary>
/// <param name="Call">A Python expression over the candidate's names.</param>
/// <param name="Expected">A Python literal for a call; text for an output.</param>
public sealed record PythonTest(string? Call, string? Stdin, string Expected);

/// <summary>
/// Grades Python in the sandbox. The sandbox only computes: values and output come out, and are compared out here with
/// expectations that never went in, so a candidate can pass only by giving the right values.
/// </summary>
public sealed class PythonGrader(SandboxPool pool, SandboxLimits limits)
{
    private const string Interpreter = "/usr/bin/python3";
    private static readonly SandboxFile Harness = LoadHarness();

    /// <summary>Why Python cannot be graded here; null if it can.</summary>
    public static string? Problem() => File.Exists(Interpreter) ? null : "python3 is not installed; install it with 'apt-get install python3'";

    /// <summary>Evaluates one expression and compares its value with a Python literal.</summary>
    public Task<Grade> GradeExpressionAsync(string expression, string expectedLiteral, CancellationToken cancellationToken) =>
        GradeAsync("", [new PythonTest(expression, null, expectedLiteral)], cancellationToken);

    /// <summary>Loads the candidate and runs every test; the first that fails decides.</summary>
    /// <exception cref="ArgumentException">A test that is not Python: never a statement about the candidate.</exception>
    public async Task<Grade> GradeAsync(string candidate, IReadOnlyList<PythonTest> tests, CancellationToken cancellationToken)
    {
        if (tests.Count == 0)
        {
            return new Grade(Verdict.NoTests, "there is nothing to test it with");
        }

        PythonTest[] calls = tests.Where(test => test.Call is not null).ToArray();
        if (calls.Length > 0 && await GradeCallsAsync(candidate, calls, cancellationToken) is { Verdict: not Verdict.Passed } failed)
        {
            return failed;
        }

        foreach (PythonTest test in tests.Where(test => test.Call is null))
        {
            Grade grade = await GradeOutputAsync(candidate, test, cancellationToken);
            if (grade.Verdict != Verdict.Passed)
            {
                return grade;
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    private async Task<Grade> GradeCallsAsync(string candidate, PythonTest[] tests, CancellationToken cancellationToken)
    {
        IReadOnlyList<JsonNode?> expected = await ExpectedAsync(tests, cancellationToken);
        Evaluation given = await EvaluateAsync(candidate, tests.Select(test => test.Call!), cancellationToken);
        for (int i = 0; i < tests.Length; i++)
        {
            if (i >= given.Answers.Count)
            {
                return given.Failure ?? new Grade(Verdict.Error, $"test {i + 1}: no value came back");
            }

            string? error = (string?)given.Answers[i]?["error"];
            if (error is not null)
            {
                await ThrowIfNoExpressionAsync(candidate, tests[i].Call!, error, cancellationToken);
                return new Grade(Verdict.Error, $"test {i + 1}: {error}");
            }

            if (!JsonNode.DeepEquals(given.Answers[i]?["value"], expected[i]))
            {
                return new Grade(Verdict.Failed, $"test {i + 1}: {tests[i].Call} gave {Short(given.Answers[i]?["value"]?.ToJsonString() ?? "None")}");
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    // A call that Python cannot parse is the test's mistake, which a run without the candidate shows beyond doubt.
    private async Task ThrowIfNoExpressionAsync(string candidate, string call, string error, CancellationToken cancellationToken)
    {
        if (candidate.Length > 0 && error.StartsWith("SyntaxError", StringComparison.Ordinal))
        {
            Evaluation alone = await EvaluateAsync("", [call], cancellationToken);
            if (alone.Answers.Count > 0 && ((string?)alone.Answers[0]?["error"])?.StartsWith("SyntaxError", StringComparison.Ordinal) == true)
            {
                throw new ArgumentException($"the call '{Short(call)}' is not a Python expression");
            }
        }
    }

    // The expectations are literals of ours. What is not simple is evaluated by a run of its own, without the candidate.
    private async Task<IReadOnlyList<JsonNode?>> ExpectedAsync(PythonTest[] tests, CancellationToken cancellationToken)
    {
        var values = new JsonNode?[tests.Length];
        int[] hard = Enumerable.Range(0, tests.Length).Where(i => !PythonLiteral.TryRead(tests[i].Expected, out values[i])).ToArray();
        if (hard.Length == 0)
        {
            return values;
        }

        Evaluation evaluated = await EvaluateAsync("", hard.Select(i => tests[i].Expected), cancellationToken);
        for (int i = 0; i < hard.Length; i++)
        {
            JsonNode? answer = i < evaluated.Answers.Count ? evaluated.Answers[i] : null;
            if (answer is null || answer["error"] is not null)
            {
                throw new ArgumentException($"the expected value '{Short(tests[hard[i]].Expected)}' is not a Python literal");
            }

            values[hard[i]] = answer["value"]?.DeepClone();
        }

        return values;
    }

    private async Task<Grade> GradeOutputAsync(string candidate, PythonTest test, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(candidate) };
        SandboxResult result = await pool.RunAsync(
            new SandboxRequest([Interpreter, "-I", "-S", "/job/main.py"], files, Encoding.UTF8.GetBytes(test.Stdin ?? ""), limits), cancellationToken);
        if (Abnormal(result) is Grade abnormal)
        {
            return abnormal;
        }

        if (result.ExitCode != 0)
        {
            return new Grade(Verdict.Error, LastLine(result.Stderr));
        }

        string output = Encoding.UTF8.GetString(result.Stdout);
        return TrimLines(output) == TrimLines(test.Expected) ? new Grade(Verdict.Passed, "") : new Grade(Verdict.Failed, "printed " + Short(output));
    }

    private async Task<Evaluation> EvaluateAsync(string source, IEnumerable<string> expressions, CancellationToken cancellationToken)
    {
        byte[] job = JsonSerializer.SerializeToUtf8Bytes(new { source, expressions });
        var files = new Dictionary<string, SandboxFile> { ["harness.py"] = Harness };
        SandboxResult result = await pool.RunAsync(new SandboxRequest([Interpreter, "-I", "-S", "/job/harness.py"], files, job, limits), cancellationToken);
        var answers = new List<JsonNode?>();
        foreach (string line in Encoding.UTF8.GetString(result.Result).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                answers.Add(JsonNode.Parse(line));
            }
            catch (JsonException)
            {
                // A candidate wrote to the channel itself; the line is no answer.
                return new Evaluation(answers, new Grade(Verdict.Error, "the result channel was written to"));
            }
        }

        return new Evaluation(answers, Abnormal(result) ?? (result.ExitCode == 0 ? null : new Grade(Verdict.Error, LastLine(result.Stderr))));
    }

    private static Grade? Abnormal(SandboxResult result) => result.Outcome switch
    {
        SandboxOutcome.TimedOut => new Grade(Verdict.Timeout, "ran past its time"),
        SandboxOutcome.MemoryExceeded => new Grade(Verdict.MemoryLimit, "used too much memory"),
        SandboxOutcome.OutputExceeded => new Grade(Verdict.OutputLimit, "wrote too much"),
        SandboxOutcome.Signaled when result.Signal is 24 or 9 && result.CpuTime >= TimeSpan.FromSeconds(1) => new Grade(Verdict.Timeout, "used up its CPU time"),
        SandboxOutcome.Signaled => new Grade(Verdict.Error, $"ended by signal {result.Signal}"),
        _ => null,
    };

    private static string LastLine(byte[] stderr)
    {
        string text = Encoding.UTF8.GetString(stderr).TrimEnd();
        return Short(text[(text.LastIndexOf('\n') + 1)..]);
    }

    private static string Short(string text) => text.Length > 300 ? text[..300] + "…" : text;

    private static string TrimLines(string text) => string.Join('\n', text.TrimEnd().Split('\n').Select(line => line.TrimEnd()));

    private static SandboxFile LoadHarness()
    {
        using Stream stream = typeof(PythonGrader).Assembly.GetManifestResourceStream("harness.py")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return new SandboxFile(copy.ToArray());
    }

    private sealed record Evaluation(IReadOnlyList<JsonNode?> Answers, Grade? Failure);
}
