using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Plugins.BackTranslation;

/// <summary>
/// Finds code in a description of it. A description that carries the code makes writing it again an exercise in copying,
/// and the judge's marks worthless. Compared by tokens, so that line breaks, indentation and quoting marks hide nothing.
/// </summary>
internal static partial class LeakCheck
{
    // Statements: a run of tokens that prose does not happen to share with code, since it has that many signs.
    private const int StatementTokens = 8;
    private const int StatementSigns = 3;

    // Comments: a run of words that nobody writes twice by chance.
    private const int SentenceTokens = 12;

    // Statements under other names: longer, since their shape alone is compared.
    private const int ShapeTokens = 20;
    private const int ShapeSigns = 8;

    // Statements one by one: how long one is to count, and how many, of all that there are, make the program.
    private const int PieceTokens = 3;
    private const int LeastPieces = 3;
    private const double LeakedShare = 0.4;
    private const int MostQuoted = 10;

    /// <summary>What the description took over, as it stands there; null if nothing.</summary>
    public static string? Find(string description, string code)
    {
        string[] source = Tokens(code);
        string[] statements = Statements(code);
        return Readings(Plain(description)).Select(text => Shared(text, source, statements)).FirstOrDefault(found => found is not null);
    }

    // Letters of full width (U+FF01 to U+FF5E, in the order of ASCII) are letters, and what has no width is nothing.
    private static string Plain(string text) => Invisible().Replace(string.Concat(text.Select(each => each is >= '\uFF01' and <= '\uFF5E' ? (char)(each - '\uFF01' + '!') : each)), "");

    // The ways in which a text can be read that a reader of it would find.
    private static IEnumerable<string> Readings(string text)
    {
        yield return text;
        foreach (string decoded in Encoded().Matches(text).Select(match => Decode(match.Value)).Concat(Hexadecimal().Matches(text).Select(match => OfHexadecimal(match.Value))).OfType<string>())
        {
            yield return decoded;
        }

        if (Percent().IsMatch(text))
        {
            yield return Uri.UnescapeDataString(text);
        }

        char[] letters = text.ToCharArray();
        Array.Reverse(letters);
        yield return new string(letters);
    }

    private static string? Shared(string text, string[] source, string[] statements)
    {
        string[] tokens = Tokens(text);
        return Run(tokens, source, StatementTokens, StatementSigns, run => string.Join(' ', run.AsEnumerable()))
            ?? Run(tokens, source, SentenceTokens, 0, run => string.Join(' ', run.AsEnumerable()).ToUpperInvariant())
            ?? Run(tokens, source, ShapeTokens, ShapeSigns, Shape)
            ?? Piecewise(tokens, statements);
    }

    // Statements too short to tell by themselves, with anything between them: a quoted line or two is an example, most of
    // the program in quotes is the program.
    private static string? Piecewise(string[] tokens, string[] statements)
    {
        string text = $" {string.Join(' ', tokens)} ";
        string[] found = statements.Where(statement => text.Contains($" {statement} ", StringComparison.Ordinal)).ToArray();
        return found.Length >= MostQuoted || (found.Length >= LeastPieces && found.Length >= LeakedShare * statements.Length) ? string.Join(" … ", found) : null;
    }

    // One a line, each once, of those that prose does not hold by chance.
    private static string[] Statements(string code) => code.ReplaceLineEndings("\n").Split('\n').Select(Tokens)
        .Where(tokens => tokens.Length >= PieceTokens && tokens.Any(IsSign)).Select(tokens => string.Join(' ', tokens)).Distinct(StringComparer.Ordinal).ToArray();

    private static string? Run(string[] tokens, string[] source, int length, int signs, Func<ArraySegment<string>, string> form)
    {
        HashSet<string> known = Runs(source, length).Where(run => run.Count(IsSign) >= signs).Select(form).ToHashSet(StringComparer.Ordinal);
        return known.Count == 0 ? null
            : Runs(tokens, length).Where(run => run.Count(IsSign) >= signs && known.Contains(form(run))).Select(run => string.Join(' ', run.AsEnumerable())).FirstOrDefault();
    }

    private static IEnumerable<ArraySegment<string>> Runs(string[] tokens, int length) =>
        Enumerable.Range(0, Math.Max(0, tokens.Length - length + 1)).Select(start => new ArraySegment<string>(tokens, start, length));

    // Names become the number of their first appearance; keywords do too, which is alike on both sides.
    private static string Shape(ArraySegment<string> run)
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var shape = new StringBuilder();
        foreach (string token in run)
        {
            if (IsSign(token))
            {
                shape.Append(token).Append(' ');
                continue;
            }

            names.TryAdd(token, names.Count);
            shape.Append('n').Append(names[token]).Append(' ');
        }

        return shape.ToString();
    }

    private static bool IsSign(string token) => !char.IsLetterOrDigit(token[0]) && token[0] != '_';

    // Marks of prose (full stop, comma, backtick, asterisk of emphasis, quotes) would break or join runs at random.
    private static string[] Tokens(string text) => Token().Matches(text).Select(match => match.Value).ToArray();

    private static string? Decode(string text)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"[\p{L}_][\p{L}\p{N}_]*|\p{N}+|[-+/%=<>!&|^~()\[\]{};:]")]
    private static partial Regex Token();

    private static string OfHexadecimal(string text)
    {
        string digits = NoDigit().Replace(text, "");
        return Encoding.UTF8.GetString(Convert.FromHexString(digits[..(digits.Length / 2 * 2)]));
    }

    [GeneratedRegex(@"\p{Cf}")]
    private static partial Regex Invisible();

    [GeneratedRegex(@"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,:]*){20,}")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"0x|\\x|[^0-9A-Fa-f]")]
    private static partial Regex NoDigit();

    [GeneratedRegex("%[0-9A-Fa-f]{2}")]
    private static partial Regex Percent();

    [GeneratedRegex(@"[A-Za-z0-9+/]{40,}={0,2}")]
    private static partial Regex Encoded();
}
