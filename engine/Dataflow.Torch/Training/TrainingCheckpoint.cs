using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Weights, optimizer moments and the step number in one file, replaced atomically: after a kill there is the old
/// checkpoint or the new one. The data position follows from the step.
/// </summary>
internal sealed class TrainingCheckpoint(string folder)
{
    private readonly string path = Path.Combine(folder, "training-state.safetensors");

    public void Save(LlamaModel model, AdamW optimizer, int step)
    {
        Directory.CreateDirectory(folder);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor parameter) in model.Parameters)
        {
            tensors["weight." + name] = parameter;
            tensors["first." + name] = optimizer.First[name];
            tensors["second." + name] = optimizer.Second[name];
        }

        using Tensor stepTensor = tensor(new[] { (long)step });
        tensors["step"] = stepTensor;
        Safetensors.Write(path + ".tmp", tensors);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Restores the last checkpoint; returns its step, or 0 if there is none.</summary>
    public int TryRestore(LlamaModel model, AdamW optimizer)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var mode = no_grad();
        Dictionary<string, Tensor> tensors = Safetensors.Read(path);
        foreach ((string name, Tensor parameter) in model.Parameters)
        {
            parameter.copy_(tensors["weight." + name]);
            optimizer.First[name].copy_(tensors["first." + name]);
            optimizer.Second[name].copy_(tensors["second." + name]);
        }

        int step = checked((int)tensors["step"].item<long>());
        foreach (Tensor restored in tensors.Values)
        {
            restored.Dispose();
        }

        return step;
    }
}
