using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>
/// Reads the part of Python that tool calls are written in: literals (text, numbers, True, False, None, lists, tuples,
/// dictionaries) and calls with keyword arguments. Anything else is a <see cref="FormatException"/>.
/// </summary>
internal sealed class PythonExpression(string source)
{
    private const int MaxDepth = 64;

    private int at;
    private int depth;

    public bool AtEnd
    {
        get
        {
            Skip();
            return at == source.Length;
        }
    }

    /// <summary>[call, call, …].</summary>
    public IReadOnlyList<ToolCall> Calls()
    {
        var calls = new List<ToolCall>();
        Expect('[');
        while (!Take(']'))
        {
            calls.Add(Call(Name()));
            if (!Take(','))
            {
                Expect(']');
                break;
            }
        }

        return calls;
    }

    /// <summary>name.call(…).</summary>
    public ToolCall BuiltInCall()
    {
        string name = Name();
        return name.EndsWith(".call", StringComparison.Ordinal) ? Call(name[..^".call".Length]) : throw Wrong("'.call'");
    }

    private ToolCall Call(string name)
    {
        var arguments = new JsonObject();
        Expect('(');
        while (!Take(')'))
        {
            string key = Name();
            Expect('=');
            if (!arguments.TryAdd(key, Value()))
            {
                throw new FormatException($"argument '{key}' is given twice");
            }

            if (!Take(','))
            {
                Expect(')');
                break;
            }
        }

        return new ToolCall(name, arguments);
    }

    private JsonNode? Value()
    {
        if (++depth > MaxDepth)
        {
            throw new FormatException($"nested deeper than {MaxDepth}");
        }

        Skip();
        char next = at < source.Length ? source[at] : '\0';
        JsonNode? value = next switch
        {
            '"' or '\'' => Text(),
            '[' => List('[', ']'),
            '(' => List('(', ')'),
            '{' => Dictionary(),
            '-' or '+' or '.' or (>= '0' and <= '9') => Number(),
            _ => Constant(),
        };
        depth--;
        return value;
    }

    private JsonArray List(char open, char close)
    {
        var list = new JsonArray();
        Expect(open);
        while (!Take(close))
        {
            list.Add(Value());
            if (!Take(','))
            {
                Expect(close);
                break;
            }
        }

        return list;
    }

    private JsonObject Dictionary()
    {
        var map = new JsonObject();
        Expect('{');
        while (!Take('}'))
        {
            Skip();
            string key = Text();
            Expect(':');
            map[key] = Value();
            if (!Take(','))
            {
                Expect('}');
                break;
            }
        }

        return map;
    }

    private JsonNode? Constant()
    {
        string name = Name();
        return name switch
        {
            "True" or "true" => JsonValue.Create(true),
            "False" or "false" => JsonValue.Create(false),
            "None" or "null" => null,
            _ => throw new FormatException($"'{name}' is no literal"),
        };
    }

    private JsonValue Number()
    {
        int start = at;
        while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] is '.' or '+' or '-' or '_'))
        {
            at++;
        }

        string digits = source[start..at].Replace("_", "", StringComparison.Ordinal);
        if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
        {
            return JsonValue.Create(whole);
        }

        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? JsonValue.Create(number)
            : throw new FormatException($"'{digits}' is no number");
    }

    private string Text()
    {
        char quote = at < source.Length ? source[at] : '\0';
        if (quote is not ('"' or '\''))
        {
            throw Wrong("a text in quotes");
        }

        at++;
        var text = new StringBuilder();
        while (at < source.Length && source[at] != quote)
        {
            char c = source[at++];
            if (c == '\\')
            {
                Escape(text);
            }
            else
            {
                text.Append(c);
            }
        }

        if (at == source.Length)
        {
            throw Wrong("the closing quote");
        }

        at++;
        return text.ToString();
    }

    private void Escape(StringBuilder text)
    {
        char c = at < source.Length ? source[at++] : throw Wrong("the rest of an escape");
        switch (c)
        {
            case 'n': text.Append('\n'); break;
            case 'r': text.Append('\r'); break;
            case 't': text.Append('\t'); break;
            case '\n': break;
            case '\\' or '\'' or '"': text.Append(c); break;
            case 'x': text.Append((char)Hex(2)); break;
            case 'u': text.Append((char)Hex(4)); break;
            case 'U':
                int point = Hex(8);
                text.Append(Rune.IsValid(point) ? new Rune(point).ToString() : throw new FormatException("no such character"));
                break;
            // Python keeps the backslash of what it does not know.
            default: text.Append('\\').Append(c); break;
        }
    }

    private int Hex(int digits)
    {
        if (at + digits > source.Length || !int.TryParse(source.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            throw Wrong($"{digits} hexadecimal digits");
        }

        at += digits;
        return value;
    }

    private string Name()
    {
        Skip();
        int start = at;
        while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] is '_' or '.'))
        {
            at++;
        }

        return at > start && !char.IsDigit(source[start]) && source[start] != '.' ? source[start..at] : throw Wrong("a name");
    }

    private void Expect(char c)
    {
        if (!Take(c))
        {
            throw Wrong($"'{c}'");
        }
    }

    private bool Take(char c)
    {
        Skip();
        if (at < source.Length && source[at] == c)
        {
            at++;
            return true;
        }

        return false;
    }

    private void Skip()
    {
        while (at < source.Length && char.IsWhiteSpace(source[at]))
        {
            at++;
        }
    }

    private FormatException Wrong(string wanted) => new($"{wanted} is missing at character {at + 1}");
}
