using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Reads sqlite3's messages: 'Parse error near line 2: …', a piece of the statement, and a mark below it.</summary>
internal static partial class SqliteMessages
{
    private const int PreludeLines = 1;

    /// <summary>A message with the line that it tells of counted in the source, which begins after the prelude.</summary>
    public static string InSource(string message) => Place().Replace(message, match => (int.Parse(match.Value, CultureInfo.InvariantCulture) - PreludeLines).ToString(CultureInfo.InvariantCulture), 1);

    /// <summary>Why a statement could not be read; null if none was at fault.</summary>
    public static string? ParseError(string stderr) => ParseMessage().Match(stderr) is { Success: true } match ? match.Groups["message"].Value.Trim() : null;

    public static IReadOnlyList<Finding> Read(string text, string file, string source)
    {
        string[] lines = text.Split('\n');
        var findings = new List<Finding>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (Message().Match(lines[i]) is { Success: true } match)
            {
                int statement = int.Parse(match.Groups["line"].Value, CultureInfo.InvariantCulture) - PreludeLines;
                (int line, int column) = i + 2 < lines.Length ? Locate(source, statement, lines[i + 1], lines[i + 2].IndexOf('^', StringComparison.Ordinal)) : (statement, 0);
                findings.Add(new Finding(file, line, column, Severity.Error, "", match.Groups["message"].Value));
            }
        }

        return findings;
    }

    // The line told is that of the statement. The piece shown, indented by two, has blanks for all white space.
    private static (int Line, int Column) Locate(string source, int statement, string piece, int mark)
    {
        int start = 0;
        for (int line = 1; line < statement; line++)
        {
            start = source.IndexOf('\n', start) + 1;
        }

        string blank = string.Concat(source.Select(c => char.IsWhiteSpace(c) ? ' ' : c));
        int found = mark < 2 || piece.Length < 2 ? -1 : blank.IndexOf(piece[2..], start, StringComparison.Ordinal);
        if (found < 0)
        {
            return (statement, 0);
        }

        int at = Math.Min(found + mark - 2, source.Length);
        int begin = at == 0 ? 0 : source.LastIndexOf('\n', at - 1) + 1;
        return (source.AsSpan(0, at).Count('\n') + 1, at - begin + 1);
    }

    [GeneratedRegex(@"(?<=^(?:(?:Parse|Runtime) error near )?line )\d+")]
    private static partial Regex Place();

    [GeneratedRegex(@"^Parse error near line \d+: (?<message>.*)$", RegexOptions.Multiline)]
    private static partial Regex ParseMessage();

    [GeneratedRegex(@"^(?:Parse|Runtime) error near line (?<line>\d+): (?<message>.*)$")]
    private static partial Regex Message();
}
