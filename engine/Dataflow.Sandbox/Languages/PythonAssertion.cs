using Dataflow.Sandbox.Grading;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// Reads a test written as Python: <c>assert f(2) == 4</c> or only <c>f(2) == 4</c>. The side that is a literal, or else the
/// right one, becomes the expected value, which does not enter a run with the candidate; a condition of another form, or
/// whose right side needs the candidate, is evaluated for its truth.
/// </summary>
public static class PythonAssertion
{
    private static readonly HashSet<string> Operators = new(StringComparer.Ordinal) { "and", "or", "not", "if", "else", "lambda", "in", "is", "for" };
    private static readonly HashSet<string> LiteralWords = new(StringComparer.Ordinal) { "True", "False", "None" };

    /// <exception cref="ArgumentException">The text is empty or its quotes or brackets do not close.</exception>
    public static CodeTest Parse(string text)
    {
        string condition = text.Trim();
        if (condition == "assert" || condition.StartsWith("assert ", StringComparison.Ordinal) || condition.StartsWith("assert(", StringComparison.Ordinal))
        {
            condition = condition["assert".Length..].Trim();
        }

        Shape shape = Scan(condition);
        if (shape.Comma >= 0)
        {
            condition = condition[..shape.Comma].Trim();
            shape = Scan(condition);
        }

        if (condition.Length == 0)
        {
            throw new ArgumentException("a test is empty");
        }

        if (shape.Equal.Count == 1 && !shape.HasOperator)
        {
            string left = condition[..shape.Equal[0]].Trim();
            string right = condition[(shape.Equal[0] + 2)..].Trim();
            if (left.Length > 0 && right.Length > 0)
            {
                return IsLiteral(right) ? new CodeTest(left, null, right)
                    : IsLiteral(left) ? new CodeTest(right, null, left)
                    : new CodeTest(left, null, right) { Condition = Truth(condition) };
            }
        }

        return new CodeTest(Truth(condition), null, "True");
    }

    // 'not not' gives the truth value without any name that a program could have redefined.
    private static string Truth(string condition) => $"not not ({condition})";

    private static bool IsLiteral(string text)
    {
        Shape shape = Scan(text);
        return text.Length > 0 && shape.Equal.Count == 0 && shape.Words.TrueForAll(LiteralWords.Contains);
    }

    private static Shape Scan(string text)
    {
        var shape = new Shape();
        int depth = 0;
        int i = 0;
        while (i < text.Length)
        {
            char c = text[i];
            if (c is '\'' or '"')
            {
                i = EndOfString(text, i);
                continue;
            }

            if (char.IsLetter(c) || c == '_')
            {
                int start = i;
                while (i < text.Length && (char.IsLetterOrDigit(text[i]) || text[i] == '_'))
                {
                    i++;
                }

                // Prefixed strings (r'…') are still strings; the letters before the quote are no name.
                if (i >= text.Length || text[i] is not ('\'' or '"'))
                {
                    shape.Word(text[start..i], depth);
                }

                continue;
            }

            if (char.IsAsciiDigit(c))
            {
                i = EndOfNumber(text, i);
                continue;
            }

            depth += c is '(' or '[' or '{' ? 1 : c is ')' or ']' or '}' ? -1 : 0;
            if (depth == 0 && c == ',' && shape.Comma < 0)
            {
                shape.Comma = i;
            }
            else if (depth == 0 && c is '<' or '>' or '!' or '=')
            {
                bool equality = c == '=' && i + 1 < text.Length && text[i + 1] == '=';
                if (equality)
                {
                    shape.Equal.Add(i);
                    i++;
                }
                else
                {
                    shape.HasOperator = true;
                }
            }

            i++;
        }

        return depth == 0 ? shape : throw new ArgumentException($"brackets do not match in the test: {text}");
    }

    private static int EndOfNumber(string text, int i)
    {
        while (i < text.Length && (char.IsLetterOrDigit(text[i]) || text[i] is '.' or '_'
            || (text[i] is '+' or '-' && text[i - 1] is 'e' or 'E' && !text.AsSpan(0, i).Contains("0x", StringComparison.Ordinal))))
        {
            i++;
        }

        return i;
    }

    private static int EndOfString(string text, int start)
    {
        string quote = text[start].ToString();
        string triple = new(text[start], 3);
        if (text.AsSpan(start).StartsWith(triple))
        {
            quote = triple;
        }

        for (int i = start + quote.Length; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text.AsSpan(i).StartsWith(quote))
            {
                return i + quote.Length;
            }
        }

        throw new ArgumentException($"a quote does not close in the test: {text}");
    }

    /// <summary>What stands outside strings and brackets.</summary>
    private sealed class Shape
    {
        public List<int> Equal { get; } = [];

        public List<string> Words { get; } = [];

        public int Comma { get; set; } = -1;

        public bool HasOperator { get; set; }

        public void Word(string word, int depth)
        {
            Words.Add(word);
            HasOperator |= depth == 0 && Operators.Contains(word);
        }
    }
}
