using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Weights, optimizer moments and loop state in one file, replaced atomically: after a kill there is the old checkpoint
/// or the new one. The data position follows from the step.
/// </summary>
internal sealed class TrainingCheckpoint(string folder)
{
    private readonly string path = Path.Combine(folder, "training-state.safetensors");
    private readonly string best = Path.Combine(folder, "best-weights.safetensors");

    public void Save(IReadOnlyDictionary<string, Tensor> parameters, AdamW optimizer, LoopState state)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor parameter) in parameters)
        {
            tensors["weight." + name] = parameter;
        }

        foreach ((string name, Tensor part) in optimizer.State)
        {
            tensors[name] = part;
        }

        using Tensor loop = tensor(new[] { state.Step, state.MeanLoss, state.BestLoss, state.WithoutGain, state.SlowMean, state.LowestMean });
        tensors["loop"] = loop;
        Replace(path, tensors);
    }

    /// <summary>Keeps the weights of the best evaluation so far.</summary>
    public void SaveBest(IReadOnlyDictionary<string, Tensor> parameters) => Replace(best, parameters);

    public void RestoreBest(IReadOnlyDictionary<string, Tensor> parameters) => Read(best, tensors => Copy(tensors, "", parameters));

    /// <summary>Restores the last checkpoint; null if there is none.</summary>
    public LoopState? TryRestore(IReadOnlyDictionary<string, Tensor> parameters, AdamW optimizer)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        LoopState? state = null;
        Read(path, tensors =>
        {
            Copy(tensors, "weight.", parameters);
            Copy(tensors, "", optimizer.State);
            double[] loop = tensors["loop"].data<double>().ToArray();
            state = loop.Length == 6
                ? new LoopState((int)loop[0], loop[1], loop[2], (int)loop[3], loop[4], loop[5])
                : throw new CheckpointException($"{path}: the training state is of another version; start this stage anew");
        });
        return state;
    }

    private void Replace(string target, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Directory.CreateDirectory(folder);
        Safetensors.Write(target + ".tmp", tensors);
        File.Move(target + ".tmp", target, overwrite: true);
    }

    private static void Read(string path, Action<Dictionary<string, Tensor>> use)
    {
        using var mode = no_grad();
        Dictionary<string, Tensor> tensors = Safetensors.Read(path);
        use(tensors);
        foreach (Tensor tensor in tensors.Values)
        {
            tensor.Dispose();
        }
    }

    private static void Copy(Dictionary<string, Tensor> from, string prefix, IReadOnlyDictionary<string, Tensor> to)
    {
        foreach ((string name, Tensor tensor) in to)
        {
            tensor.copy_(from.TryGetValue(prefix + name, out Tensor? stored) ? stored : throw new CheckpointException($"the training state holds no '{prefix}{name}'"));
        }
    }
}
