using System.Globalization;
using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>
/// Runs a program with many inputs in one run of the sandbox, which costs less than as many runs. No expected output is in
/// there; but a program may be able to reach the driver that runs it, so what a driver tells counts only if it came to its
/// end undisturbed.
/// </summary>
internal sealed class OutputBatch(SandboxPool pool, Language language, SandboxLimits limits, HiddenPaths hidden)
{
    // Beyond it, more is read than a run could need.
    private const long MostResultBytes = 512_000_000;

    // What a driver takes for itself, at most, and for each input. A slower one is not believed, which costs time and no verdict.
    private static readonly TimeSpan DriverTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan InputTime = TimeSpan.FromMilliseconds(50);

    // Of the time in which the processors were free for it; a program that did not get that, or slept, has its time-out apart.
    private const double BusyShare = 0.8;
    private const int KillSignal = 9;

    /// <summary>
    /// What came of each input in turn, up to the first that did not end well, or is not known not to have ended well; null if somebody else than the driver may have
    /// written it: the driver did not come to its end, or wrote what nobody asked for, or took longer than the inputs it tells of.
    /// </summary>
    public async Task<IReadOnlyList<SandboxResult>?> RunAsync(
        LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, IReadOnlyList<byte[]> inputs, CancellationToken cancellationToken)
    {
        SandboxRequest single = language.ToRun(program, files, [], limits);
        string[] arguments = [Text(inputs.Count), Text(limits.WallTime.TotalSeconds), Text(limits.OutputBytes)];
        (string driver, IReadOnlyList<string> command) = language.ToBatch(single.Command, arguments);
        var all = new Dictionary<string, SandboxFile>(files) { [driver] = SandboxFile.Text(Language.Driver(driver)) };
        for (int i = 0; i < inputs.Count; i++)
        {
            all["inputs/" + Text(i)] = new SandboxFile(inputs[i]);
        }

        SandboxLimits wide = single.Limits with
        {
            WallTime = (limits.WallTime * inputs.Count) + TimeSpan.FromSeconds(1),
            TemporaryBytes = limits.TemporaryBytes + (2 * limits.FileBytes),
            OutputBytes = (int)Math.Min(MostResultBytes, ((2L * limits.OutputBytes) + 100) * inputs.Count),
        };
        SandboxResult whole = await pool.RunAsync(single with { Command = command, Files = all, Limits = wide, Hidden = hidden }, cancellationToken);
        return Read(whole, inputs.Count);
    }

    private List<SandboxResult>? Read(SandboxResult whole, int count)
    {
        var results = new List<SandboxResult>();
        ReadOnlySpan<byte> rest = whole.Result;
        bool well = true;
        while (well && results.Count < count && TryTake(ref rest, results.Count, whole, out SandboxResult? next))
        {
            results.Add(next!);
            well = next!.Outcome == SandboxOutcome.Exited && next.ExitCode == 0;
        }

        TimeSpan told = results.Aggregate(TimeSpan.Zero, (sum, result) => sum + result.WallTime);
        bool ended = whole is { ExitCode: 0, Signal: 0, Outcome: SandboxOutcome.Exited or SandboxOutcome.MemoryExceeded };
        if (!ended || !rest.IsEmpty || (results.Count < count && well) || whole.WallTime > told + DriverTime + (results.Count * InputTime))
        {
            return null;
        }

        return IsOfOthers(results[^1], whole, told) ? results[..^1] : results;
    }

    // The driver's clock goes on while a busy machine keeps the program from running, and it does not see who sends a kill:
    // a run of its own counts that out, and knows whether it was for its CPU time.
    private static bool IsOfOthers(SandboxResult last, SandboxResult whole, TimeSpan told) =>
        (last.Outcome == SandboxOutcome.TimedOut && whole.CpuTime < told * BusyShare) || last is { Outcome: SandboxOutcome.Signaled, Signal: KillSignal };

    private bool TryTake(ref ReadOnlySpan<byte> rest, int index, SandboxResult whole, out SandboxResult? result)
    {
        result = null;
        int end = rest.IndexOf((byte)'\n');
        string[] words = end < 0 ? [] : Encoding.ASCII.GetString(rest[..end]).Split(' ');
        if (words.Length != 5 || words[0] != Text(index) || !Number(words[1], out long status) || !Number(words[2], out long centiseconds) || !Number(words[3], out long written) || !Number(words[4], out long complained))
        {
            return false;
        }

        int outBytes = (int)Math.Min(written, limits.OutputBytes);
        int errBytes = (int)Math.Min(complained, limits.OutputBytes);
        if (rest.Length - end - 1 < outBytes + errBytes)
        {
            return false;
        }

        rest = rest[(end + 1)..];
        var elapsed = TimeSpan.FromMilliseconds(centiseconds * 10);
        SandboxOutcome outcome = written > limits.OutputBytes || complained > limits.OutputBytes ? SandboxOutcome.OutputExceeded
            : status != 128 + KillSignal ? status is > 128 and < 192 ? SandboxOutcome.Signaled : SandboxOutcome.Exited
            : whole.Outcome == SandboxOutcome.MemoryExceeded ? SandboxOutcome.MemoryExceeded
            : elapsed + TimeSpan.FromMilliseconds(20) >= limits.WallTime ? SandboxOutcome.TimedOut
            : SandboxOutcome.Signaled;
        result = new SandboxResult(
            outcome, (int)status, outcome == SandboxOutcome.Signaled ? (int)status - 128 : 0, rest[..outBytes].ToArray(), rest.Slice(outBytes, errBytes).ToArray(), [], elapsed, elapsed)
        {
            NearMemoryLimit = whole.NearMemoryLimit,
        };
        rest = rest[(outBytes + errBytes)..];
        return true;
    }

    private static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
