using System.Text.RegularExpressions;

namespace Dataflow.Plugins.Liquid;

/// <summary>A fenced block of a Markdown text.</summary>
/// <param name="Tag">First word of the info string, in lower case; empty if there is none.</param>
/// <param name="Info">The rest of the info string.</param>
/// <param name="Before">The last line of prose before it.</param>
internal sealed record FencedBlock(string Tag, string Info, string Content, string Before);

/// <summary>Finds fenced blocks (CommonMark 4.5).</summary>
internal static partial class FencedBlocks
{
    /// <summary>Blocks in order; an unclosed one runs to the end.</summary>
    public static IReadOnlyList<FencedBlock> Find(string text)
    {
        var blocks = new List<FencedBlock>();
        var content = new List<string>();
        Match? open = null;
        string before = "";
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (open is null)
            {
                Match match = Opening().Match(line);
                if (match.Success)
                {
                    (open, content) = (match, []);
                }
                else if (!string.IsNullOrWhiteSpace(line))
                {
                    before = line;
                }
            }
            else if (Closes(line, open))
            {
                blocks.Add(Block(open, content, before));
                (open, before) = (null, "");
            }
            else
            {
                content.Add(Unindented(line, open.Groups["indent"].Length));
            }
        }

        if (open is not null)
        {
            blocks.Add(Block(open, content, before));
        }

        return blocks;
    }

    // The same mark, at least as long, and nothing after it but a closing tag, of a thought or an answer: models put those there.
    private static bool Closes(string line, Match open)
    {
        string mark = open.Groups["fence"].Value;
        string trimmed = ClosingTag().Replace(line, "").Trim();
        return trimmed.Length >= mark.Length && trimmed.All(c => c == mark[0]) && line.Length - line.TrimStart().Length <= open.Groups["indent"].Length + 3;
    }

    private static string Unindented(string line, int indent)
    {
        int spaces = 0;
        while (spaces < indent && spaces < line.Length && line[spaces] == ' ')
        {
            spaces++;
        }

        return line[spaces..];
    }

    private static FencedBlock Block(Match open, List<string> content, string before)
    {
        string[] info = open.Groups["info"].Value.Trim().Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string tag = info.Length > 0 ? info[0].Trim('{', '}', '.').ToLowerInvariant() : "";
        // rustdoc writes attributes behind a comma: rust,no_run.
        string[] parts = tag.Split(',', 2);
        return new FencedBlock(parts[0], $"{(parts.Length > 1 ? parts[1] : "")} {(info.Length > 1 ? info[1] : "")}".Trim(), string.Join('\n', content) + (content.Count > 0 ? "\n" : ""), before);
    }

    [GeneratedRegex(@"</\w+>\s*$")]
    private static partial Regex ClosingTag();

    // In a list item a fence is indented; a backtick fence has no backtick in its info string.
    [GeneratedRegex("^(?<indent> *)(?:(?<fence>`{3,})(?<info>[^`]*)|(?<fence>~{3,})(?<info>.*))$")]
    private static partial Regex Opening();
}
