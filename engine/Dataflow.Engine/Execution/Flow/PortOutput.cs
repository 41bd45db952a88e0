using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Spill;
using Dataflow.Engine.Execution.Tapping;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// A stage's port: every batch goes to every reader, losslessly and with backpressure. Readers in this phase get a
/// reference-counted share; readers in later phases share one spill; a port that nobody reads may have a rejects file.
/// </summary>
internal sealed class PortOutput(string stage, PortDeclaration declaration, Action<long> count, RowSampler sampler, TapPoint tap)
{
    private readonly List<(StageInput Input, Edge Edge, EdgeAdapter Adapter)> readers = [];
    private long rows;

    public PortDeclaration Declaration => declaration;

    /// <summary>Rows that left by this port.</summary>
    public long Rows => Interlocked.Read(ref rows);

    /// <summary>The live edges that begin here.</summary>
    public IEnumerable<Edge> Edges => readers.Select(reader => reader.Edge);

    public SpillWriter? Spill { get; set; }

    public RejectsFile? Rejects { get; set; }

    public void AddReader(StageInput input, string reader, EdgeAdapter adapter)
    {
        var edge = new Edge(stage, declaration.Name, reader);
        input.AddProducer(edge);
        readers.Add((input, edge, adapter));
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
            foreach ((StageInput input, Edge edge, EdgeAdapter adapter) in readers)
            {
                await input.SendAsync(adapter.Adapt(batch.Share(), input.Schema), edge, cancellationToken);
            }

            if (Spill is not null)
            {
                await Spill.AddAsync(batch.Share(), cancellationToken);
            }

            Rejects?.Write(batch);
            Interlocked.Add(ref rows, batch.Length);
            count(batch.Length);
        }
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        tap.Complete();
        foreach ((StageInput input, _, _) in readers)
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
