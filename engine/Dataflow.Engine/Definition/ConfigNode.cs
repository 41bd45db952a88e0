using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>A YAML node with its place. Immutable; aliases share nodes.</summary>
public abstract record ConfigNode(SourceSpan Span)
{
    /// <summary>What it is, in a user's words.</summary>
    public abstract string Kind { get; }
}

/// <summary>A scalar. A plain one is typed by what it looks like, a quoted one is text.</summary>
public sealed record ConfigScalar(string Text, bool IsPlain, SourceSpan Span) : ConfigNode(Span)
{
    /// <summary>It held a reference that could not be resolved and was complained about; its text means nothing.</summary>
    public bool IsUnresolved { get; init; }

    /// <summary>It stands for a secret that this machine lacks, in a check that does not look at the machine.</summary>
    public bool IsStandIn { get; init; }

    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL" && IsPlain;

    public override string Kind => IsNull ? "nothing" : IsPlain && IsNumber ? $"the number {Text}" : IsPlain && IsBoolean ? Text : $"text '{(Text.Length > 40 ? Text[..40] + "…" : Text)}'";

    private bool IsNumber => double.TryParse(Text, System.Globalization.CultureInfo.InvariantCulture, out _);

    private bool IsBoolean => Text is "true" or "false" or "True" or "False";
}

public sealed record ConfigSequence(IReadOnlyList<ConfigNode> Items, SourceSpan Span) : ConfigNode(Span)
{
    public override string Kind => "a list";
}

public sealed record ConfigMapping(IReadOnlyList<ConfigEntry> Entries, SourceSpan Span) : ConfigNode(Span)
{
    public static ConfigMapping Empty(SourceSpan span) => new([], span);

    public override string Kind => "a mapping";

    public ConfigEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

public sealed record ConfigEntry(string Key, SourceSpan KeySpan, ConfigNode Value);
