using System.Globalization;

namespace Dataflow.Prove;

/// <summary>A rate limit that nobody told us is found and kept.</summary>
internal sealed class EndpointBucket : Claim
{
    public override string Name => "endpoint-bucket";

    public override string Promise => "an endpoint with a token bucket of unknown rate C is used to at least 90% of C after 30 s, with less than 5% of answers 429";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        (double Rate, double Burst)[] buckets = scale == Scale.Full ? [(40, 40), (150, 15), (150, 600), (400, 400)] : [(60, 30)];
        bool holds = true;
        foreach ((double rate, double burst) in buckets)
        {
            // Some endpoints say how long to wait, some do not.
            holds &= await HoldsAsync(rate, burst, burst <= rate ? null : "1", scale, output);
        }

        return holds;
    }

    private static async Task<bool> HoldsAsync(double rate, double burst, string? retryAfter, Scale scale, TextWriter output)
    {
        double from = scale == Scale.Full ? 30 : 10;
        double until = scale == Scale.Full ? 90 : 18;
        var bucket = new TokenBucket(rate, burst);
        await using var endpoint = new ScriptedEndpoint(call => bucket.Take()
            ? new EndpointReply("answer to " + call.Prompt) { Delay = TimeSpan.FromMilliseconds(250) }
            : new EndpointReply("", 429, RetryAfter: retryAfter));
        int rows = (int)((rate * (until + 4)) + burst);
        using var run = new EndpointRun(rows, endpoint.Address, "timeout: 30s");
        CommandResult result = await run.RunAsync();
        if (result.ExitCode != 0 || !run.IsComplete(output))
        {
            await output.WriteLineAsync(result.All);
            return false;
        }

        double first = endpoint.Calls.First().At;
        EndpointAnswer[] counted = endpoint.Answers.Where(answer => answer.At >= first + from && answer.At < first + until).ToArray();
        int refused = counted.Count(answer => answer.Reply.Status == 429);
        double used = (counted.Length - refused) / (until - from) / rate;
        double share = (double)refused / counted.Length;
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"C = {rate}/s, burst {burst}: from {from} s to {until} s {100 * used:0.0}% of C used, {100 * share:0.0}% of answers 429; {endpoint.Calls.Count} calls for {rows} rows"));
        // How soon a small run gets there hangs on the machine; that it got there does not.
        return scale == Scale.Small ? endpoint.Calls.Count < 1.5 * rows : used >= 0.9 && share < 0.05;
    }
}
