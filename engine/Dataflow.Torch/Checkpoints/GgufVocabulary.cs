using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Checkpoints;

/// <summary>What a GGUF file says of a tokenizer.</summary>
internal static class GgufVocabulary
{
    // Token types of llama.cpp.
    private const int Normal = 1;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;

    /// <param name="size">Rows of the model's embedding.</param>
    /// <param name="pre">llama.cpp's name of the pre-tokenizer.</param>
    /// <param name="template">Jinja template of dialogs; null leaves it out.</param>
    /// <exception cref="CheckpointException">More tokens than the model has embeddings.</exception>
    public static IEnumerable<(string, object)> Facts(LlamaTokenizer tokenizer, int size, string pre, string? template)
    {
        if (tokenizer.VocabSize > size)
        {
            throw new CheckpointException($"tokenizer.json has ids up to {tokenizer.VocabSize - 1}, but the model's vocab_size is {size}: they do not belong together, or the embeddings have yet to be extended");
        }

        string[] tokens = Enumerable.Range(0, size).Select(id => $"[unused{id}]").ToArray();
        int[] types = Enumerable.Repeat(Unused, size).ToArray();
        foreach ((string text, JsonNode? id) in JsonNode.Parse(tokenizer.Source)!["model"]!["vocab"]!.AsObject())
        {
            (tokens[(int)id!], types[(int)id!]) = (text, Normal);
        }

        foreach (AddedToken added in tokenizer.Added)
        {
            (tokens[added.Id], types[added.Id]) = (added.Spelling, added.IsSpecial ? Control : UserDefined);
        }

        TextTokens around = tokenizer.TextTokens;
        (string, object?)[] facts =
        [
            ("tokenizer.ggml.model", "gpt2"),
            ("tokenizer.ggml.pre", pre),
            ("tokenizer.ggml.tokens", tokens),
            ("tokenizer.ggml.token_type", types),
            ("tokenizer.ggml.merges", tokenizer.Merges),
            ("tokenizer.ggml.bos_token_id", (uint?)around.Begin),
            ("tokenizer.ggml.eos_token_id", (uint?)(tokenizer.WritesDialogs ? tokenizer.Specials.EndOfTurn : around.End)),
            ("tokenizer.ggml.padding_token_id", (uint?)around.Pad),
            ("tokenizer.ggml.add_bos_token", around.Begin is not null),
            ("tokenizer.chat_template", template),
        ];
        return facts.Where(fact => fact.Item2 is not null).Select(fact => (fact.Item1, fact.Item2!));
    }
}
