using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Merging;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Merging;

public sealed class CheckpointMergeTests
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    private string Checkpoint(string name, ulong seed, int vocabulary = 300, int width = 64)
    {
        string path = Path.Combine(folder, name);
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(vocabulary) with { IntermediateSize = width }, 0.2, seed);
        ModelCheckpoint.Save(path, model, LlamaTokenizer.Tiny());
        return path;
    }

    private static Dictionary<string, double[]> Weights(string path)
    {
        using LlamaModel model = ModelCheckpoint.LoadModel(path);
        return model.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.Values());
    }

    [Theory]
    [InlineData(MergeMethod.Linear)]
    [InlineData(MergeMethod.TaskArithmetic)]
    [InlineData(MergeMethod.Ties)]
    [InlineData(MergeMethod.Dare)]
    [InlineData(MergeMethod.Slerp)]
    [InlineData(MergeMethod.ModelStock)]
    public void Each_tensor_of_a_merged_checkpoint_is_merged_and_the_manifest_says_from_what(MergeMethod method)
    {
        string start = Checkpoint("base", 1);
        string[] models = [Checkpoint("a", 2), Checkpoint("b", 3)];
        var recipe = new MergeRecipe(method) { Density = 0.5, Weights = method is MergeMethod.Slerp or MergeMethod.ModelStock ? [] : [0.7, 0.3], Seed = 5 };
        string merged = Path.Combine(folder, "merged");
        new CheckpointMerge(recipe, models, recipe.NeedsBase ? start : null).Write(merged);
        Dictionary<string, double[]> found = Weights(merged);
        if (method == MergeMethod.Dare)
        {
            // Each entry of the result comes from a subset of the models.
            (double[] a, double[] b, double[] s, double[] m) = (Weights(models[0])["model.norm.weight"], Weights(models[1])["model.norm.weight"], Weights(start)["model.norm.weight"], found["model.norm.weight"]);
            Assert.Equal(a.Length, m.Length);
            Assert.NotEqual(Weights(start)["model.embed_tokens.weight"], found["model.embed_tokens.weight"]);
        }
        else
        {
            using var scope = NewDisposeScope();
            using LlamaModel first = ModelCheckpoint.LoadModel(models[0]), second = ModelCheckpoint.LoadModel(models[1]), origin = ModelCheckpoint.LoadModel(start);
            Assert.All(found, pair => AssertClose(recipe.Apply(origin.Parameters[pair.Key], [first.Parameters[pair.Key], second.Parameters[pair.Key]], []).Values(), pair.Value, 1e-6));
        }

        JsonNode manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(merged, CheckpointMerge.ManifestFile)))!;
        Assert.Equal(models.Select(ModelCheckpoint.Hash), manifest["models"]!.AsArray().Select(model => (string)model!["hash"]!));
        Assert.Equal("naïve", ModelCheckpoint.LoadTokenizer(merged).Decode(ModelCheckpoint.LoadTokenizer(merged).Encode("naïve")));
    }

    [Fact]
    public void Draws_follow_from_the_seed()
    {
        string start = Checkpoint("base", 1);
        string[] models = [Checkpoint("a", 2), Checkpoint("b", 3)];
        byte[] Merge(ulong seed, string name)
        {
            new CheckpointMerge(new MergeRecipe(MergeMethod.Dare) { Density = 0.5, Seed = seed }, models, start).Write(Path.Combine(folder, name));
            return File.ReadAllBytes(Path.Combine(folder, name, "model.safetensors"));
        }

        byte[] once = Merge(1, "x");
        Assert.Equal(once, Merge(1, "y"));
        Assert.NotEqual(once, Merge(2, "z"));
    }

    [Fact]
    public void An_extended_vocabulary_is_cut_and_noted()
    {
        string[] models = [Checkpoint("a", 2, vocabulary: 310), Checkpoint("b", 3)];
        var merge = new CheckpointMerge(new MergeRecipe(MergeMethod.Linear), models, null);
        merge.Write(Path.Combine(folder, "merged"));
        Assert.Contains("cut to [300, 32]", Assert.Single(merge.Notes), StringComparison.Ordinal);
        using LlamaModel merged = ModelCheckpoint.LoadModel(Path.Combine(folder, "merged"));
        Assert.Equal(300, merged.Config.VocabSize);
        var onto = new CheckpointMerge(new MergeRecipe(MergeMethod.TaskArithmetic), [models[0]], models[1]);
        onto.Write(Path.Combine(folder, "onto"));
        Assert.Single(onto.Notes);
    }

    [Fact]
    public void Other_shapes_are_an_error_or_leave_the_base()
    {
        string[] models = [Checkpoint("a", 2, width: 48), Checkpoint("b", 3)];
        Assert.Contains("mlp", Assert.Throws<MergeException>(() => new CheckpointMerge(new MergeRecipe(MergeMethod.Linear), models, null).Write(Path.Combine(folder, "merged"))).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "merged")));
        var merge = new CheckpointMerge(new MergeRecipe(MergeMethod.TaskArithmetic), [models[0]], models[1]);
        merge.Write(Path.Combine(folder, "merged"));
        Assert.Equal(6, merge.Notes.Count);
        Assert.Equal(Weights(models[1])["model.layers.0.mlp.up_proj.weight"], Weights(Path.Combine(folder, "merged"))["model.layers.0.mlp.up_proj.weight"]);
        AssertClose(Weights(models[0])["model.norm.weight"], Weights(Path.Combine(folder, "merged"))["model.norm.weight"], 1e-6);
    }

    [Theory]
    [InlineData(MergeMethod.Slerp, 3, 0)]
    [InlineData(MergeMethod.Ties, 2, 0)]
    [InlineData(MergeMethod.Linear, 1, 0)]
    [InlineData(MergeMethod.Linear, 2, 3)]
    public void A_recipe_that_does_not_fit_is_an_error(MergeMethod method, int models, int weights)
    {
        var recipe = new MergeRecipe(method) { Weights = Enumerable.Repeat(1.0, weights).ToArray() };
        Assert.NotNull(recipe.Problem(models, hasBase: false));
    }

    private string Refusal(string[] models, MergeRecipe? recipe = null) =>
        Assert.Throws<MergeException>(() => new CheckpointMerge(recipe ?? new MergeRecipe(MergeMethod.Linear), models, null).Write(Path.Combine(folder, "refused"))).Message;

    private static void Edit(string checkpoint, string file, Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllText(Path.Combine(checkpoint, file)))!;
        change(root);
        File.WriteAllText(Path.Combine(checkpoint, file), root.ToJsonString());
    }

    [Theory]
    [InlineData("rope_theta", "500000.0", "differ in rope_theta (10000 and 500000)")]
    [InlineData("model_type", "\"mistral\"", "differ in model_type (llama and mistral)")]
    [InlineData("rms_norm_eps", "0.001", "differ in rms_norm_eps")]
    [InlineData("rope_scaling", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}""", "differ in rope_scaling (none and")]
    public void Configs_that_compute_otherwise_are_refused(string field, string value, string complaint)
    {
        string[] models = [Checkpoint("a", 2), Checkpoint("b", 3)];
        Edit(models[1], "config.json", root => root[field] = JsonNode.Parse(value));
        string refusal = Refusal(models);
        Assert.Contains(complaint, refusal, StringComparison.Ordinal);
        Assert.Contains(models[1], refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenizers_that_number_tokens_otherwise_are_refused_and_what_cannot_be_compared_is_noted()
    {
        string[] models = [Checkpoint("a", 2), Checkpoint("b", 3)];
        Edit(models[1], "tokenizer.json", root => (root["model"]!["vocab"]!["a"], root["model"]!["vocab"]!["b"]) = ((int)root["model"]!["vocab"]!["b"]!, (int)root["model"]!["vocab"]!["a"]!));
        int id = LlamaTokenizer.Tiny().Encode("a")[0];
        Assert.Contains($"id {id} is 'a' and 'b'", Refusal(models), StringComparison.Ordinal);
        File.Delete(Path.Combine(models[1], "tokenizer.json"));
        Edit(models[1], "config.json", root => root["max_position_embeddings"] = 64);
        var merge = new CheckpointMerge(new MergeRecipe(MergeMethod.Linear), models, null);
        merge.Write(Path.Combine(folder, "merged"));
        Assert.Contains(merge.Notes, note => note.Contains("were not compared", StringComparison.Ordinal));
        Assert.Contains(merge.Notes, note => note.Contains("the context is 128 tokens", StringComparison.Ordinal));
    }

    [Fact]
    public void Tokens_that_one_model_added_need_the_other_first()
    {
        string[] models = [Checkpoint("a", 2, vocabulary: 310), Checkpoint("b", 3)];
        Edit(models[0], "tokenizer.json", root => root["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 305, ["content"] = "<new>", ["special"] = true }));
        Assert.Contains("ids up to 305", Refusal(models), StringComparison.Ordinal);
        new CheckpointMerge(new MergeRecipe(MergeMethod.Linear), [models[1], models[0]], null).Write(Path.Combine(folder, "merged"));
        Assert.Equal(LlamaTokenizer.Tiny().VocabSize, ModelCheckpoint.LoadTokenizer(Path.Combine(folder, "merged")).VocabSize);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Weights_that_are_no_numbers_are_refused_by_checkpoint_and_tensor(float value)
    {
        string broken = Path.Combine(folder, "broken");
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 4);
        using Tensor entry = model.Parameters["model.layers.1.mlp.up_proj.weight"][3, 5];
        entry.fill_(value);
        ModelCheckpoint.Save(broken, model, LlamaTokenizer.Tiny());
        Assert.Contains($"{broken}: tensor 'model.layers.1.mlp.up_proj.weight' holds NaN or infinite numbers", Refusal([Checkpoint("a", 2), broken]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "refused")));
    }

    [Theory]
    [InlineData(1e300)]
    [InlineData(-2e6)]
    [InlineData(double.NaN)]
    public void A_factor_beyond_all_sense_is_refused(double factor)
    {
        string[] models = [Checkpoint("a", 2), Checkpoint("b", 3)];
        Assert.Contains("is no sensible factor", Refusal(models, new MergeRecipe(MergeMethod.Linear) { Weights = [1, factor] }), StringComparison.Ordinal);
        Assert.Equal("lambda", new MergeRecipe(MergeMethod.Ties) { Lambda = factor }.Problem(2, hasBase: true)!.Option);
    }

    [Fact]
    public void A_result_beyond_the_stored_dtype_is_refused()
    {
        string[] models = [Path.Combine(folder, "a16"), Path.Combine(folder, "b16")];
        foreach (string path in models)
        {
            using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 4);
            ModelCheckpoint.Save(path, model, LlamaTokenizer.Tiny(), dtype: ScalarType.Float16);
        }

        Assert.Contains("numbers beyond Float16", Refusal(models, new MergeRecipe(MergeMethod.Linear) { Weights = [1e6, 1e6], Normalize = false }), StringComparison.Ordinal);
    }
}
