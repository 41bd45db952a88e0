using System.Globalization;

namespace Dataflow.Prove;

/// <summary>An endpoint that is away costs time, not rows: they wait, and if it stays away the run stops and can be resumed.</summary>
internal sealed class EndpointOutage : Claim
{
    private const int Concurrency = 64;

    public override string Name => "endpoint-outage";

    public override string Promise => "an endpoint that cannot be reached, or behind whose gateway all calls are 502, for a minute fails no row; one that stays away stops the run with its reason, and a resume makes just the calls that were not answered";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        (double begins, double lasts) = scale == Scale.Full ? (10, 60) : (1, 3);
        int rows = scale == Scale.Full ? 8000 : 1000;
        return await ComesBackAsync(rows, begins, lasts, output)
            & await GatewayAsync(rows, begins, lasts, output)
            & await StaysAwayAsync(scale == Scale.Full ? 3000 : 600, scale == Scale.Full ? 30 : 5, output);
    }

    private static EndpointReply Answer(EndpointCall call) => new("answer to " + call.Prompt) { Delay = TimeSpan.FromMilliseconds(250) };

    private static async Task<bool> ComesBackAsync(int rows, double begins, double lasts, TextWriter output)
    {
        var before = new ScriptedEndpoint(Answer);
        using var run = new EndpointRun(rows, before.Address, $"concurrency: {Concurrency}");
        Task<CommandResult> running = run.RunAsync();
        while (before.Calls.IsEmpty)
        {
            await Task.Delay(10);
        }

        await Task.Delay(TimeSpan.FromSeconds(begins));
        await before.DisposeAsync();
        await Task.Delay(TimeSpan.FromSeconds(lasts));
        await using var after = new ScriptedEndpoint(Answer, before.Port);
        return await CompletesAsync("no connection", run, await running, output);
    }

    private static async Task<bool> GatewayAsync(int rows, double begins, double lasts, TextWriter output)
    {
        double first = -1;
        await using var endpoint = new ScriptedEndpoint(call =>
        {
            first = first < 0 ? call.At : first;
            return call.At - first >= begins && call.At - first < begins + lasts ? new EndpointReply("", 502, Message: "no upstream") : Answer(call);
        });
        using var run = new EndpointRun(rows, endpoint.Address, $"concurrency: {Concurrency}");
        return await CompletesAsync("502", run, await run.RunAsync(), output);
    }

    private static async Task<bool> CompletesAsync(string outage, EndpointRun run, CommandResult result, TextWriter output)
    {
        await SayAsync(outage, result, output);
        bool holds = result.ExitCode == 0 && run.IsComplete(output) && run.Failures().Count == 0 && result.Output.Contains("calls pause", StringComparison.Ordinal);
        if (!holds)
        {
            await output.WriteLineAsync(result.All);
        }

        return holds;
    }

    private static async Task<bool> StaysAwayAsync(int rows, double patience, TextWriter output)
    {
        var before = new ScriptedEndpoint(Answer);
        using var run = new EndpointRun(rows, before.Address, string.Create(CultureInfo.InvariantCulture, $"concurrency: {Concurrency}, give_up_after: {patience}s"));
        Task<CommandResult> running = run.RunAsync();
        while (before.Calls.Count < rows / 3)
        {
            await Task.Delay(10);
        }

        await before.DisposeAsync();
        CommandResult stopped = await running;
        await SayAsync("gone", stopped, output);
        await output.WriteLineAsync($"exit code {stopped.ExitCode}: {stopped.Error.Split('\n')[0]}");
        await using var after = new ScriptedEndpoint(Answer, before.Port);
        CommandResult resumed = await run.ResumeAsync();
        bool complete = resumed.ExitCode == 0 && run.IsComplete(output) && run.Failures().Count == 0;
        int answered = before.Answers.Count(answer => !answer.CallerLeft);
        await output.WriteLineAsync($"{answered} answers before it went, {after.Calls.Count} calls after the resume, for {rows} rows");
        if (!complete)
        {
            await output.WriteLineAsync(resumed.All);
        }

        // An answer that was on its way when the endpoint went is asked for again.
        return complete && stopped.ExitCode != 0 && stopped.Error.Contains("no call was answered", StringComparison.Ordinal)
            && answered + after.Calls.Count >= rows && answered + after.Calls.Count <= rows + Concurrency;
    }

    private static async Task SayAsync(string outage, CommandResult result, TextWriter output)
    {
        foreach (string line in result.Output.Split('\n').Where(line => line.Contains("calls ", StringComparison.Ordinal)))
        {
            await output.WriteLineAsync($"{outage}: {line.Trim()}");
        }
    }
}
