using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

/// <summary>Byte-level BPE tokenizers of any family are read; Llama 3's tokens are asked for where dialogs in its format are.</summary>
public sealed class TokenizerFamilyTests
{
    public static TheoryData<string> Families => [.. TokenizerFamilies.Names];

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_family_loses_nothing(string family)
    {
        LlamaTokenizer tokenizer = TokenizerFamilies.Create(family);
        Assert.All(TokenizerFamilies.Texts, text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))));
        Assert.Equal(family.StartsWith("llama3", StringComparison.Ordinal), tokenizer.WritesDialogs);
    }

    [Theory]
    [InlineData("gpt2", "in 1999", "in", " 1999")]
    [InlineData("qwen2", "in 1999", "in", " ", "1", "9", "9", "9")]
    [InlineData("llama3", "in 1999", "in", " ", "199", "9")]
    [InlineData("smollm", "in 1999", "in", " ", "1", "9", "9", "9")]
    [InlineData("whole", "in 1999", "in 1999")]
    [InlineData("gpt2", "a  b\n\nc", "a", " ", " b", "\n", "\n", "c")]
    [InlineData("llama3", "a  b\n\nc", "a", " ", " b", "\n\n", "c")]
    [InlineData("tekken", "CamelCase", "Camel", "Case")]
    [InlineData("gpt2", "IT'S it's", "IT", "'", "S", " it", "'s")]
    [InlineData("qwen2", "IT'S it's", "IT", "'S", " it", "'s")]
    public void Text_is_cut_as_the_family_cuts(string family, string text, params string[] expected)
    {
        PieceSplitter splitter = PieceSplitter.Parse(JsonNode.Parse(TokenizerFamilies.Source(family))!["pre_tokenizer"]);
        Assert.Equal(expected, splitter.PreTokenize(text).Select(piece => text.Substring(piece.Offset, piece.Length)));
    }

    [Fact]
    public void A_family_without_llamas_tokens_says_so_where_a_dialog_is_written()
    {
        LlamaTokenizer qwen = TokenizerFamilies.Create("qwen2");
        Assert.Contains("<|begin_of_text|> is missing", Assert.Throws<CheckpointException>(() => new ChatTemplate(qwen)).Message, StringComparison.Ordinal);
        Assert.Null(qwen.TextTokens.Begin);
        Assert.Equal(("<|im_end|>", "<|endoftext|>"), (qwen.SpellingOf(qwen.TextTokens.End!.Value), qwen.SpellingOf(qwen.Padding)));
        Assert.Equal("caf\u00E9", qwen.Decode(qwen.Encode("cafe\u0301")));
        Assert.Equal("cafe\u0301", TokenizerFamilies.Create("gpt2").Decode(TokenizerFamilies.Create("gpt2").Encode("cafe\u0301")));
        Assert.Equal("a<tool_call>", qwen.Decode([.. qwen.Encode("a"), qwen.VocabSize - 1]));
        Assert.Equal("a", qwen.Decode([.. qwen.Encode("a"), qwen.TextTokens.End.Value]));
    }

    [Theory]
    [InlineData("pre_tokenizer", "null", "no ByteLevel step")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace"}""", "pre_tokenizer 'Metaspace' is not supported")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": true}""", "add_prefix_space")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext"}, {"type": "ByteLevel"}]}""", "'MergedWithNext'")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}, {"type": "ByteLevel"}]}""", "tokenizer.json")]
    [InlineData("normalizer", """{"type": "Prepend", "prepend": "_"}""", "normalizer 'Prepend' is not supported")]
    [InlineData("model.byte_fallback", "true", "byte_fallback")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix '</w>'")]
    [InlineData("model.vocab.日本", "500", "stands for no byte")]
    [InlineData("added_tokens", """[{"id": -1, "content": "<x>", "special": true}]""", "negative")]
    public void What_would_be_tokenized_otherwise_is_refused(string field, string value, string complaint)
    {
        var root = (JsonObject)JsonNode.Parse(TokenizerFamilies.Source("gpt2"))!;
        string[] path = field.Split('.');
        JsonNode at = path[..^1].Aggregate((JsonNode)root, (node, name) => node[name]!);
        at[path[^1]] = JsonNode.Parse(value);
        Assert.Contains(complaint, Assert.Throws<CheckpointException>(() => LlamaTokenizer.Parse(root.ToJsonString())).Message, StringComparison.Ordinal);
    }
}
