using System.Text;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

/// <summary>Tokenizers that are learned, and tokenizers in Llama 3's own format.</summary>
public sealed class TokenizerTests
{
    private static readonly string[] Corpus = [.. Enumerable.Range(0, 200).Select(i => $"the cat sat on the mat number {i % 17}, and the rat sat there too\n")];

    private static LlamaTokenizer Learn(IEnumerable<string> texts, int size)
    {
        var trainer = new BpeTrainer();
        foreach (string text in texts)
        {
            trainer.Add(text);
        }

        return trainer.Train(size);
    }

    [Fact]
    public void A_learned_tokenizer_says_more_with_less_and_loses_nothing()
    {
        LlamaTokenizer learned = Learn(Corpus, 290);
        Assert.Equal(290, learned.VocabSize);
        string text = "the cat sat — und die Katze saß 🐈, <|eot_id|>\r\n\tend";
        Assert.Equal(text, learned.Decode(learned.Encode(text)));
        Assert.DoesNotContain(learned.Specials.EndOfTurn, learned.Encode(text));
        Assert.True(learned.Encode(Corpus[0]).Count * 2 < Encoding.UTF8.GetByteCount(Corpus[0]));
        Assert.Single(learned.Encode(" the"));
    }

    [Fact]
    public void The_same_texts_in_any_order_give_the_same_tokenizer()
    {
        Assert.Equal(Learn(Corpus, 300).Source, Learn(Corpus.Reverse(), 300).Source);
    }

    [Fact]
    public void Learning_ends_when_no_pair_occurs_twice()
    {
        LlamaTokenizer learned = Learn(["abc"], 1000);
        Assert.Equal(BpeTrainer.SmallestVocabulary, learned.VocabSize);
        Assert.Equal("abc", learned.Decode(learned.Encode("abc")));
    }

    [Fact]
    public void Each_merge_is_of_the_most_frequent_pair_counted_anew()
    {
        // Counted by hand: "hug" x10, "pug" x5, "pun" x12, "bun" x4, "hugs" x5 (each with its space before it).
        (string Word, int Count)[] words = [("hug", 10), ("pug", 5), ("pun", 12), ("bun", 4), ("hugs", 5)];
        LlamaTokenizer learned = Learn(words.SelectMany(word => Enumerable.Repeat(word.Word, word.Count)), BpeTrainer.SmallestVocabulary + 3);
        Assert.Equal(["u g", "u n", "h ug"], learned.Merges);
    }

    [Fact]
    public void Tokens_by_rank_encode_like_the_merges_they_came_from()
    {
        LlamaTokenizer learned = Learn(Corpus, 290);
        LlamaTokenizer read = TiktokenModel.Parse(Ranks(learned));
        Assert.Equal(learned.Merges, read.Merges);
        Assert.Equal(learned.VocabSize - SpecialTokens.Names.Count + 256, read.VocabSize);
        foreach (string text in Corpus.Append("there is a cat, thereabouts"))
        {
            Assert.Equal(learned.Encode(text), read.Encode(text));
        }

        int first = learned.VocabSize - SpecialTokens.Names.Count;
        Assert.Equal((first, first + 1, first + 6, first + 9), (read.Specials.BeginOfText, read.Specials.EndOfText, read.Specials.StartHeader, read.Specials.EndOfTurn));
    }

    [Fact]
    public void A_piece_that_is_a_token_is_one_though_no_merges_make_it()
    {
        string ranks = Ranks(Learn([], 264)) + Convert.ToBase64String(Encoding.UTF8.GetBytes("xyz")) + " 256\n";
        LlamaTokenizer read = TiktokenModel.Parse(ranks);
        Assert.Equal([256], read.Encode("xyz"));
        Assert.Equal(4, read.Encode("xyzz").Count);
        Assert.Equal([256], LlamaTokenizer.Parse(read.Source).Encode("xyz"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("!!! 0", "tokenizer.model:1: not 'BASE64 RANK'")]
    [InlineData("AA== 1", "rank '1', where 0 is due")]
    [InlineData("AA== 0\nAA== 1", "tokenizer.model:2: the token is there twice")]
    [InlineData("AA== 0", "is no token")]
    public void A_damaged_file_is_refused_at_its_line(string text, string complaint)
    {
        var failure = Assert.Throws<CheckpointException>(() => TiktokenModel.Parse(text));
        Assert.Contains(complaint, failure.Message, StringComparison.Ordinal);
    }

    // The file as Meta writes it: base64 of a token's bytes, and its rank.
    private static string Ranks(LlamaTokenizer tokenizer)
    {
        int tokens = tokenizer.VocabSize - SpecialTokens.Names.Count;
        return string.Concat(Enumerable.Range(0, tokens).Select(id => $"{Convert.ToBase64String(tokenizer.BytesOf(id))} {id}\n"));
    }
}
