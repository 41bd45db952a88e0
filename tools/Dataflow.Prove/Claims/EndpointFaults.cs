using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Faults cost attempts, not rows, and do not slow the calls that work.</summary>
internal sealed class EndpointFaults : Claim
{
    private const int Concurrency = 256;
    private static readonly TimeSpan CallTime = TimeSpan.FromMilliseconds(250);

    public override string Name => "endpoint-faults";

    public override string Promise =>
        "with a fifth of all answers a 500, reset, late, truncated or invalid, each row is in output or errors with its reason, each retry is counted, and at 250 ms a call throughput is 90% of 256 / mean call time";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int rows = scale == Scale.Full ? 40_000 : 1500;
        var random = new Random(20);
        await using var endpoint = new ScriptedEndpoint(call => Reply(call, random));
        using var run = new EndpointRun(rows, endpoint.Address, $"concurrency: {Concurrency}, retries: 2, timeout: 2s");
        CommandResult result = await run.RunAsync();
        if (result.ExitCode != 0)
        {
            await output.WriteLineAsync(result.All);
            return false;
        }

        bool holds = run.IsComplete(output) & CountsAgree(endpoint, run, result, output);
        return (Throughput(endpoint, rows, output) || scale == Scale.Small) && holds;
    }

    private static EndpointReply Reply(EndpointCall call, Random random)
    {
        double draw;
        lock (random)
        {
            draw = random.NextDouble();
        }

        var answer = new EndpointReply("answer to " + call.Prompt) { Delay = CallTime };
        return (int)(draw * 25) switch
        {
            0 => answer with { Status = 500 },
            1 => answer with { Fault = EndpointFault.Reset },
            2 => answer with { Delay = TimeSpan.FromSeconds(20) },
            3 => answer with { Fault = EndpointFault.Truncated },
            4 => answer with { Fault = EndpointFault.InvalidJson },
            _ => answer,
        };
    }

    private static bool CountsAgree(ScriptedEndpoint endpoint, EndpointRun run, CommandResult result, TextWriter output)
    {
        Dictionary<string, int> seen = EndpointRun.Retries(result);
        foreach ((string reason, int count) in run.Failures())
        {
            seen[reason] = seen.GetValueOrDefault(reason) + count;
        }

        Dictionary<string, int> given = endpoint.Answers.Select(answer => Reason(answer)).OfType<string>().GroupBy(reason => reason).ToDictionary(group => group.Key, group => group.Count());
        string Show(Dictionary<string, int> counts) => string.Join(", ", counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value} {pair.Key}"));
        bool agree = Show(seen) == Show(given);
        output.WriteLine($"faults given: {Show(given)}; retried or failed: {Show(seen)}");
        return agree;
    }

    private static string? Reason(EndpointAnswer answer) => answer switch
    {
        { CallerLeft: true } => "timeout",
        { Reply.Status: 500 } => "http_500",
        { Reply.Fault: EndpointFault.Reset } => "no_connection",
        { Reply.Fault: EndpointFault.Truncated } => "truncated",
        { Reply.Fault: EndpointFault.InvalidJson } => "invalid_json",
        _ => null,
    };

    // From when all places are taken to when the rows run out.
    private static bool Throughput(ScriptedEndpoint endpoint, int rows, TextWriter output)
    {
        EndpointAnswer[] answers = endpoint.Answers.OrderBy(answer => answer.At).ToArray();
        double first = endpoint.Calls.First().At + 4;
        double last = answers[(int)(rows * 0.85)].At;
        EndpointAnswer[] counted = answers.Where(answer => answer.At >= first && answer.At < last).ToArray();
        if (counted.Length == 0)
        {
            output.WriteLine("too short a run to measure throughput");
            return false;
        }

        double perSecond = counted.Length / (last - first);
        double ideal = Concurrency / counted.Average(answer => answer.Seconds);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{perSecond:0} calls a second over {last - first:0.0} s; 256 / mean call time is {ideal:0}: {100 * perSecond / ideal:0.0}%"));
        return perSecond >= 0.9 * ideal;
    }
}
