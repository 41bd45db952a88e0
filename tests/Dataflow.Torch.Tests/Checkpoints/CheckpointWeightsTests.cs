using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Checkpoints;

public sealed class CheckpointWeightsTests
{
    private static string Sharded(out LlamaModel model, ScalarType dtype = ScalarType.Float32)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        model = LlamaModel.Initialize(ModelTests.Tiny(tokenizer.VocabSize) with { TieWordEmbeddings = false }, 0.2, 7);
        if (dtype != ScalarType.Float32)
        {
            model = new LlamaModel(model.Config, model.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.to(dtype)));
        }

        ModelCheckpoint.Save(folder, model, tokenizer, shardBytes: 30_000);
        return folder;
    }

    private static void Edit(string folder, Action<JsonObject> change)
    {
        string path = Path.Combine(folder, CheckpointWeights.IndexFile);
        var root = (JsonObject)JsonNode.Parse(File.ReadAllText(path))!;
        change(root);
        File.WriteAllText(path, root.ToJsonString());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Shards_are_read_back_bit_for_bit(ScalarType dtype)
    {
        string folder = Sharded(out LlamaModel model, dtype);
        Assert.True(Directory.GetFiles(folder, "model-*-of-*.safetensors").Length > 2);
        Assert.False(File.Exists(Path.Combine(folder, CheckpointWeights.SingleFile)));
        using LlamaModel loaded = ModelCheckpoint.LoadModel(folder);
        Assert.All(model.Parameters, pair => Assert.True(pair.Value.Bits().SequenceEqual(loaded.Parameters[pair.Key].Bits()), pair.Key));
        Assert.Equal(64, ModelCheckpoint.Hash(folder).Length);
        model.Dispose();
    }

    [Fact]
    public void A_hash_sees_every_shard()
    {
        string folder = Sharded(out LlamaModel model);
        model.Dispose();
        string before = ModelCheckpoint.Hash(folder);
        string shard = Directory.GetFiles(folder, "model-*-of-*.safetensors").Order().Last();
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        Assert.NotEqual(before, ModelCheckpoint.Hash(folder));
    }

    [Theory]
    [InlineData("../elsewhere.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/model.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void An_index_that_leaves_the_folder_is_an_error(string file)
    {
        string folder = Sharded(out LlamaModel model);
        model.Dispose();
        Edit(folder, root => root["weight_map"]!["model.norm.weight"] = file);
        Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder));
    }

    [Fact]
    public void An_index_and_shards_that_disagree_are_an_error()
    {
        string folder = Sharded(out LlamaModel model);
        model.Dispose();
        Edit(folder, root => ((JsonObject)root["weight_map"]!).Remove("model.norm.weight"));
        Assert.Contains("model.norm.weight", Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder)).Message, StringComparison.Ordinal);
        folder = Sharded(out model);
        model.Dispose();
        Edit(folder, root => root["weight_map"]!["model.extra.weight"] = "model-00001-of-00003.safetensors");
        Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder));
        folder = Sharded(out model);
        model.Dispose();
        File.Delete(Directory.GetFiles(folder, "model-*-of-*.safetensors")[0]);
        Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder));
        folder = Sharded(out model);
        model.Dispose();
        File.WriteAllText(Path.Combine(folder, CheckpointWeights.IndexFile), "{\"weight_map\": [");
        Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder));
    }

    [Theory]
    [InlineData("hidden_size", "2000000000", "config.json asks for")]
    [InlineData("num_hidden_layers", "2000000000", "is missing")]
    [InlineData("num_hidden_layers", "1", "unknown tensor")]
    [InlineData("max_position_embeddings", "1099511627776", "'max_position_embeddings' must be a positive whole number")]
    [InlineData("hidden_size", "\"abc\"", "'hidden_size' must be a positive whole number of at most 2147483647, and is \"abc\"")]
    [InlineData("rope_theta", "0", "'rope_theta' must be a positive number, and is 0")]
    public void A_config_that_does_not_fit_the_weights_is_told_and_takes_no_memory(string field, string value, string expected)
    {
        string folder = Sharded(out LlamaModel model);
        model.Dispose();
        string config = Path.Combine(folder, "config.json");
        var root = (JsonObject)JsonNode.Parse(File.ReadAllText(config))!;
        root[field] = JsonNode.Parse(value);
        File.WriteAllText(config, root.ToJsonString());
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder)).Message, StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => GgufExport.Write(folder, folder + ".gguf", GgufType.F32)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData(CheckpointWeights.IndexFile)]
    [InlineData("model-00001")]
    public void A_pipe_in_a_files_place_is_an_error_and_keeps_nobody_waiting(string file)
    {
        string folder = Sharded(out LlamaModel model);
        model.Dispose();
        string path = Directory.GetFiles(folder).Single(each => Path.GetFileName(each).StartsWith(file, StringComparison.Ordinal));
        File.Delete(path);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [path]))
        {
            made.WaitForExit();
        }

        CheckpointException refused = Assert.Throws<CheckpointException>(() =>
        {
            ModelCheckpoint.LoadTokenizer(folder);
            ModelCheckpoint.LoadModel(folder).Dispose();
        });
        Assert.Contains("no plain file", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScalarType.Int32, "I32")]
    [InlineData(ScalarType.Int64, "I64")]
    public void Weights_that_are_whole_numbers_are_refused_by_name(ScalarType dtype, string name)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(LlamaTokenizer.Tiny().VocabSize), 0.2, 7);
        ModelCheckpoint.Save(folder, model, LlamaTokenizer.Tiny());
        using Tensor whole = zeros([32], dtype);
        Safetensors.Write(Path.Combine(folder, CheckpointWeights.SingleFile), new Dictionary<string, Tensor>(model.Parameters) { ["model.norm.weight"] = whole });
        string refusal = Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder)).Message;
        Assert.Contains($"'model.norm.weight' in model.safetensors is {name}", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_of_a_file_is_an_error()
    {
        using var scope = NewDisposeScope();
        string path = Path.GetTempFileName();
        Safetensors.Write(path, new Dictionary<string, Tensor> { ["a"] = ones(3, 4), ["b"] = ones(2) });
        byte[] whole = File.ReadAllBytes(path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<CheckpointException>(() => Safetensors.Read(path));
        }
    }

    [Theory]
    [InlineData("mistral", """, "sliding_window": 64""", 64)]
    [InlineData("mistral", """, "sliding_window": null""", 128)]
    [InlineData("qwen2", "", 128)]
    [InlineData("qwen2", """, "sliding_window": 64, "use_sliding_window": false""", 128)]
    [InlineData("llama", "", 128)]
    public void Families_that_differ_by_config_are_read_and_written(string family, string extra, int context)
    {
        LlamaConfig config = LlamaConfig.Parse(Config(family, extra));
        Assert.Equal((family, context, family == "qwen2"), (config.ModelType, config.ContextLength, config.QueryKeyValueBias));
        Assert.Equal(config, LlamaConfig.Parse(config.ToJson("float32", LlamaTokenizer.Tiny())));
    }

    [Theory]
    [InlineData("gemma2", "")]
    [InlineData("llama", """, "mlp_bias": true""")]
    [InlineData("llama", """, "quantization_config": {"quant_method": "fp8"} """)]
    [InlineData("llama", """, "hidden_act": "gelu" """)]
    [InlineData("qwen2", """, "layer_types": ["full_attention", "sliding_attention"]""")]
    public void What_would_be_computed_wrongly_is_refused(string family, string extra) =>
        Assert.Throws<CheckpointException>(() => LlamaConfig.Parse(Config(family, extra)));

    [Fact]
    public void Query_key_and_value_biases_take_part()
    {
        using var scope = NewDisposeScope();
        LlamaConfig config = ModelTests.Tiny() with { ModelType = "qwen2", QueryKeyValueBias = true };
        using LlamaModel model = LlamaModel.Initialize(config, 0.2, 7);
        Tensor ids = tensor(new long[] { 3, 17, 250 }, [1, 3]);
        double[] without = model.Forward(ids).Values();
        model.Parameters["model.layers.0.self_attn.v_proj.bias"].fill_(0.5f);
        Assert.Contains(without.Zip(model.Forward(ids).Values()), pair => Math.Abs(pair.First - pair.Second) > 1e-3);
    }

    private static string Config(string family, string extra) => $$"""
        { "model_type": "{{family}}", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
          "num_key_value_heads": 2, "head_dim": 8, "rms_norm_eps": 1e-6, "rope_theta": 10000, "max_position_embeddings": 128{{extra}} }
        """;
}
