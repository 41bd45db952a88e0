using System.Text;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Text;
using Dataflow.Torch.Text;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Checkpoints;

public sealed class GgufExportTests
{
    private static readonly LlamaTokenizer Tokenizer = LlamaTokenizer.Tiny();

    private static Gguf Export(GgufType type, out LlamaModel model, Func<LlamaConfig, LlamaConfig>? change = null)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        LlamaConfig config = ModelTests.Tiny(Tokenizer.VocabSize);
        model = LlamaModel.Initialize(change?.Invoke(config) ?? config, 0.2, 7);
        ModelCheckpoint.Save(folder, model, Tokenizer);
        GgufExport.Write(folder, folder + ".gguf", type);
        return Gguf.Read(folder + ".gguf");
    }

    [Theory]
    [InlineData(GgufType.F32, 0)]
    [InlineData(GgufType.F16, 1e-3)]
    [InlineData(GgufType.Q8_0, 5e-3)]
    public void Weights_are_stored_under_the_names_and_types_of_llama_cpp(GgufType type, double tolerance)
    {
        Gguf file = Export(type, out LlamaModel model);
        Assert.Equal(model.Parameters.Count, file.Tensors.Count);
        AssertClose(model.Parameters["model.embed_tokens.weight"].Values(), file.Tensors["token_embd.weight"].Values, tolerance);
        AssertClose(model.Parameters["model.layers.1.mlp.down_proj.weight"].Values(), file.Tensors["blk.1.ffn_down.weight"].Values, tolerance);
        AssertClose(model.Parameters["model.norm.weight"].Values(), file.Tensors["output_norm.weight"].Values, 0);
        Assert.Equal((int)type, file.Tensors["blk.0.attn_v.weight"].Type);
        Assert.Equal([32L, 16L], file.Tensors["blk.0.attn_v.weight"].Dimensions);
        Assert.Equal(0, file.Tensors["blk.0.attn_norm.weight"].Type);
        model.Dispose();
    }

    [Fact]
    public void Rotated_halves_become_rotated_pairs()
    {
        Gguf file = Export(GgufType.F32, out LlamaModel model);
        double[] halves = model.Parameters["model.layers.0.self_attn.q_proj.weight"].Values();
        double[] pairs = file.Tensors["blk.0.attn_q.weight"].Values;
        // Heads of 8 rows: row 2i of llama.cpp is row i of Hugging Face, row 2i + 1 is row i + 4.
        for (int row = 0; row < 32; row++)
        {
            int from = (row / 8 * 8) + (row % 8 / 2) + (row % 2 * 4);
            AssertClose(halves[(from * 32)..((from + 1) * 32)], pairs[(row * 32)..((row + 1) * 32)], 0);
        }

        model.Dispose();
    }

    [Fact]
    public void The_file_says_what_the_config_says()
    {
        Gguf file = Export(GgufType.F16, out LlamaModel model, config => config with { TieWordEmbeddings = false, RopeScaling = new RopeScaling(8, 1, 4, 64) });
        Assert.Equal(("llama", 2u, 128u, 4u, 2u, 10_000f), (file.Facts["general.architecture"], file.Facts["llama.block_count"], file.Facts["llama.context_length"], file.Facts["llama.attention.head_count"], file.Facts["llama.attention.head_count_kv"], file.Facts["llama.rope.freq_base"]));
        Assert.True(file.Tensors.ContainsKey("output.weight"));
        Assert.Equal(4, file.Tensors["rope_freqs.weight"].Values.Length);
        Assert.Equal(1, file.Tensors["rope_freqs.weight"].Values[0]);
        object[] tokens = (object[])file.Facts["tokenizer.ggml.tokens"];
        Assert.Equal(("<|eot_id|>", 3), (tokens[Tokenizer.Specials.EndOfTurn], ((object[])file.Facts["tokenizer.ggml.token_type"])[Tokenizer.Specials.EndOfTurn]));
        Assert.Equal(model.Config.VocabSize, tokens.Length);
        model.Dispose();
    }

    [Fact]
    public void Qwen2_keeps_its_rows_and_biases()
    {
        Gguf file = Export(GgufType.F32, out LlamaModel model, config => config with { ModelType = "qwen2", QueryKeyValueBias = true });
        Assert.Equal("qwen2", file.Facts["general.architecture"]);
        AssertClose(model.Parameters["model.layers.0.self_attn.q_proj.weight"].Values(), file.Tensors["blk.0.attn_q.weight"].Values, 0);
        Assert.True(file.Tensors.ContainsKey("blk.1.attn_k.bias"));
        model.Dispose();
    }

    private static string Family(string family, int spare = 0)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        LlamaTokenizer tokenizer = TokenizerFamilies.Create(family);
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(tokenizer.VocabSize + spare), 0.2, 7);
        ModelCheckpoint.Save(folder, model, tokenizer);
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), TokenizerFamilies.Config(family)!.ToJsonString());
        return folder;
    }

    [Fact]
    public void Another_familys_tokens_and_template_go_into_the_file()
    {
        string folder = Family("qwen2", spare: 3);
        GgufExport.Write(folder, folder + ".gguf", GgufType.F32);
        Gguf file = Gguf.Read(folder + ".gguf");
        Assert.Equal(("qwen2", "{{ messages }}", false), (file.Facts["tokenizer.ggml.pre"], file.Facts["tokenizer.chat_template"], file.Facts["tokenizer.ggml.add_bos_token"]));
        Assert.False(file.Facts.ContainsKey("tokenizer.ggml.bos_token_id"));
        object[] tokens = (object[])file.Facts["tokenizer.ggml.tokens"];
        Assert.Equal("<|im_end|>", tokens[(uint)file.Facts["tokenizer.ggml.eos_token_id"]]);
        Assert.Equal([3, 3, 4, 5, 5, 5], ((object[])file.Facts["tokenizer.ggml.token_type"]).TakeLast(6).Cast<int>());
        Assert.Equal((uint)tokens.Length, file.Facts["llama.vocab_size"]);
    }

    [Fact]
    public void A_tokenizer_that_llama_cpp_has_no_name_for_is_refused_unless_one_is_given()
    {
        string folder = Family("whole");
        string refusal = Assert.Throws<CheckpointException>(() => GgufExport.Write(folder, folder + ".gguf", GgufType.F32)).Message;
        Assert.Contains("no name known here", refusal, StringComparison.Ordinal);
        Assert.Contains("--pre", refusal, StringComparison.Ordinal);
        Assert.False(File.Exists(folder + ".gguf"));
        GgufExport.Write(folder, folder + ".gguf", GgufType.F32, pre: "gpt-2");
        Assert.Equal("gpt-2", Gguf.Read(folder + ".gguf").Facts["tokenizer.ggml.pre"]);
    }

    [Fact]
    public void A_tokenizer_larger_than_the_model_is_told()
    {
        string folder = Family("gpt2", spare: -2);
        string refusal = Assert.Throws<CheckpointException>(() => GgufExport.Write(folder, folder + ".gguf", GgufType.F32)).Message;
        Assert.Contains($"ids up to {TokenizerFamilies.Create("gpt2").VocabSize - 1}", refusal, StringComparison.Ordinal);
    }

    /// <summary>A reader of the test's own, after the format's specification.</summary>
    private sealed record Gguf(Dictionary<string, object> Facts, Dictionary<string, (long[] Dimensions, int Type, double[] Values)> Tensors)
    {
        public static Gguf Read(string path)
        {
            using var reader = new BinaryReader(File.OpenRead(path));
            Assert.Equal("GGUF"u8.ToArray(), reader.ReadBytes(4));
            Assert.Equal(3, reader.ReadInt32());
            (long tensors, long facts) = (reader.ReadInt64(), reader.ReadInt64());
            var known = new Dictionary<string, object>();
            for (long i = 0; i < facts; i++)
            {
                string key = Text(reader);
                known[key] = Value(reader, reader.ReadInt32());
            }

            (string Name, long[] Dimensions, int Type, long Offset)[] list = Enumerable.Range(0, (int)tensors)
                .Select(_ => (Text(reader), Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadInt64()).ToArray(), reader.ReadInt32(), reader.ReadInt64())).ToArray();
            long data = (reader.BaseStream.Position + 31) / 32 * 32;
            var values = new Dictionary<string, (long[], int, double[])>();
            foreach ((string name, long[] dimensions, int type, long offset) in list)
            {
                Assert.Equal(0, offset % 32);
                reader.BaseStream.Position = data + offset;
                values[name] = (dimensions, type, Numbers(reader, type, dimensions.Aggregate(1L, (product, d) => product * d)));
            }

            return new Gguf(known, values);
        }

        private static double[] Numbers(BinaryReader reader, int type, long count)
        {
            var numbers = new double[count];
            float scale = 0;
            for (long i = 0; i < count; i++)
            {
                scale = type == 8 && i % 32 == 0 ? (float)reader.ReadHalf() : scale;
                numbers[i] = type switch { 0 => reader.ReadSingle(), 1 => (float)reader.ReadHalf(), _ => scale * reader.ReadSByte() };
            }

            return numbers;
        }

        private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()));

        private static object Value(BinaryReader reader, int type)
        {
            if (type != 9)
            {
                return type switch { 4 => reader.ReadUInt32(), 5 => reader.ReadInt32(), 6 => reader.ReadSingle(), 7 => reader.ReadBoolean(), _ => Text(reader) };
            }

            int item = reader.ReadInt32();
            return Enumerable.Range(0, (int)reader.ReadInt64()).Select(_ => Value(reader, item)).ToArray();
        }
    }
}
