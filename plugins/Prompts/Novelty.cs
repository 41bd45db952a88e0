namespace Dataflow.Plugins.Prompts;

/// <summary>
/// Remembers texts and tells whether a new one is too like an earlier one: ROUGE-L F1 over lower-case words (Lin 2004),
/// the measure and use of Self-Instruct (Wang et al. 2023, section 2.2). Only texts that share enough words are compared.
/// </summary>
internal sealed class Novelty(double threshold)
{
    private readonly List<int[]> texts = [];
    private readonly Dictionary<string, int> words = new(StringComparer.Ordinal);
    private readonly Dictionary<int, List<(int Text, int Count)>> index = [];

    /// <summary>Adds the text; false, and nothing added, if an earlier one is as similar as the threshold.</summary>
    public bool TryAdd(string text)
    {
        int[] tokens = Tokens(text);
        if (IsLikeAnEarlierOne(tokens))
        {
            return false;
        }

        int number = texts.Count;
        texts.Add(tokens);
        foreach (IGrouping<int, int> word in tokens.GroupBy(token => token))
        {
            if (!index.TryGetValue(word.Key, out List<(int, int)>? postings))
            {
                index[word.Key] = postings = [];
            }

            postings.Add((number, word.Count()));
        }

        return true;
    }

    private bool IsLikeAnEarlierOne(int[] tokens)
    {
        var shared = new Dictionary<int, int>();
        foreach (IGrouping<int, int> word in tokens.GroupBy(token => token))
        {
            foreach ((int text, int count) in index.GetValueOrDefault(word.Key, []))
            {
                shared[text] = shared.GetValueOrDefault(text) + Math.Min(count, word.Count());
            }
        }

        // The longest common subsequence is at most the number of shared words, so most texts need no comparison.
        return tokens.Length == 0 || shared.Any(pair =>
            F1(pair.Value, tokens.Length, texts[pair.Key].Length) >= threshold
            && F1(CommonSubsequence(tokens, texts[pair.Key]), tokens.Length, texts[pair.Key].Length) >= threshold);
    }

    private static double F1(int common, int a, int b) => 2.0 * common / (a + b);

    private static int CommonSubsequence(int[] a, int[] b)
    {
        var row = new int[b.Length + 1];
        foreach (int token in a)
        {
            int diagonal = 0;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = token == b[j - 1] ? diagonal + 1 : Math.Max(above, row[j - 1]);
                diagonal = above;
            }
        }

        return row[b.Length];
    }

    // Runs of letters and digits; where a script has no spaces (CJK) every character is a word of its own.
    private int[] Tokens(string text)
    {
        var tokens = new List<int>();
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inWord = i < text.Length && char.IsLetterOrDigit(text[i]);
            bool alone = inWord && text[i] >= '\u3040' && text[i] <= '\u9fff';
            if (start >= 0 && (!inWord || alone))
            {
                tokens.Add(Number(text[start..i]));
                start = -1;
            }

            if (alone)
            {
                tokens.Add(Number(text[i..(i + 1)]));
            }
            else if (inWord && start < 0)
            {
                start = i;
            }
        }

        return tokens.Count > 0 ? [.. tokens] : [.. text.Where(letter => !char.IsWhiteSpace(letter)).Select(letter => Number(letter.ToString()))];
    }

    private int Number(string word)
    {
        string key = word.ToLowerInvariant();
        if (!words.TryGetValue(key, out int number))
        {
            words[key] = number = words.Count;
        }

        return number;
    }
}
