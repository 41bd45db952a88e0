using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dataflow.Torch.Models;
using Microsoft.ML.Tokenizers;

namespace Dataflow.Torch.Text;

/// <summary>
/// How a byte-level tokenizer cuts text into pieces before merging: expressions applied one after the other, each to the
/// pieces of the one before. Read from the pre_tokenizer of tokenizer.json; steps that are not known are refused by name.
/// </summary>
internal sealed class PieceSplitter : PreTokenizer
{
    /// <summary>How Llama 3 cuts.</summary>
    public const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>How GPT-2 cuts, and ByteLevel with use_regex.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly List<(Regex Expression, bool KeepsGaps)> steps = [];

    private PieceSplitter()
    {
    }

    /// <summary>Leaves text whole.</summary>
    public static PieceSplitter Whole { get; } = new();

    /// <summary>The expressions, in order; none leaves text whole.</summary>
    public IReadOnlyList<string> Patterns => steps.Select(step => step.Expression.ToString()).ToArray();

    /// <exception cref="CheckpointException">A step that is not known, or none that is byte-level.</exception>
    /// <exception cref="ArgumentException">An expression that is none.</exception>
    public static PieceSplitter Parse(JsonNode? preTokenizer)
    {
        var splitter = new PieceSplitter();
        bool byteLevel = false;
        splitter.Add(preTokenizer, ref byteLevel);
        return byteLevel ? splitter : throw new CheckpointException("tokenizer.json: pre_tokenizer has no ByteLevel step; byte-level BPE is what is read (no SentencePiece)");
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        IEnumerable<(int Offset, int Length)> pieces = text.Length == 0 ? [] : [(0, text.Length)];
        foreach ((Regex expression, bool keepsGaps) in steps)
        {
            pieces = pieces.SelectMany(piece => Cut(text, piece, expression, keepsGaps));
        }

        return pieces;
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    private static IEnumerable<(int Offset, int Length)> Cut(string text, (int Offset, int Length) piece, Regex expression, bool keepsGaps)
    {
        int end = piece.Offset + piece.Length;
        int at = piece.Offset;

        // A later step sees its piece alone, so that what looks ahead or behind stops at the piece's ends.
        string part = piece.Length == text.Length ? text : text.Substring(piece.Offset, piece.Length);
        for (Match match = expression.Match(part); match.Success; match = match.NextMatch())
        {
            int start = piece.Offset + match.Index;
            if (match.Length == 0)
            {
                continue;
            }

            if (keepsGaps && start > at)
            {
                yield return (at, start - at);
            }

            yield return (start, match.Length);
            at = start + match.Length;
        }

        if (keepsGaps && at < end)
        {
            yield return (at, end - at);
        }
    }

    private void Add(JsonNode? step, ref bool byteLevel)
    {
        switch ((string?)step?["type"])
        {
            case "Sequence":
                foreach (JsonNode? part in step!["pretokenizers"]!.AsArray())
                {
                    Add(part, ref byteLevel);
                }

                break;
            case "Split":
                AddSplit(step!);
                break;
            case "Digits":
                Add((bool?)step!["individual_digits"] ?? false ? @"\p{N}" : @"\p{N}+");
                break;
            case "ByteLevel":
                byteLevel = true;
                if ((bool?)step!["add_prefix_space"] ?? false)
                {
                    throw new CheckpointException("tokenizer.json: ByteLevel with add_prefix_space is not supported");
                }

                if ((bool?)step["use_regex"] ?? true)
                {
                    Add(Gpt2);
                }

                break;
            case null:
                break;
            case string type:
                throw new CheckpointException($"tokenizer.json: pre_tokenizer '{type}' is not supported; Split, Digits and ByteLevel are");
        }
    }

    private void AddSplit(JsonNode step)
    {
        string? behavior = (string?)step["behavior"];
        bool inverted = (bool?)step["invert"] ?? false;
        if ((behavior, inverted) is not (("Isolated", false) or ("Removed", true)))
        {
            throw new CheckpointException($"tokenizer.json: pre_tokenizer Split with behavior '{behavior}'{(inverted ? ", inverted," : "")} is not supported; Isolated is");
        }

        string pattern = (string?)step["pattern"]?["Regex"] ?? ((string?)step["pattern"]?["String"] is string literal ? Regex.Escape(literal) : throw new FormatException("pre_tokenizer Split has no pattern"));
        Add(pattern, keepsGaps: !inverted);
    }

    private void Add(string pattern, bool keepsGaps = true) => steps.Add((new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant), keepsGaps));
}
