using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Dataflow.Torch.Merging;

/// <summary>
/// Merges checkpoint folders tensor by tensor: memory is one tensor of each model. Config, tokenizer and dtypes are the
/// base's, or the first model's where there is none. merge.json says what came from where. Tied embeddings are stored
/// once and so merged once.
/// </summary>
public sealed class CheckpointMerge(MergeRecipe recipe, IReadOnlyList<string> models, string? @base)
{
    public const string ManifestFile = "merge.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly List<string> notes = [];

    /// <summary>What was done that the recipe did not say: tensors cut to a common vocabulary, or left as in the base.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>Writes the merged checkpoint; the folder is there whole or not at all.</summary>
    /// <param name="existing">What becomes of a folder that is there already; one that is, holds or lies in an input is refused in any case.</param>
    /// <exception cref="MergeException">Shapes that do not go together, or a recipe that does not fit the models.</exception>
    /// <exception cref="Models.CheckpointException">A checkpoint that cannot be read, or a folder that must not be written to.</exception>
    public void Write(string folder, Action<string>? onTensor = null, CancellationToken cancellationToken = default, ExistingFolder existing = ExistingFolder.Keep)
    {
        if (recipe.Problem(models.Count, @base is not null) is MergeProblem problem)
        {
            throw new MergeException(problem.Message);
        }

        OutputPath.RequireApart(folder, Inputs);
        AtomicFolder.RequireReplaceable(folder, existing);
        notes.Clear();
        var open = new List<CheckpointWeights>();
        try
        {
            MergeCompatibility.Require([.. Inputs], notes);
            foreach (string path in Inputs)
            {
                open.Add(new CheckpointWeights(path));
            }

            TensorPlan[] plan = new MergePlan(recipe, open, notes).Tensors;
            if (plan.FirstOrDefault(tensor => tensor.Name == MergePlan.Embedding) is TensorPlan embedding)
            {
                MergeCompatibility.RequireRoom(Inputs.First(), embedding.Shape[0]);
            }

            AtomicFolder.Write(folder, temporary =>
            {
                CopyRest(@base ?? models[0], temporary, plan);
                using var writer = new CheckpointWriter(temporary, plan);
                foreach (TensorPlan planned in plan)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    onTensor?.Invoke(planned.Name);
                    WriteTensor(writer, planned, open);
                }

                writer.Complete();
                AtomicFolder.WriteText(Path.Combine(temporary, ManifestFile), Manifest());
            }, existing);
        }
        finally
        {
            open.ForEach(weights => weights.Dispose());
        }
    }

    private IEnumerable<string> Inputs => @base is null ? models : [@base, .. models];

    private void WriteTensor(CheckpointWriter writer, TensorPlan planned, List<CheckpointWeights> open)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        Tensor?[] loaded = open.Zip(Inputs, (weights, path) => MergePlan.Fits(weights.Find(planned.Name), planned) ? Cut(Load(weights, path, planned.Name, scope), planned.Shape) : null).ToArray();
        Tensor? start = @base is null ? null : loaded[0];
        Tensor[] tensors = loaded.Skip(@base is null ? 0 : 1).OfType<Tensor>().ToArray();
        if (tensors.Length < models.Count)
        {
            // The plan has noted it: one that does not fit leaves the base as it is.
            writer.Write(planned.Name, start!);
            return;
        }

        Tensor[] masks = recipe.Method == MergeMethod.Dare ? Enumerable.Range(0, tensors.Length).Select(i => Draw(planned, i)).ToArray() : [];
        try
        {
            Tensor merged = recipe.Apply(start, tensors, masks).to(planned.Dtype);
            writer.Write(planned.Name, IsFinite(merged) ? merged : throw new MergeException($"the result holds numbers beyond {planned.Dtype}: the weights are too large"));
        }
        catch (MergeException failure)
        {
            throw new MergeException($"tensor '{planned.Name}': {failure.Message}");
        }
    }

    private static Tensor Load(CheckpointWeights weights, string path, string name, DisposeScope scope)
    {
        Tensor tensor = weights.Load(name);
        scope.Attach(tensor);
        return IsFinite(tensor) ? tensor : throw new MergeException($"{path}: tensor '{name}' holds NaN or infinite numbers");
    }

    private static bool IsFinite(Tensor tensor) => tensor.isfinite().all().to(ScalarType.Float64).Number() != 0;

    private static Tensor Cut(Tensor tensor, long[] shape)
    {
        for (int d = 0; d < shape.Length; d++)
        {
            tensor = tensor.shape[d] == shape[d] ? tensor : tensor.narrow(d, 0, shape[d]);
        }

        return tensor;
    }

    private Tensor Draw(TensorPlan planned, int model)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{recipe.Seed}/{model}/{planned.Name}"));
        using var generator = new Generator(BitConverter.ToUInt64(digest) >> 1, CPU);
        return rand(planned.Shape, device: CPU, generator: generator).lt(tensor((float)recipe.Density, device: CPU));
    }

    // A merged vocabulary may be smaller than the one that config.json says.
    private static void CopyRest(string from, string to, TensorPlan[] plan)
    {
        foreach (string file in Directory.GetFiles(from).Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            string name = Path.GetFileName(file);
            if (name is not (CheckpointWeights.IndexFile or ManifestFile))
            {
                File.Copy(file, Path.Combine(to, name));
            }
        }

        string config = Path.Combine(to, "config.json");
        if (File.Exists(config) && plan.FirstOrDefault(tensor => tensor.Name == MergePlan.Embedding) is TensorPlan embedding
            && JsonNode.Parse(File.ReadAllText(config)) is JsonObject root && (long?)root["vocab_size"] != embedding.Shape[0])
        {
            root["vocab_size"] = embedding.Shape[0];
            AtomicFolder.WriteText(config, root.ToJsonString(Indented));
        }
    }

    private string Manifest()
    {
        JsonObject Source(string folder) => new() { ["checkpoint"] = folder, ["hash"] = ModelCheckpoint.Hash(folder) };
        var root = new JsonObject { ["method"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(recipe.Method.ToString()), ["base"] = @base is null ? null : Source(@base) };
        var list = new JsonArray();
        for (int i = 0; i < models.Count; i++)
        {
            JsonObject source = Source(models[i]);
            source["weight"] = recipe.Weights.Count > 0 ? recipe.Weights[i] : 1;
            list.Add(source);
        }

        root["models"] = list;
        root["lambda"] = recipe.Lambda;
        root["density"] = recipe.Density;
        root["normalize"] = recipe.Normalizes;
        root["t"] = recipe.T;
        root["rescale"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(recipe.Rescale.ToString());
        root["elect"] = recipe.Elect;
        root["seed"] = recipe.Seed;
        root["notes"] = new JsonArray([.. notes.Select(note => (JsonNode)note)]);
        return root.ToJsonString(Indented);
    }
}
