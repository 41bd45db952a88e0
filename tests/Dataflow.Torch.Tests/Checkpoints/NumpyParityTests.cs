using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Checkpoints;

/// <summary>Checkpoints go both ways between this library and a Llama in numpy that knows only Hugging Face's layout.</summary>
public sealed class NumpyParityTests
{
    // The system's own, which tools/install-packages gives numpy.
    private const string Python = "/usr/bin/python3";

    private static readonly LlamaTokenizer Tokenizer = LlamaTokenizer.Tiny();
    private static readonly int[][] Sequences = [[.. Enumerable.Range(0, 40).Select(t => t * t % 251)], [7, 3, 3, 250]];

    private static LlamaConfig Config(string family) => ModelTests.Tiny(Tokenizer.VocabSize) with
    {
        ModelType = family, QueryKeyValueBias = family == "qwen2", TieWordEmbeddings = false, SlidingWindow = family == "mistral" ? 64 : null, HeadDim = 8,
    };

    [Theory]
    [InlineData("llama", ScalarType.Float32, 1L << 40)]
    [InlineData("llama", ScalarType.BFloat16, 30_000L)]
    [InlineData("mistral", ScalarType.Float16, 30_000L)]
    [InlineData("qwen2", ScalarType.Float32, 30_000L)]
    public void What_is_saved_here_gives_the_same_logits_there(string family, ScalarType dtype, long shardBytes)
    {
        using var scope = NewDisposeScope();
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        using LlamaModel drawn = LlamaModel.Initialize(Config(family), 0.2, 7);
        foreach ((string name, Tensor bias) in drawn.Parameters.Where(pair => pair.Key.EndsWith(".bias", StringComparison.Ordinal)))
        {
            bias.copy_(randn(bias.shape).Times(0.2));
        }

        using var stored = new LlamaModel(drawn.Config, drawn.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.to(dtype)));
        ModelCheckpoint.Save(folder, stored, Tokenizer, shardBytes);
        using LlamaModel model = ModelCheckpoint.LoadModel(folder, dtype: ScalarType.Float32);
        AssertSame(model, Peer.Logits("Numpy", Python, ["llama.py", "logits", folder], Sequences));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    public void What_is_written_there_in_shards_gives_the_same_logits_here(string family)
    {
        using var scope = NewDisposeScope();
        string folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(family).ToJson("float32", Tokenizer));
        string written = Path.Combine(folder, "model");
        Peer.Run("Numpy", Python, "llama.py", "write", written, Path.Combine(folder, "config.json"));
        using LlamaModel model = ModelCheckpoint.LoadModel(written);
        AssertSame(model, Peer.Logits("Numpy", Python, ["llama.py", "logits", written], Sequences));
    }

    private static void AssertSame(LlamaModel model, float[] theirs)
    {
        using var mode = no_grad();
        double[] ours = Sequences.SelectMany(ids => model.Forward(tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Length])).reshape(-1).Values()).ToArray();
        Assert.Equal(ours.Length, theirs.Length);
        double worst = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst < 1e-4 * Math.Max(1, ours.Max(Math.Abs)), $"largest difference of logits {worst}");
    }
}
