using System.Text.Json;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Text;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Checkpoints;

/// <summary>What is exported runs in llama.cpp with the same probabilities.</summary>
public sealed class LlamaCppParityTests
{
    [Theory]
    [InlineData(GgufType.F32, false, 1e-3)]
    [InlineData(GgufType.F32, true, 1e-3)]
    [InlineData(GgufType.F16, false, 5e-3)]
    public void Llama_cpp_gives_the_probabilities_of_the_exported_model(GgufType type, bool scaledRope, double tolerance)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Peer.Folder("LlamaCpp"), "node_modules")), "llama.cpp is not installed; run tools/install-packages test");
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        string folder = Directory.CreateTempSubdirectory().FullName;
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        LlamaConfig config = ModelTests.Tiny(tokenizer.VocabSize) with
        {
            HiddenSize = 64, RopeScaling = scaledRope ? new RopeScaling(8, 1, 4, 32) : null, TieWordEmbeddings = !scaledRope,
        };
        using LlamaModel model = LlamaModel.Initialize(config, 0.15, 7);
        ModelCheckpoint.Save(Path.Combine(folder, "model"), model, tokenizer);
        GgufExport.Write(Path.Combine(folder, "model"), Path.Combine(folder, "model.gguf"), type);
        int[][] sequences = Enumerable.Range(0, 20).Select(s => Enumerable.Range(0, 100).Select(t => ((s * 31) + (t * t * 7) + (t * 13)) % 256).ToArray()).ToArray();
        float[] theirs = Peer.Logits("LlamaCpp", "node", ["logits.mjs", Path.Combine(folder, "model.gguf")], sequences);
        Assert.Equal(2000 * config.VocabSize, theirs.Length);
        int agree = 0;
        double worst = 0;
        for (int s = 0; s < sequences.Length; s++)
        {
            Tensor ours = model.Forward(tensor(sequences[s].Select(id => (long)id).ToArray(), [1, 100]))[0];
            Tensor other = tensor(theirs.AsSpan(s * 100 * config.VocabSize, 100 * config.VocabSize).ToArray(), [100, config.VocabSize]);
            agree += ours.argmax(-1).eq(other.argmax(-1)).sum().to(ScalarType.Int32).item<int>();
            worst = Math.Max(worst, ours.softmax(-1).sub(other.softmax(-1)).abs().max().item<float>());
        }

        Assert.True(agree >= 1960, $"{agree} of 2000 agree");
        Assert.True(worst < tolerance, $"largest difference of probabilities {worst}");
    }

    [Theory]
    [InlineData("llama3")]
    [InlineData("llama3-merges")]
    [InlineData("gpt2")]
    [InlineData("qwen2")]
    [InlineData("smollm")]
    [InlineData("tekken")]
    public void Llama_cpp_cuts_text_into_the_tokens_of_the_exported_tokenizer(string family)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Peer.Folder("LlamaCpp"), "node_modules")), "llama.cpp is not installed; run tools/install-packages test");
        string folder = Directory.CreateTempSubdirectory().FullName;
        string source = TokenizerFamilies.WithUnmergedToken(TokenizerFamilies.Source(family));
        LlamaTokenizer tokenizer = LlamaTokenizer.Parse(source, TokenizerFamilies.Config(family));
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(tokenizer.VocabSize), 0.15, 7);
        ModelCheckpoint.Save(Path.Combine(folder, "model"), model, tokenizer);
        GgufExport.Write(Path.Combine(folder, "model"), Path.Combine(folder, "model.gguf"), GgufType.F32);
        string[] texts = [.. TokenizerFamilies.Texts.Where(text => !text.Contains('<', StringComparison.Ordinal)), "zqxj"];
        File.WriteAllText(Path.Combine(folder, "texts.json"), JsonSerializer.Serialize(texts));
        Peer.Run("LlamaCpp", "node", "tokens.mjs", Path.Combine(folder, "model.gguf"), Path.Combine(folder, "texts.json"), Path.Combine(folder, "tokens.json"));
        int[][] theirs = JsonSerializer.Deserialize<int[][]>(File.ReadAllText(Path.Combine(folder, "tokens.json")))!;
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal((texts[i], string.Join(' ', tokenizer.Encode(texts[i]))), (texts[i], string.Join(' ', theirs[i])));
        }
    }
}
