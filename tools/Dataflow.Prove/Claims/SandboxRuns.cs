using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Prove;

/// <summary>The sandbox costs little, loses no verdict and leaves nothing.</summary>
internal sealed class SandboxRuns : Claim
{
    private const double MostRatio = 2.0;
    private const double MostGrowth = 1.1;
    private const double LeastBatchRatio = 4.0;

    // What the runtime itself may open late; a leak would be one a program.
    private const int RuntimeDescriptors = 8;
    private static readonly string[] Interpreter = ["/usr/bin/python3", "-I", "-S"];

    public override string Name => "sandbox-runs";

    public override string Promise => "10,000 short Python programs take in the sandbox at most 2.0 times as long each as with the bare interpreter, lose no verdict, and leave no process, memory or descriptor; tests of one program run together at least four times as fast as apart";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        (int blocks, int programs) = scale == Scale.Full ? (40, 10_000) : (4, 300);
        string folder = Directory.CreateTempSubdirectory("dataflow-prove-").FullName;
        try
        {
            double ratio = await RatioAsync(folder, blocks, output);
            bool one = await ThroughputAsync(1, programs / 5, output);
            bool two = await ThroughputAsync(2, programs, output);
            double batch = await BatchAsync(scale == Scale.Full ? 10 : 2, output);
            // A small run shares its processors with the suite: its ratios are printed, not judged.
            return (scale == Scale.Small || (ratio <= MostRatio && batch >= LeastBatchRatio)) && one && two && batch > 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Blocks of both take turns, so that a machine that slows down slows both.
    private static async Task<double> RatioAsync(string folder, int blocks, TextWriter output)
    {
        const int Block = 25;
        List<double> bare = [], boxed = [];
        await using SandboxPool pool = SandboxPool.Create(1);
        await RunBoxedAsync(pool, 0);
        for (int i = 0; i < blocks * Block; i++)
        {
            string path = Path.Combine(folder, "main.py");
            await File.WriteAllTextAsync(path, Source(i));
            long start = Stopwatch.GetTimestamp();
            for (int j = 0; j < (i % Block == 0 ? Block : 0); j++)
            {
                start = Stopwatch.GetTimestamp();
                await RunBareAsync(path);
                bare.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            start = Stopwatch.GetTimestamp();
            await RunBoxedAsync(pool, i);
            boxed.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        double ratio = Median(boxed) / Median(bare);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median of {bare.Count} bare runs {Median(bare):0.0} ms, of {boxed.Count} in the sandbox {Median(boxed):0.0} ms: ratio {ratio:0.00}, at most {MostRatio:0.0} allowed"));
        return ratio;
    }

    private static async Task<bool> ThroughputAsync(int slots, int programs, TextWriter output)
    {
        await using SandboxPool pool = SandboxPool.Create(slots);
        int wrong = 0;
        int early = programs / 10;
        long memoryEarly = 0;
        int descriptorsEarly = 0;
        long start = Stopwatch.GetTimestamp();
        for (int from = 0; from < programs; from += early)
        {
            await Parallel.ForEachAsync(Enumerable.Range(from, early), new ParallelOptions { MaxDegreeOfParallelism = slots * 2 }, async (i, _) =>
            {
                if (await RunBoxedAsync(pool, i) != Expected(i))
                {
                    Interlocked.Increment(ref wrong);
                }
            });
            if (from == 0)
            {
                (memoryEarly, descriptorsEarly) = (Held(pool), Descriptors(pool));
            }
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long memory = Held(pool);
        int descriptors = Descriptors(pool);
        int children = pool.Launchers.Sum(launcher => Directory.GetDirectories($"/proc/{launcher}/task").Sum(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{slots} slot{(slots == 1 ? "" : "s")}: {programs} programs in {seconds:0.0} s, {programs / seconds:0} a second; {wrong} wrong or lost verdicts"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  launchers' memory {memoryEarly / 1e6:0.0} MB after {early}, {memory / 1e6:0.0} MB at the end; descriptors {descriptorsEarly} and {descriptors}; {children} processes left"));
        // A short run has not seen the runtime's full size yet.
        return wrong == 0 && children == 0 && descriptors <= descriptorsEarly + RuntimeDescriptors && (programs < 1000 || memory <= MostGrowth * memoryEarly);
    }

    /// <summary>How many times as fast 50 tests of a program go together as apart, by turns; 0 if a verdict is wrong.</summary>
    private static async Task<double> BatchAsync(int rounds, TextWriter output)
    {
        const int Tests = 50;
        await using SandboxPool pool = SandboxPool.Create(1);
        bool right = true;
        double worst = double.MaxValue;
        foreach ((string kind, string program, CodeTest[] tests) in new[]
        {
            ("calls of a function", "def f(n): return sum(range(n))", Enumerable.Range(0, Tests).Select(i => new CodeTest($"f({i})", null, $"{i * (i - 1) / 2}")).ToArray()),
            ("inputs of a program", "print(sum(range(int(input()))))", Enumerable.Range(0, Tests).Select(i => new CodeTest(null, $"{i}", $"{i * (i - 1) / 2}")).ToArray()),
        })
        {
            var grader = new CodeGrader(pool, new Python(), new SandboxLimits());
            List<double> together = [], apart = [];
            for (int i = 0; i < rounds; i++)
            {
                long start = Stopwatch.GetTimestamp();
                right &= (await grader.GradeAsync(program, tests, CancellationToken.None)).Verdict == Verdict.Passed;
                together.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / Tests);
                start = Stopwatch.GetTimestamp();
                foreach (CodeTest test in tests)
                {
                    right &= (await grader.GradeAsync(program, [test], CancellationToken.None)).Verdict == Verdict.Passed;
                }

                apart.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / Tests);
            }

            double times = Median(apart) / Median(together);
            worst = Math.Min(worst, times);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Tests} {kind}: {Median(apart):0.00} ms a test apart, {Median(together):0.00} ms together: {times:0.0} times as fast, at least {LeastBatchRatio:0.0} wanted; verdicts {(right ? "right" : "WRONG")}"));
        }

        return right ? worst : 0;
    }

    private static string Source(int i) => string.Create(CultureInfo.InvariantCulture, $"import sys\nn = int(sys.stdin.read())\nprint(sum(range(n)) + {i})\n");

    private static string Expected(int i) => string.Create(CultureInfo.InvariantCulture, $"{(999 * 1000 / 2) + i}\n");

    private static async Task<string> RunBoxedAsync(SandboxPool pool, int i)
    {
        SandboxResult result = await pool.RunAsync(
            new SandboxRequest([.. Interpreter, "/job/main.py"], new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(Source(i)) }, "1000"u8.ToArray(), new SandboxLimits()),
            CancellationToken.None);
        return result is { Outcome: SandboxOutcome.Exited, ExitCode: 0 } ? Encoding.UTF8.GetString(result.Stdout) : $"{result.Outcome} {result.ExitCode}";
    }

    private static async Task RunBareAsync(string path)
    {
        using Process process = Process.Start(new ProcessStartInfo(Interpreter[0], [.. Interpreter[1..], path]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await process.StandardInput.WriteAsync("1000");
        process.StandardInput.Close();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
    }

    private static long Held(SandboxPool pool) => pool.Launchers.Sum(ResidentMemory.Of);

    private static int Descriptors(SandboxPool pool) => pool.Launchers.Sum(launcher => Directory.GetFileSystemEntries($"/proc/{launcher}/fd").Length);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
