using System.Text.RegularExpressions;

namespace Dataflow.Plugins.Code;

/// <summary>Finds whole definitions (functions, classes) in source: by indentation in Python, by braces elsewhere.</summary>
internal static partial class Definitions
{
    /// <summary>Where each begins and ends, as line numbers from 0, the end not included.</summary>
    public static IReadOnlyList<(int Start, int End)> Find(string[] lines, bool indented) => indented ? ByIndentation(lines) : ByBraces(lines);

    // From a head at the left margin, decorators included, to before the next line at the margin.
    private static List<(int Start, int End)> ByIndentation(string[] lines)
    {
        var found = new List<(int, int)>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (!IndentedHead().IsMatch(lines[i]))
            {
                continue;
            }

            int start = i;
            while (start > 0 && lines[start - 1].StartsWith('@'))
            {
                start--;
            }

            int end = i + 1;
            while (end < lines.Length && (lines[end].Length == 0 || char.IsWhiteSpace(lines[end][0]) || lines[end][0] is ')' or ']' or '}'))
            {
                end++;
            }

            while (string.IsNullOrWhiteSpace(lines[end - 1]))
            {
                end--;
            }

            found.Add((start, end));
            i = end - 1;
        }

        return found;
    }

    // From a head with parameters or a type's keyword to the brace that closes its body. Braces in strings and comments
    // are counted too: a wrong end gives a snippet that is merely odd.
    private static List<(int Start, int End)> ByBraces(string[] lines)
    {
        var found = new List<(int, int)>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (!BracedHead().IsMatch(lines[i]))
            {
                continue;
            }

            int depth = 0;
            bool opened = false;
            for (int end = i; end < lines.Length; end++)
            {
                depth += lines[end].Count(c => c == '{') - lines[end].Count(c => c == '}');
                opened |= lines[end].Contains('{', StringComparison.Ordinal);
                if (!opened && end > i + 1)
                {
                    break;
                }

                if (opened && depth <= 0)
                {
                    found.Add((i, end + 1));
                    break;
                }
            }
        }

        return found;
    }

    [GeneratedRegex(@"^(async\s+)?(def|class)\s+\w+")]
    private static partial Regex IndentedHead();

    [GeneratedRegex(@"^\s*(?!(?:if|for|foreach|while|switch|catch|using|lock|else|return|do|try|fixed)\b)(?:[\w<>\[\],.&*:?]+\s+)+[\w:~]+\s*(?:<[^>]*>)?\s*\([^;{}]*\)[^;{}]*\{?\s*$|^\s*(?:[\w]+\s+)*(?:class|struct|interface|enum|record|impl|trait|func|fn|function)\s+\w+[^;]*$")]
    private static partial Regex BracedHead();
}
