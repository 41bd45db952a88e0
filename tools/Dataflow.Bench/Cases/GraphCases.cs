using System.Globalization;

namespace Dataflow.Bench;

/// <summary>The linear and the diamond graph, run by each peer in turn, round after round.</summary>
internal sealed class GraphCases(EngineHost host, bool quick)
{
    private const int Rows = 1000;

    private readonly int rounds = quick ? 3 : 9;
    private readonly int batches = quick ? 300 : 1500;

    public async Task RunAsync(TextWriter output)
    {
        using var akka = new AkkaPeer();
        IPeer[] peers = [new EnginePeer(host), new TplPeer(), new ChannelsPeer(), akka];
        await CompareAsync("linear", peers, peer => peer.LinearAsync(batches, Rows), batches, output);
        await CompareAsync("diamond", peers, peer => peer.DiamondAsync(batches, Rows), 2 * batches, output);
    }

    private async Task CompareAsync(string name, IPeer[] peers, Func<IPeer, Task<(long Kept, long Rejected)>> run, long counted, TextWriter output)
    {
        long rows = counted * Rows;
        var samples = peers.ToDictionary(peer => peer, _ => new Samples());
        // Round 0 warms up.
        for (int round = 0; round <= rounds; round++)
        {
            foreach (IPeer peer in peers)
            {
                (long Kept, long Rejected) result = default;
                Sample sample = await Machine.MeasureAsync(async () => result = await run(peer));
                if (result.Kept != rows / 100 * 99 || result.Rejected != rows / 100)
                {
                    throw new InvalidOperationException($"{peer.Name} counted {result}, of {rows} rows");
                }

                if (round > 0)
                {
                    samples[peer].Add(sample);
                }
            }
        }

        double tpl = samples[peers.Single(peer => peer is TplPeer)].Wall;
        await output.WriteLineAsync($"\n{name}: {batches} batches of {Rows} rows, {rounds} rounds interleaved, load {Machine.Load()}\n");
        await output.WriteLineAsync("| peer | median s | fastest to slowest s | CPU s | us per batch | speed against TPL |\n| --- | --- | --- | --- | --- | --- |");
        foreach (IPeer peer in peers)
        {
            Samples taken = samples[peer];
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"| {peer.Name} | {taken.Wall:0.000} | {taken.Fastest:0.000} to {taken.Slowest:0.000} | {taken.Cpu:0.000} | {taken.Wall / batches * 1e6:0} | {tpl / taken.Wall:0.00} |"));
        }
    }
}
