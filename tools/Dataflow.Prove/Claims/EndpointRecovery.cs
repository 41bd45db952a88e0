using System.Globalization;

namespace Dataflow.Prove;

/// <summary>An overloaded endpoint costs time, not rows.</summary>
internal sealed class EndpointRecovery : Claim
{
    public override string Name => "endpoint-recovery";

    public override string Promise => "an endpoint that answers 90% of calls with 429 for a minute loses no row, and 30 s after it recovers 90% of its capacity is used";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        (double begins, double ends) = scale == Scale.Full ? (10, 70) : (2, 6);
        int rows = scale == Scale.Full ? 16_000 : 1200;
        const int Concurrency = 64;
        const double CallSeconds = 0.25;
        var random = new Random(9);
        double first = -1;
        await using var endpoint = new ScriptedEndpoint(call =>
        {
            lock (random)
            {
                first = first < 0 ? call.At : first;
                return call.At - first >= begins && call.At - first < ends && random.NextDouble() < 0.9
                    ? new EndpointReply("", 429)
                    : new EndpointReply("answer to " + call.Prompt) { Delay = TimeSpan.FromSeconds(CallSeconds) };
            }
        });
        using var run = new EndpointRun(rows, endpoint.Address, $"concurrency: {Concurrency}, timeout: 30s");
        CommandResult result = await run.RunAsync();
        bool complete = result.ExitCode == 0 && run.IsComplete(output) && run.Failures().Count == 0;
        if (!complete)
        {
            await output.WriteLineAsync(result.All);
            return false;
        }

        foreach (string line in result.Output.Split('\n').Where(line => line.Contains("calls ", StringComparison.Ordinal)))
        {
            await output.WriteLineAsync(line.Trim());
        }

        double from = first + ends + 30;
        EndpointAnswer[] after = endpoint.Answers.Where(answer => answer.At >= from && answer.At < from + 15).ToArray();
        double share = after.Length / 15.0 / (Concurrency / CallSeconds);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{endpoint.Answers.Count(answer => answer.Reply.Status == 429)} refusals; 30 s after recovery {100 * share:0.0}% of 64 / 250 ms"));
        return scale == Scale.Small || share >= 0.9;
    }
}
