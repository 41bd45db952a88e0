using System.Globalization;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Text;

/// <summary>
/// Llama 3's <c>tokenizer.model</c>: one line per token, base64 of its bytes and its rank. The pairs that byte-level BPE
/// writes down are found again by merging each token's bytes with the tokens of lower rank.
/// </summary>
public static class TiktokenModel
{
    private const int SpecialTokenCount = 256;

    // Ids of Llama 3.1's named special tokens, counted from the first one; the others are reserved.
    private static readonly Dictionary<int, string> Named = new()
    {
        [0] = "<|begin_of_text|>", [1] = "<|end_of_text|>", [4] = "<|finetune_right_pad_id|>", [6] = "<|start_header_id|>",
        [7] = "<|end_header_id|>", [8] = "<|eom_id|>", [9] = "<|eot_id|>", [10] = "<|python_tag|>",
    };

    /// <exception cref="CheckpointException">A line that is no token, a rank out of order, or bytes that no merges make.</exception>
    public static LlamaTokenizer Parse(string text)
    {
        byte[][] tokens = Tokens(text);
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        string[] spelt = tokens.Select(token => ByteLevel.Spell(token)).ToArray();
        for (int rank = 0; rank < spelt.Length; rank++)
        {
            if (!ranks.TryAdd(spelt[rank], rank))
            {
                throw new CheckpointException($"tokenizer.model:{rank + 1}: the token is there twice");
            }
        }

        if (ByteLevel.Symbols.FirstOrDefault(symbol => !ranks.ContainsKey(symbol)) is string missing)
        {
            throw new CheckpointException($"tokenizer.model: the single byte '{missing}' is no token");
        }

        var merges = new List<string>();
        foreach (string token in spelt.Where(token => token.Length > 1))
        {
            // What cannot be made of two lower tokens is found as a whole piece only.
            if (LastMerge(token, ranks) is (string left, string right))
            {
                merges.Add($"{left} {right}");
            }
        }

        return LlamaTokenizer.Parse(TokenizerJson.Build(spelt, merges, Specials(spelt.Length), PieceSplitter.Llama3, ignoreMerges: true));
    }

    private static byte[][] Tokens(string text)
    {
        var tokens = new List<byte[]>();
        foreach (string line in text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0))
        {
            string[] parts = line.Split(' ');
            byte[] bytes = new byte[line.Length];
            if (parts.Length != 2 || !Convert.TryFromBase64String(parts[0], bytes, out int length) || length == 0)
            {
                throw new CheckpointException($"tokenizer.model:{tokens.Count + 1}: not 'BASE64 RANK'");
            }

            if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int rank) || rank != tokens.Count)
            {
                throw new CheckpointException($"tokenizer.model:{tokens.Count + 1}: rank '{parts[1]}', where {tokens.Count} is due");
            }

            tokens.Add(bytes[..length]);
        }

        return tokens.Count > 0 ? [.. tokens] : throw new CheckpointException("tokenizer.model is empty");
    }

    private static IEnumerable<(string Spelling, int Id)> Specials(int first)
    {
        int reserved = 0;
        for (int i = 0; i < SpecialTokenCount; i++)
        {
            yield return (Named.TryGetValue(i, out string? name) ? name : $"<|reserved_special_token_{(reserved++).ToString(CultureInfo.InvariantCulture)}|>", first + i);
        }
    }

    // Merges the token's bytes by tokens of lower rank, the lowest first, until two parts are left.
    private static (string Left, string Right)? LastMerge(string token, Dictionary<string, int> ranks)
    {
        int own = ranks[token];
        List<string> parts = token.Select(symbol => symbol.ToString()).ToList();
        while (parts.Count > 2)
        {
            (int best, int at) = (own, -1);
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue(parts[i] + parts[i + 1], out int rank) && rank < best)
                {
                    (best, at) = (rank, i);
                }
            }

            if (at < 0)
            {
                return null;
            }

            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }

        return (parts[0], parts[1]);
    }
}
