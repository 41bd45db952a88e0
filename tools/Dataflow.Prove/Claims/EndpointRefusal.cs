using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>Out of quota for good: the run waits and says so, and can be stopped and resumed.</summary>
internal sealed class EndpointRefusal : Claim
{
    public override string Name => "endpoint-429";

    public override string Promise => "an endpoint that answers only 429 pauses the run with a named reason and fails no row; Ctrl-C ends it, and it resumes without a call twice";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        const int Rows = 200;
        const int Before = 60;
        double watched = scale == Scale.Full ? 60 : 5;
        int answered = 0;
        bool works = false;
        await using var endpoint = new ScriptedEndpoint(call => works || Interlocked.Increment(ref answered) <= Before
            ? new EndpointReply("answer to " + call.Prompt) { Delay = TimeSpan.FromMilliseconds(50) }
            : new EndpointReply("", 429, Message: "quota used up"));
        using var run = new EndpointRun(Rows, endpoint.Address, "timeout: 30s");
        using Process process = run.Start();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string? said = null;
        while (said is null && await process.StandardOutput.ReadLineAsync() is string line)
        {
            said = line.Contains("calls pause", StringComparison.Ordinal) ? line.Trim() : null;
        }

        Task<string> rest = process.StandardOutput.ReadToEndAsync();
        int atPause = endpoint.Calls.Count;
        await Task.Delay(TimeSpan.FromSeconds(watched));
        int probes = endpoint.Calls.Count - atPause;
        await output.WriteLineAsync($"said: {said}; {probes} probes in {watched} s");
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        var clock = Stopwatch.StartNew();
        await process.WaitForExitAsync();
        bool once = !(await rest).Contains("calls pause", StringComparison.Ordinal);
        await output.WriteLineAsync($"Ctrl-C: exit code {process.ExitCode} after {clock.Elapsed.TotalSeconds:0.0} s; said {(once ? "once" : "AGAIN")}");
        works = true;
        CommandResult resumed = await run.ResumeAsync();
        bool complete = resumed.ExitCode == 0 && run.IsComplete(output) && run.Failures().Count == 0;
        int paid = endpoint.Answers.Count(answer => answer.Reply.Status == 200 && !answer.CallerLeft);
        await output.WriteLineAsync($"{paid} answers paid for {Rows} rows");
        if (!complete || process.ExitCode != 130)
        {
            await output.WriteLineAsync(await errors + resumed.All);
        }

        return said is not null && said.Contains("quota used up", StringComparison.Ordinal) && once && probes <= watched + 30 && process.ExitCode == 130 && complete && paid == Rows;
    }
}
