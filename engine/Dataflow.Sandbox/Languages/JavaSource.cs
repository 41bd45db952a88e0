using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>What stands at the top level of a Java source, read from its tokens: comments and literals can say anything.</summary>
/// <param name="Package">Where the package clause lies; empty if there is none.</param>
/// <param name="ImportsEnd">Where the last import ends, with the rest of its line if that is blank; 0 if there is none.</param>
/// <param name="DeclaresTypes">Whether a type is declared outside of all others.</param>
/// <param name="PublicType">Name of the public type, which the file must bear; null if there is none.</param>
internal sealed partial record JavaSource(Range Package, int ImportsEnd, bool DeclaresTypes, string? PublicType)
{
    /// <summary>The package; empty if there is none, or its clause has comments in it.</summary>
    public string PackageName(string source) => Clause().Match(source[Package]) is { Success: true } match ? Blank().Replace(match.Groups[1].Value, "") : "";

    public static JavaSource Read(string source)
    {
        Match[] tokens = TopLevel(source);
        Range package = default;
        int imports = 0;
        bool types = false;
        (bool isPublic, bool isMember) = (false, false);
        string? name = null;
        for (int i = 0; i < tokens.Length; i++)
        {
            switch (tokens[i].Value)
            {
                case "package" when i == 0 && End(tokens, i) is int end:
                    package = tokens[i].Index..end;
                    break;
                case "import" when !types && End(tokens, i) is int end:
                    imports = end + BlankRest().Match(source, end).Length;
                    break;
                case "public":
                    isPublic = true;
                    break;
                case "static" or "private" or "protected":
                    isMember = true;
                    break;
                case ";" or "}":
                    (isPublic, isMember) = (false, false);
                    break;
                default:
                    // A type of such a kind stands in another, here in that which methods without a class are given.
                    if (!isMember && Declared(tokens, i) is string declared)
                    {
                        types = true;
                        name ??= isPublic ? declared : null;
                    }

                    break;
            }
        }

        return new JavaSource(package, imports, types, name);
    }

    private static Match[] TopLevel(string source)
    {
        var tokens = new List<Match>();
        int depth = 0;
        foreach (Match token in Token().Matches(source).Where(match => match.Groups["token"].Success))
        {
            // A closing brace too many must not hide what comes after it.
            depth = token.Value is "}" or ")" ? Math.Max(0, depth - 1) : depth;
            if (depth == 0)
            {
                tokens.Add(token);
            }

            depth += token.Value is "{" or "(" ? 1 : 0;
        }

        return [.. tokens];
    }

    private static int? End(Match[] tokens, int start) => Array.Find(tokens[start..], token => token.Value == ";") is { } end ? end.Index + 1 : null;

    // 'record' is a name like any other where no name and a list follow it, and 'String.class' declares nothing.
    private static string? Declared(Match[] tokens, int i)
    {
        bool named = i + 1 < tokens.Length && (char.IsLetter(tokens[i + 1].Value[0]) || tokens[i + 1].Value[0] is '_' or '$');
        bool declares = tokens[i].Value switch
        {
            "class" or "interface" or "enum" => i == 0 || tokens[i - 1].Value != ".",
            "record" => i + 2 < tokens.Length && tokens[i + 2].Value is "(" or "<",
            _ => false,
        };
        return named && declares ? tokens[i + 1].Value : null;
    }

    [GeneratedRegex("""//[^\n]*|/\*.*?(?:\*/|\z)|\"\"\"(?:\\.|.)*?(?:\"\"\"|\z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|(?<token>[\w$]+|[^\s\w])""", RegexOptions.Singleline)]
    private static partial Regex Token();

    [GeneratedRegex(@"^package\s+([\w$\s.]+);$")]
    private static partial Regex Clause();

    [GeneratedRegex(@"\s")]
    private static partial Regex Blank();

    [GeneratedRegex(@"\G[ \t]*\n?")]
    private static partial Regex BlankRest();
}
