using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Checkpoints;

/// <summary>
/// llama.cpp's name of how a tokenizer cuts text before merging (<c>tokenizer.ggml.pre</c>). It knows expressions by name
/// only, and under a wrong name cuts otherwise without a word, so that what has none is refused.
/// </summary>
internal static class GgufPreTokenizer
{
    private const string Qwen2 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Tekken =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    // The name also says whether merges are ignored for pieces that are tokens.
    private static readonly (string Name, bool IgnoresMerges, string[] Patterns)[] Known =
    [
        ("llama-bpe", true, [PieceSplitter.Llama3]),
        ("smaug-bpe", false, [PieceSplitter.Llama3]),
        ("qwen2", false, [Qwen2]),
        ("gpt-2", false, [PieceSplitter.Gpt2]),
        ("smollm", false, [@"\p{N}", PieceSplitter.Gpt2]),
        ("tekken", true, [Tekken]),
    ];

    /// <exception cref="CheckpointException">llama.cpp has no name for it that is known here.</exception>
    public static string Name(LlamaTokenizer tokenizer) =>
        Known.FirstOrDefault(known => known.IgnoresMerges == tokenizer.IgnoresMerges && known.Patterns.SequenceEqual(tokenizer.SplitPatterns, StringComparer.Ordinal)).Name
        ?? throw new CheckpointException(
            $"tokenizer.json: llama.cpp has no name known here for how this tokenizer cuts text ({(tokenizer.SplitPatterns.Count == 0 ? "not at all" : string.Join(" then ", tokenizer.SplitPatterns))}"
            + $"{(tokenizer.IgnoresMerges ? ", ignore_merges" : "")}), and would cut it otherwise; name the one that it is by --pre, as llama.cpp's convert_hf_to_gguf.py does");
}
