using Dataflow.Engine.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Dataflow.Engine.Definition;

/// <summary>
/// Composes YAML events into <see cref="ConfigNode"/>s. Duplicate keys are reported and reading goes on; size, depth,
/// alias expansion and self-reference are bounded, so that no input makes it crash or hang.
/// </summary>
internal sealed class YamlReader
{
    private const int MaxBytes = 4 << 20;
    private const int MaxDepth = 64;
    private const long MaxNodes = 100_000;

    private readonly string file;
    private readonly DiagnosticBag diagnostics;
    private readonly Dictionary<string, (ConfigNode Node, long Weight)> anchors = new(StringComparer.Ordinal);
    private long weight;
    private Mark last = Mark.Empty;

    private YamlReader(string file, DiagnosticBag diagnostics)
    {
        this.file = file;
        this.diagnostics = diagnostics;
    }

    /// <summary>The file's one document; null if it could not be read (the bag says why).</summary>
    public static ConfigNode? Read(string file, string text, DiagnosticBag diagnostics)
    {
        if (text.Length > MaxBytes)
        {
            diagnostics.Error(DiagnosticCodes.TooLarge, new SourceSpan(file, 1, 1), $"the file is larger than {MaxBytes >> 20} MiB");
            return null;
        }

        var reader = new YamlReader(file, diagnostics);
        try
        {
            return reader.ReadDocument(text);
        }
        catch (YamlException failure)
        {
            Mark mark = failure.Start.Line > 0 ? failure.Start : reader.last;
            string message = FirstLine(failure.InnerException?.Message ?? failure.Message);
            if (IndentingTab(text) is SourceSpan tab && message.Contains(" tab", StringComparison.Ordinal))
            {
                diagnostics.Error(DiagnosticCodes.BadYaml, tab with { File = file }, "a tab indents this line", "YAML is indented by spaces only");
                return null;
            }

            diagnostics.Error(DiagnosticCodes.BadYaml, reader.Span(mark), message);
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException or NullReferenceException)
        {
            // The scanner throws these on some malformed input, without a position.
            diagnostics.Error(DiagnosticCodes.BadYaml, reader.Span(reader.last), "this is not YAML: " + (failure is InvalidOperationException ? "a key stands where there can be none" : FirstLine(failure.Message)), "is a bracket, brace or quote before it not closed?");
        }

        return null;
    }

    // The scanner reports a tab at the start of the mapping around it, which may be far away.
    private static SourceSpan? IndentingTab(string text)
    {
        int number = 1;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int tab = line.IndexOf('\t');
            if (tab >= 0 && line[..tab].IsWhiteSpace() && !line.IsWhiteSpace())
            {
                return new SourceSpan("", number, tab + 1);
            }

            number++;
        }

        return null;
    }

    private static string FirstLine(string message)
    {
        int end = message.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private ConfigNode? ReadDocument(string text)
    {
        var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        Next(parser);
        Next(parser);
        if (parser.Current is StreamEnd)
        {
            diagnostics.Error(DiagnosticCodes.BadYaml, new SourceSpan(file, 1, 1), "the file is empty");
            return null;
        }

        Next(parser);
        ConfigNode root = ReadNode(parser, 0);
        if (parser.Current is DocumentEnd)
        {
            Next(parser);
        }

        if (parser.Current is DocumentStart second)
        {
            diagnostics.Error(DiagnosticCodes.BadYaml, Span(second.Start), "a pipeline file holds one document; remove this '---'");
        }

        return root;
    }

    private void Next(Parser parser)
    {
        parser.MoveNext();
        if (parser.Current is ParsingEvent current)
        {
            last = current.Start;
        }
    }

    private ConfigNode ReadNode(Parser parser, int depth)
    {
        ParsingEvent current = parser.Current ?? throw new YamlException(last, last, "the file ends too early");
        if (depth > MaxDepth)
        {
            throw new YamlException(current.Start, current.End, $"nested deeper than {MaxDepth} levels");
        }

        long before = weight++;
        if (weight > MaxNodes)
        {
            throw new YamlException(current.Start, current.End, $"more than {MaxNodes} nodes, aliases expanded");
        }

        switch (current)
        {
            case AnchorAlias alias:
                Next(parser);
                return Resolve(alias);
            case Scalar scalar:
                Next(parser);
                return Keep(scalar, new ConfigScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, Span(scalar.Start)), before);
            case SequenceStart start:
                return Keep(start, ReadSequence(parser, start, depth), before);
            case MappingStart start:
                return Keep(start, ReadMapping(parser, start, depth), before);
            default:
                throw new YamlException(current.Start, current.End, $"unexpected {current.GetType().Name}");
        }
    }

    private ConfigNode Resolve(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value.Value, out (ConfigNode Node, long Weight) target))
        {
            throw new YamlException(alias.Start, alias.End, $"alias '*{alias.Value.Value}' has no anchor before it (an anchor cannot hold itself)");
        }

        weight += target.Weight;
        return target.Node;
    }

    private ConfigNode Keep(NodeEvent start, ConfigNode node, long before)
    {
        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor.Value] = (node, weight - before);
        }

        return node;
    }

    private ConfigSequence ReadSequence(Parser parser, SequenceStart start, int depth)
    {
        Next(parser);
        var items = new List<ConfigNode>();
        while (parser.Current is not SequenceEnd)
        {
            items.Add(ReadNode(parser, depth + 1));
        }

        Next(parser);
        return new ConfigSequence(items, Span(start.Start));
    }

    private ConfigMapping ReadMapping(Parser parser, MappingStart start, int depth)
    {
        Next(parser);
        var entries = new List<ConfigEntry>();
        var merged = new List<ConfigMapping>();
        while (parser.Current is not MappingEnd)
        {
            ConfigNode key = ReadNode(parser, depth + 1);
            ConfigNode value = ReadNode(parser, depth + 1);
            if (key is not ConfigScalar name)
            {
                diagnostics.Error(DiagnosticCodes.BadYaml, key.Span, "a key must be a plain word", "text that begins with '{' or '[' must be quoted");
                continue;
            }

            if (name is { Text: "<<", IsPlain: true } && Merge(value) is IReadOnlyList<ConfigMapping> sources)
            {
                merged.AddRange(sources);
                continue;
            }

            if (entries.Find(entry => entry.Key == name.Text) is ConfigEntry earlier)
            {
                diagnostics.Error(DiagnosticCodes.DuplicateKey, name.Span, $"'{name.Text}' is given twice", $"first at line {earlier.KeySpan.Line}");
                continue;
            }

            entries.Add(new ConfigEntry(name.Text, name.Span, value));
        }

        Next(parser);
        foreach (ConfigEntry entry in merged.SelectMany(source => source.Entries))
        {
            if (!entries.Exists(own => own.Key == entry.Key))
            {
                entries.Add(entry);
            }
        }

        return new ConfigMapping(entries, Span(start.Start));
    }

    private static IReadOnlyList<ConfigMapping>? Merge(ConfigNode value) => value switch
    {
        ConfigMapping one => [one],
        ConfigSequence many when many.Items.All(item => item is ConfigMapping) => many.Items.Cast<ConfigMapping>().ToArray(),
        _ => null,
    };

    private SourceSpan Span(Mark mark) => new(file, (int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));
}
