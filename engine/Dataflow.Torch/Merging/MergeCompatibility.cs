using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Merging;

/// <summary>
/// Whether weights of several checkpoints mean the same thing: an average over models that rotate positions differently, or
/// that number their tokens differently, computes without complaint and is of no use.
/// </summary>
internal static class MergeCompatibility
{
    /// <summary>Refuses checkpoints that do not go together.</summary>
    /// <param name="folders">The one whose config and tokenizer the result takes comes first.</param>
    /// <param name="notes">Told what differs and does no harm.</param>
    /// <exception cref="MergeException">What differs, between which, and the values.</exception>
    public static void Require(IReadOnlyList<string> folders, List<string> notes)
    {
        LlamaConfig[] configs = folders.Select(ModelCheckpoint.LoadConfig).ToArray();
        Dictionary<int, string>?[] tokens = folders.Select(TokensOf).ToArray();
        for (int i = 1; i < folders.Count; i++)
        {
            RequireSameArithmetic(folders[0], configs[0], folders[i], configs[i], notes);
            if (tokens[0] is null || tokens[i] is null)
            {
                notes.Add($"the tokenizers of {folders[0]} and {folders[i]} were not compared: {(tokens[0] is null ? folders[0] : folders[i])} has none that is read");
                continue;
            }

            RequireSameTokens(folders[0], tokens[0]!, folders[i], tokens[i]!);
        }
    }

    /// <summary>Refuses a tokenizer with more tokens than the merged embedding has rows.</summary>
    /// <exception cref="MergeException">The tokenizer of <paramref name="folder"/> is larger.</exception>
    public static void RequireRoom(string folder, long rows)
    {
        if (TokensOf(folder) is { Count: > 0 } tokens && tokens.Keys.Max() >= rows)
        {
            throw new MergeException($"the merged vocabulary is cut to {rows} tokens, but the tokenizer of {folder} has ids up to {tokens.Keys.Max()}: name a checkpoint without the added tokens as the base, or first");
        }
    }

    private static void RequireSameArithmetic(string first, LlamaConfig a, string other, LlamaConfig b, List<string> notes)
    {
        (string Field, object? A, object? B)[] fields =
        [
            ("model_type", a.ModelType, b.ModelType), ("num_attention_heads", a.NumAttentionHeads, b.NumAttentionHeads),
            ("num_key_value_heads", a.NumKeyValueHeads, b.NumKeyValueHeads), ("head_dim", a.HeadSize, b.HeadSize),
            ("rope_theta", a.RopeTheta, b.RopeTheta), ("rope_scaling", a.RopeScaling, b.RopeScaling), ("rms_norm_eps", a.RmsNormEps, b.RmsNormEps),
        ];
        if (fields.FirstOrDefault(field => !Equals(field.A, field.B)) is { Field: not null } differing)
        {
            throw new MergeException(
                FormattableString.Invariant($"config.json of {first} and {other} differ in {differing.Field} ({differing.A ?? "none"} and {differing.B ?? "none"}), so that their weights do not mean the same"));
        }

        if (a.ContextLength != b.ContextLength)
        {
            notes.Add($"the context is {a.ContextLength} tokens in {first} and {b.ContextLength} in {other}: {a.ContextLength} is kept");
        }
    }

    private static void RequireSameTokens(string first, Dictionary<int, string> a, string other, Dictionary<int, string> b)
    {
        // Tokens that one of them added behind the others' last change no id of theirs.
        int common = Math.Min(a.Keys.Max(), b.Keys.Max());
        foreach (int id in a.Keys.Concat(b.Keys).Where(id => id <= common).Distinct().Order())
        {
            (string? here, string? there) = (a.GetValueOrDefault(id), b.GetValueOrDefault(id));
            if (here != there)
            {
                string Show(string? token) => token is null ? "no token" : $"'{token}'";
                throw new MergeException($"the tokenizers of {first} and {other} differ: id {id} is {Show(here)} and {Show(there)}, so that their embeddings do not mean the same");
            }
        }
    }

    // Spelling by id; null where no tokenizer is read.
    private static Dictionary<int, string>? TokensOf(string folder)
    {
        if (!ModelCheckpoint.HasTokenizer(folder))
        {
            return null;
        }

        JsonNode root = JsonNode.Parse(ModelCheckpoint.LoadTokenizer(folder).Source)!;
        Dictionary<int, string> tokens = root["model"]!["vocab"]!.AsObject().ToDictionary(pair => (int)pair.Value!, pair => pair.Key);
        foreach (JsonNode? added in root["added_tokens"]?.AsArray() ?? [])
        {
            tokens[(int)added!["id"]!] = (string)added["content"]!;
        }

        return tokens;
    }
}
