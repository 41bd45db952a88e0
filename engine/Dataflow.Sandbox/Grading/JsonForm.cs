using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>
/// A value as JSON would have to write it: it has one kind of sequence and texts for keys, so a tuple becomes a list and a
/// whole number as a key becomes its text. A set stays one: as a list it would have an order, and a program that forgot
/// to sort would be taken for right.
/// </summary>
internal sealed class JsonForm
{
    private readonly string text;
    private int at;

    private JsonForm(string text) => this.text = text;

    public static CanonicalValue Of(CanonicalValue value) => value.IsPlain ? value with { Text = new JsonForm(value.Text).Value() } : value;

    private string Value()
    {
        switch (text[at])
        {
            case '"':
                return Quoted();
            case '[' or '(':
                return $"[{string.Join(", ", Items(text[at] == '[' ? ']' : ')', Value))}]";
            case '{':
                return $"{{{string.Join(", ", Items('}', Pair).Order(StringComparer.Ordinal))}}}";
            case 's' when text.AsSpan(at).StartsWith("set{"):
                at += 3;
                return $"set{{{string.Join(", ", Items('}', Value).Order(StringComparer.Ordinal))}}}";
            default:
                int start = at;
                while (at < text.Length && text[at] is not (',' or ':' or ']' or ')' or '}'))
                {
                    at++;
                }

                return text[start..at];
        }
    }

    private string Pair()
    {
        string key = Value();
        at += 2;
        return $"{(IsWhole(key) ? $"\"{key}\"" : key)}: {Value()}";
    }

    private static bool IsWhole(string text) => text.TrimStart('-') is { Length: > 0 } digits && digits.All(char.IsAsciiDigit);

    private string Quoted()
    {
        int start = at++;
        while (text[at] != '"')
        {
            at += text[at] == '\\' ? 2 : 1;
        }

        return text[start..++at];
    }

    // From the opening sign to the closing one, with ", " between.
    private List<string> Items(char close, Func<string> item)
    {
        var items = new List<string>();
        at++;
        while (text[at] != close)
        {
            at += items.Count > 0 ? 2 : 0;
            items.Add(item());
        }

        at++;
        return items;
    }
}
