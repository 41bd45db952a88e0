using System.Globalization;
using System.Text;

namespace Dataflow.Torch.Text;

/// <summary>
/// Unicode's composed form (NFC), which some tokenizers bring text to first. The runtime has no tables for it here, since it
/// is built without a globalization library, so that they are a resource of this assembly.
/// </summary>
internal sealed class UnicodeComposition
{
    private const string Resource = "unicode-composition.txt";

    // Syllables of Hangul are composed by arithmetic (Unicode, section 3.12).
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Trails = 28;

    private static readonly Lazy<UnicodeComposition> Tables = new(() => new UnicodeComposition());

    private readonly Dictionary<int, int[]> decompositions = [];
    private readonly Dictionary<(int, int), int> compositions = [];
    private readonly Dictionary<int, int> classes = [];
    private readonly HashSet<int> second = [];

    private UnicodeComposition()
    {
        using Stream stream = typeof(UnicodeComposition).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is string line)
        {
            if (line.StartsWith('@'))
            {
                string[] parts = line[1..].Split(' ', '-');
                for (int code = Hex(parts[1]); code <= Hex(parts[2]); code++)
                {
                    classes[code] = int.Parse(parts[0], CultureInfo.InvariantCulture);
                }
            }
            else if (!line.StartsWith('#'))
            {
                int[] codes = line.TrimEnd('*').Split(' ').Select(Hex).ToArray();
                decompositions[codes[0]] = codes[1..];
                if (!line.EndsWith('*'))
                {
                    compositions[(codes[1], codes[2])] = codes[0];
                    second.Add(codes[2]);
                }
            }
        }
    }

    /// <summary>The text in composed form; itself where it is so already. Half a surrogate pair becomes U+FFFD then.</summary>
    public static string Compose(string text) => text.All(symbol => symbol < 0x300) ? text : Tables.Value.Composed(text);

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private string Composed(string text)
    {
        if (!text.EnumerateRunes().Any(rune => MayChange(rune.Value)))
        {
            return text;
        }

        var codes = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes);
        }

        Order(codes);
        var result = new StringBuilder(text.Length);
        foreach (int code in Join(codes))
        {
            result.Append(new Rune(code).ToString());
        }

        return result.ToString();
    }

    // What is composed and stands alone stays, so that only these need a look.
    private bool MayChange(int code) =>
        classes.ContainsKey(code) || second.Contains(code) || code is (>= VowelBase and < VowelBase + Vowels) or (> TrailBase and < TrailBase + Trails)
        || (decompositions.TryGetValue(code, out int[]? parts) && (parts.Length == 1 || !compositions.ContainsKey((parts[0], parts[1]))));

    private void Decompose(int code, List<int> into)
    {
        int syllable = code - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Trails)
        {
            into.Add(LeadBase + (syllable / (Vowels * Trails)));
            into.Add(VowelBase + (syllable / Trails % Vowels));
            if (syllable % Trails > 0)
            {
                into.Add(TrailBase + (syllable % Trails));
            }

            return;
        }

        if (!decompositions.TryGetValue(code, out int[]? parts))
        {
            into.Add(code);
            return;
        }

        foreach (int part in parts)
        {
            Decompose(part, into);
        }
    }

    // Marks behind a letter go by their class; those of one class keep their order.
    private void Order(List<int> codes)
    {
        for (int i = 1; i < codes.Count; i++)
        {
            int own = classes.GetValueOrDefault(codes[i]);
            for (int at = i; own != 0 && at > 0 && classes.GetValueOrDefault(codes[at - 1]) > own; at--)
            {
                (codes[at - 1], codes[at]) = (codes[at], codes[at - 1]);
            }
        }
    }

    private List<int> Join(List<int> codes)
    {
        var result = new List<int>(codes.Count);
        int starter = -1;
        int last = 0;
        foreach (int code in codes)
        {
            int own = classes.GetValueOrDefault(code);
            if (starter >= 0 && (last == 0 || last < own) && Pair(result[starter], code) is int joined)
            {
                result[starter] = joined;
                continue;
            }

            result.Add(code);
            last = own;
            starter = own == 0 ? result.Count - 1 : starter;
        }

        return result;
    }

    private int? Pair(int first, int next)
    {
        if (first - LeadBase is int lead and >= 0 and < Leads && next - VowelBase is int vowel and >= 0 and < Vowels)
        {
            return SyllableBase + (((lead * Vowels) + vowel) * Trails);
        }

        if (first - SyllableBase is int syllable and >= 0 and < Leads * Vowels * Trails && syllable % Trails == 0 && next - TrailBase is int trail and > 0 and < Trails)
        {
            return first + trail;
        }

        return compositions.TryGetValue((first, next), out int composed) ? composed : null;
    }
}
