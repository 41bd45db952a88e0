using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Checkpoints;

/// <summary>What stands beside the weights of a checkpoint that is trained further.</summary>
public sealed class CheckpointCompanionsTests
{
    private readonly string root = Directory.CreateTempSubdirectory().FullName;

    // A checkpoint with what people add to one.
    private string Base()
    {
        string folder = Path.Combine(root, "base");
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(LlamaTokenizer.Tiny().VocabSize), 0.2, 1);
        ModelCheckpoint.Save(folder, model, LlamaTokenizer.Tiny());
        Edit(folder, "tokenizer_config.json", node => node["chat_template"] = "{{ mine }}");
        Edit(folder, "generation_config.json", node => node["temperature"] = 0.6);
        Edit(folder, "config.json", node => (node["eos_token_id"], node["custom_field"]) = (new JsonArray(1, 2), "kept"));
        File.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), "{\"eos_token\": \"<|eot_id|>\"}");
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "{{ mine }}");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "not the tokenizer's");
        return folder;
    }

    private static void Edit(string folder, string file, Action<JsonObject> change)
    {
        var node = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!;
        change(node);
        File.WriteAllText(Path.Combine(folder, file), node.ToJsonString());
    }

    [Fact]
    public void Tokenizer_and_generation_files_of_the_start_come_along_unchanged()
    {
        string start = Base();
        string tuned = Path.Combine(root, "tuned");
        using LlamaModel model = ModelCheckpoint.LoadModel(start);
        ModelCheckpoint.Save(tuned, model, ModelCheckpoint.LoadTokenizer(start), from: start);
        string[] carried = ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json", "chat_template.jinja"];
        Assert.All(carried, file => Assert.Equal(File.ReadAllBytes(Path.Combine(start, file)), File.ReadAllBytes(Path.Combine(tuned, file))));
        Assert.False(File.Exists(Path.Combine(tuned, "notes.txt")));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(Path.Combine(start, "config.json"))), JsonNode.Parse(File.ReadAllText(Path.Combine(tuned, "config.json")))));
        Assert.Contains("is the input", Assert.Throws<CheckpointException>(() => ModelCheckpoint.Save(start, model, ModelCheckpoint.LoadTokenizer(start), from: start)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_sees_what_a_training_would_carry_along()
    {
        string start = Base();
        string before = ModelCheckpoint.Hash(start);
        foreach (string file in new[] { "chat_template.jinja", "generation_config.json", "tokenizer_config.json" })
        {
            File.AppendAllText(Path.Combine(start, file), " ");
            Assert.NotEqual(before, before = ModelCheckpoint.Hash(start));
        }

        File.AppendAllText(Path.Combine(start, "notes.txt"), "more");
        Assert.Equal(before, ModelCheckpoint.Hash(start));
    }

    [Fact]
    public void A_reward_model_says_what_it_is_and_keeps_the_rest()
    {
        string start = Base();
        string judge = Path.Combine(root, "judge");
        using RewardModel model = RewardModel.Initialize(RewardCheckpoint.LoadTrunk(start), 3);
        RewardCheckpoint.Save(judge, model, ModelCheckpoint.LoadTokenizer(start), RewardTask.Sequence, from: start);
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(judge, "config.json")))!;
        Assert.Equal(("LlamaForSequenceClassification", "kept", "LABEL_0"), ((string)config["architectures"]![0]!, (string)config["custom_field"]!, (string)config["id2label"]!["0"]!));
        Assert.Equal("{{ mine }}", File.ReadAllText(Path.Combine(judge, "chat_template.jinja")));
        using RewardModel read = RewardCheckpoint.Load(judge);
        Miniatures.AssertSameBits(model.Trunk.Parameters, read.Trunk.Parameters);
    }

    [Fact]
    public void A_start_with_tokenizer_model_alone_gets_the_files_that_others_read()
    {
        string start = Base();
        File.Delete(Path.Combine(start, "tokenizer.json"));
        File.Delete(Path.Combine(start, "generation_config.json"));
        string ranks = string.Concat(Enumerable.Range(0, 256).Select(b => $"{Convert.ToBase64String([(byte)b])} {b}\n"));
        Directory.CreateDirectory(Path.Combine(start, "original"));
        File.WriteAllText(Path.Combine(start, "original/tokenizer.model"), ranks);
        string tuned = Path.Combine(root, "tuned");
        using LlamaModel model = ModelCheckpoint.LoadModel(start);
        ModelCheckpoint.Save(tuned, model, ModelCheckpoint.LoadTokenizer(start), from: start);
        Assert.Equal(ModelCheckpoint.LoadTokenizer(start).Source, File.ReadAllText(Path.Combine(tuned, "tokenizer.json")));
        Assert.Equal(ranks, File.ReadAllText(Path.Combine(tuned, "tokenizer.model")));
        Assert.Contains("{{ mine }}", File.ReadAllText(Path.Combine(tuned, "tokenizer_config.json")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(tuned, "generation_config.json")));
    }
}
