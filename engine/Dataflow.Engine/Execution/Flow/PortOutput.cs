using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Spill;
using Dataflow.Engine.Execution.Tapping;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// A stage's port: every batch goes to every reader, losslessly and with backpressure. Readers in this phase get a
/// reference-counted share; readers in later phases share one spill; a port that nobody reads may have a rejects file.
/// </summary>
internal sealed class PortOutput(PortDeclaration declaration, Action<long> count, RowSampler sampler, TapPoint tap)
{
    private readonly List<(StageInput Input, EdgeAdapter Adapter)> readers = [];

    public PortDeclaration Declaration => declaration;

    public SpillWriter? Spill { get; set; }

    public RejectsFile? Rejects { get; set; }

    public void AddReader(StageInput input, EdgeAdapter adapter)
    {
        input.AddProducer();
        readers.Add((input, adapter));
    }

    /// <summary>Takes over <paramref name="batch"/>.</summary>
    public async ValueTask SendAsync(RowBatch batch, CancellationToken cancellationToken)
    {
        using (batch)
        {
            if (batch.Length == 0)
            {
                return;
            }

            await sampler.OfferAsync(declaration.Name, batch);
            tap.Offer(batch);
            foreach ((StageInput input, EdgeAdapter adapter) in readers)
            {
                await input.SendAsync(adapter.Adapt(batch.Share(), input.Schema), cancellationToken);
            }

            if (Spill is not null)
            {
                await Spill.AddAsync(batch.Share(), cancellationToken);
            }

            Rejects?.Write(batch);
            count(batch.Length);
        }
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        tap.Complete();
        foreach ((StageInput input, _) in readers)
        {
            input.ProducerDone();
        }

        if (Spill is not null)
        {
            await Spill.CompleteAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        Spill?.Dispose();
        Rejects?.Dispose();
    }
}
