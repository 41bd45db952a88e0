using Dataflow.Torch.Models;

namespace Dataflow.Torch.Generation;

/// <summary>A request in a batcher: its samples, and what it can come to need.</summary>
/// <param name="budget">Most new tokens of each sample.</param>
/// <param name="worstCase">Blocks that it can come to need.</param>
/// <param name="onFailed">Told why it has no samples; null throws that at whoever steps.</param>
internal sealed class GenerationGroup(GenerationRequest request, int budget, int worstCase, Action<IReadOnlyList<Sample>> onDone, Action<Exception>? onFailed)
{
    public GenerationRequest Request => request;

    public int Budget => budget;

    public int WorstCase => worstCase;

    public Action<IReadOnlyList<Sample>> OnDone => onDone;

    public Action<Exception>? OnFailed => onFailed;

    public SampleState[] Samples { get; } = request.Seeds.Select((seed, k) => new SampleState(
        new TokenDraw(seed, request.Options), request.Prompt, request.Options, request.OnToken is null ? null : progress => request.OnToken(k, progress))).ToArray();

    /// <summary>Samples that still run, or are about to.</summary>
    public List<GenerationRow> Rows { get; } = [];

    /// <summary>Requests that came later and were let in earlier.</summary>
    public int Passes { get; set; }

    public bool Cancelled => request.Cancellation.IsCancellationRequested;
}

/// <summary>A running sample.</summary>
internal sealed class GenerationRow(GenerationGroup group, SampleState sample, BlockTable table)
{
    public GenerationGroup Group => group;

    public SampleState Sample => sample;

    public BlockTable Table => table;

    public int NextToken { get; private set; }

    public int Generated { get; private set; }

    public bool Ended => sample.Stopped || Generated >= group.Budget;

    /// <summary>Takes the token that was drawn for the sample.</summary>
    public void Take()
    {
        NextToken = sample.Take();
        Generated++;
    }
}
