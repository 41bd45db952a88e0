using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>What a run trains: all weights of a model, or low-rank adapters on it, and a head if it has one.</summary>
public sealed class TrainableWeights : IDisposable
{
    private readonly LlamaModel model;
    private readonly LoraAdapters? adapters;

    /// <param name="head">Weights beside the model's own, such as a reward head; always trained.</param>
    public TrainableWeights(LlamaModel model, TrainerOptions options, IReadOnlyDictionary<string, Tensor>? head = null)
    {
        this.model = model;
        adapters = options.Lora is null ? null : new LoraAdapters(model, options.Lora, options.Seed);
        IEnumerable<KeyValuePair<string, Tensor>> own = adapters?.Parameters ?? model.Parameters;
        Parameters = own.Concat(head ?? new Dictionary<string, Tensor>()).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        foreach (Tensor parameter in Parameters.Values)
        {
            parameter.requires_grad_(true);
        }
    }

    public IReadOnlyDictionary<string, Tensor> Parameters { get; }

    /// <summary>Ends training: adapters are merged into the weights, and nothing asks for gradients any more.</summary>
    public void Complete()
    {
        foreach (Tensor parameter in Parameters.Values)
        {
            parameter.requires_grad_(false);
        }

        adapters?.MergeIntoWeights();
        model.SetTrainable(false);
    }

    public void Dispose() => adapters?.Dispose();
}
