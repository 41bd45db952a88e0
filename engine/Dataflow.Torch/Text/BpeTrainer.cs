using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Torch.Text;

/// <summary>
/// Learns a byte-level BPE vocabulary (Sennrich et al. 2016) for tiny models: the pair of neighbours that is most frequent
/// becomes a token, again and again. Text is cut as Llama 3 does, and of equal pairs the first in ordinal order is taken, so
/// that the same texts in any order give the same tokenizer.
/// </summary>
public sealed class BpeTrainer
{
    private readonly Regex split = new(PieceSplitter.Llama3, RegexOptions.Compiled | RegexOptions.CultureInvariant);
    private readonly Dictionary<string, long> words = new(StringComparer.Ordinal);

    /// <summary>Fewest tokens that a tokenizer has: 256 bytes and the special ones.</summary>
    public static int SmallestVocabulary => ByteLevel.Symbols.Count + SpecialTokens.Names.Count;

    /// <summary>Counts the words of a text.</summary>
    public void Add(string text)
    {
        foreach (Match match in split.Matches(text))
        {
            string word = ByteLevel.Spell(Encoding.UTF8.GetBytes(match.Value));
            words[word] = words.GetValueOrDefault(word) + 1;
        }
    }

    /// <summary>The tokenizer; smaller than asked for if no pair occurs twice any more.</summary>
    /// <param name="vocabularySize">Tokens in all, special ones included.</param>
    public LlamaTokenizer Train(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestVocabulary);
        var vocabulary = new List<string>(ByteLevel.Symbols);
        var known = new HashSet<string>(vocabulary, StringComparer.Ordinal);
        var merges = new List<string>();
        var pairs = new PairCounts(words);
        while (vocabulary.Count + SpecialTokens.Names.Count < vocabularySize && pairs.Best() is (string left, string right))
        {
            pairs.Merge(left, right);
            merges.Add($"{left} {right}");
            if (known.Add(left + right))
            {
                vocabulary.Add(left + right);
            }
        }

        return LlamaTokenizer.Parse(TokenizerJson.Build(
            vocabulary, merges, SpecialTokens.Names.Select((name, i) => (name, vocabulary.Count + i)), PieceSplitter.Llama3, ignoreMerges: false));
    }

    /// <summary>How often each pair of neighbours occurs, kept up to date while pairs are merged.</summary>
    private sealed class PairCounts
    {
        private readonly List<(List<string> Parts, long Count)> words;
        private readonly Dictionary<(string Left, string Right), long> counts = [];
        private readonly Dictionary<(string Left, string Right), HashSet<int>> places = [];
        private readonly SortedSet<(long Count, string Left, string Right)> order = new(Comparer<(long Count, string Left, string Right)>.Create((a, b) =>
            a.Count != b.Count ? b.Count.CompareTo(a.Count)
            : string.CompareOrdinal(a.Left, b.Left) is int left and not 0 ? left : string.CompareOrdinal(a.Right, b.Right)));

        public PairCounts(Dictionary<string, long> given)
        {
            words = given.Select(word => (word.Key.Select(symbol => symbol.ToString()).ToList(), word.Value)).ToList();
            for (int i = 0; i < words.Count; i++)
            {
                Count(i, words[i].Count);
            }
        }

        /// <summary>The most frequent pair; null if none occurs twice.</summary>
        public (string Left, string Right)? Best() => order.Count > 0 && order.Min.Count > 1 ? (order.Min.Left, order.Min.Right) : null;

        public void Merge(string left, string right)
        {
            foreach (int i in places[(left, right)].ToArray())
            {
                (List<string> parts, long count) = words[i];
                Count(i, -count);
                for (int at = 0; at + 1 < parts.Count; at++)
                {
                    if (parts[at] == left && parts[at + 1] == right)
                    {
                        parts[at] = left + right;
                        parts.RemoveAt(at + 1);
                    }
                }

                Count(i, count);
            }
        }

        private void Count(int word, long by)
        {
            List<string> parts = words[word].Parts;
            for (int at = 0; at + 1 < parts.Count; at++)
            {
                (string, string) pair = (parts[at], parts[at + 1]);
                long before = counts.GetValueOrDefault(pair);
                order.Remove((before, pair.Item1, pair.Item2));
                counts[pair] = before + by;
                if (before + by > 0)
                {
                    order.Add((before + by, pair.Item1, pair.Item2));
                }

                if (!places.TryGetValue(pair, out HashSet<int>? at1))
                {
                    places[pair] = at1 = [];
                }

                _ = by > 0 ? at1.Add(word) : at1.Remove(word);
            }
        }
    }
}
