using Dataflow.Engine.Execution;

namespace Dataflow.Bench;

internal sealed class EnginePeer(EngineHost host) : IPeer
{
    public string Name => "engine";

    public Task<(long Kept, long Rejected)> LinearAsync(int batches, int rows) => RunAsync($$"""
        name: linear
        run: { batch_rows: {{rows}} }
        stages:
          made:     { uses: bench.source, with: { batches: {{batches}} } }
          twice:    { uses: bench.rebuild, from: made, with: { times: 2 } }
          once:     { uses: bench.rebuild, from: twice, with: { times: 1 } }
          divided:  { uses: bench.keep, from: once }
          kept:     { uses: bench.count, from: divided.kept }
          rejected: { uses: bench.count, from: divided.rejected }
        """);

    public Task<(long Kept, long Rejected)> DiamondAsync(int batches, int rows) => RunAsync($$"""
        name: diamond
        run: { batch_rows: {{rows}} }
        stages:
          made:     { uses: bench.source, with: { batches: {{batches}} } }
          twice:    { uses: bench.rebuild, from: made, with: { times: 2 } }
          once:     { uses: bench.rebuild, from: made, with: { times: 1 } }
          divided:  { uses: bench.keep, from: [twice, once] }
          kept:     { uses: bench.count, from: divided.kept, order: any }
          rejected: { uses: bench.count, from: divided.rejected, order: any }
        """);

    private async Task<(long Kept, long Rejected)> RunAsync(string yaml)
    {
        IReadOnlyList<StageCounts> stages = await host.RunAsync(yaml);
        return (stages.Single(stage => stage.Stage == "kept").RowsIn, stages.Single(stage => stage.Stage == "rejected").RowsIn);
    }
}
