namespace Dataflow.Torch.Generation;

/// <summary>K samples of one prompt.</summary>
/// <param name="Seeds">One per sample.</param>
/// <param name="OnToken">Told a sample's number and its new tokens after each one that ends nothing, on the generating thread; true ends the sample.</param>
/// <param name="Cancellation">Takes the request out, waiting or under way, before its next token.</param>
public sealed record GenerationRequest(
    int[] Prompt, IReadOnlyList<ulong> Seeds, SamplingOptions Options, Func<int, ISampleProgress, bool>? OnToken = null, CancellationToken Cancellation = default);
