using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// What a run trains: all weights of a model, or low-rank adapters on it, and a head if it has one. In mixed precision the
/// passes go through a bfloat16 copy; its gradients are added up in fp32, the optimizer works on the fp32 masters, and the
/// copy follows them (Micikevicius et al. 2018; bfloat16 needs no loss scaling). Under adapters a bfloat16 model is its own
/// copy, since it stays as it is.
/// </summary>
public sealed class TrainableWeights : IDisposable
{
    private readonly LlamaModel masters;
    private readonly LoraAdapters? adapters;
    private readonly Dictionary<string, Tensor> copies = new(StringComparer.Ordinal);

    /// <param name="head">Weights beside the model's own, such as a reward head; always trained, in their own dtype.</param>
    public TrainableWeights(LlamaModel model, TrainerOptions options, IReadOnlyDictionary<string, Tensor>? head = null)
    {
        masters = model;
        ScalarType dtype = model.Parameters.First().Value.dtype;
        if (options.Lora is null && dtype is ScalarType.BFloat16 or ScalarType.Float16)
        {
            throw new ArgumentException($"weights in {dtype} lose the small updates of training: load them in fp32", nameof(model));
        }

        Model = options.Precision == Precision.Mixed && dtype != ScalarType.BFloat16 ? model.Copy(ScalarType.BFloat16) : model;
        Model.RecomputesActivations = options.RecomputeActivations;
        adapters = options.Lora is null ? null : new LoraAdapters(Model, options.Lora, options.Seed);
        Dictionary<string, Tensor> trained = (adapters?.Parameters ?? model.Parameters).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        if (options.Precision == Precision.Mixed)
        {
            foreach (string name in trained.Keys.ToArray())
            {
                copies[name] = adapters is null ? Model.Parameters[name] : trained[name];
                trained[name] = adapters is null ? trained[name] : trained[name].to(ScalarType.Float32, copy: true).DetachFromDisposeScope();
                copies[name].requires_grad_(true);
            }
        }

        Parameters = trained.Concat(head ?? new Dictionary<string, Tensor>()).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        foreach (Tensor parameter in Parameters.Where(parameter => !copies.ContainsKey(parameter.Key)).Select(parameter => parameter.Value))
        {
            parameter.requires_grad_(true);
        }
    }

    /// <summary>The model that passes go through.</summary>
    public LlamaModel Model { get; }

    /// <summary>What the optimizer updates and checkpoints hold.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters { get; }

    /// <summary>Adds the gradients of a (micro-)batch's loss to those of the step.</summary>
    public void Backward(Tensor loss)
    {
        loss.backward();
        using var mode = no_grad();
        foreach ((string name, Tensor copy) in copies)
        {
            // A gradient widened to fp32 goes before the next one comes: together they are as large as the weights.
            using var scope = NewDisposeScope();
            if (copy.grad is not Tensor gradient)
            {
                continue;
            }

            Tensor master = Parameters[name];
            if (master.grad is Tensor sum)
            {
                sum.AddInPlace(gradient.Wide(), 1);
            }
            else
            {
                master.grad = gradient.to(ScalarType.Float32, copy: true).DetachFromDisposeScope();
            }

            gradient.zero_();
        }
    }

    /// <summary>Lets the copy follow the masters, after an update of theirs.</summary>
    public void Follow()
    {
        using var mode = no_grad();
        foreach ((string name, Tensor copy) in copies)
        {
            copy.copy_(Parameters[name]);
        }
    }

    /// <summary>Ends training: adapters are merged into the weights, and nothing asks for gradients any more.</summary>
    public void Complete()
    {
        foreach (Tensor parameter in Parameters.Values)
        {
            parameter.requires_grad_(false);
        }

        adapters?.MergeInto(masters, Parameters);
        masters.SetTrainable(false);
    }

    public void Dispose()
    {
        if (adapters is not null && copies.Count > 0)
        {
            foreach (string name in copies.Keys)
            {
                Parameters[name].Dispose();
            }
        }

        adapters?.Dispose();
        Model.RecomputesActivations = false;
        if (Model != masters)
        {
            Model.Dispose();
        }
    }
}
