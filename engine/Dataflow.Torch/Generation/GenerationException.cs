namespace Dataflow.Torch.Generation;

/// <summary>A model gave what no token can be drawn from; the message says why.</summary>
public sealed class GenerationException(string message) : Exception(message);
