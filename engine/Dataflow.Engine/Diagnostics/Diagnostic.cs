using System.Globalization;

namespace Dataflow.Engine.Diagnostics;

/// <summary>A place in a file; lines and columns count from 1.</summary>
public readonly record struct SourceSpan(string File, int Line, int Column)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
}

public enum Severity
{
    Error,
    Warning,

    /// <summary>Worth knowing; no mistake.</summary>
    Note,
}

/// <summary>One mistake: where, what, and how to mend it.</summary>
public sealed record Diagnostic(string Code, Severity Severity, string Message, SourceSpan? Span, string? Hint)
{
    public override string ToString()
    {
        string place = Span is SourceSpan span ? span + ": " : "";
        string hint = Hint is null ? "" : $" ({Hint})";
        return $"{place}{Severity.ToString().ToLowerInvariant()} {Code}: {Message}{hint}";
    }
}

/// <summary>Collects every mistake of a load, so that all are told together. Not thread-safe.</summary>
public sealed class DiagnosticBag
{
    private readonly List<Diagnostic> all = [];

    /// <summary>By file, line, column.</summary>
    public IReadOnlyList<Diagnostic> All =>
        [.. all.Distinct().OrderBy(d => d.Span?.File, StringComparer.Ordinal).ThenBy(d => d.Span?.Line).ThenBy(d => d.Span?.Column)];

    public bool HasErrors => all.Exists(diagnostic => diagnostic.Severity == Severity.Error);

    public void AddRange(IEnumerable<Diagnostic> others) => all.AddRange(others);

    public void Error(string code, SourceSpan? span, string message, string? hint = null) =>
        all.Add(new Diagnostic(code, Severity.Error, message, span, hint));

    public void Warning(string code, SourceSpan? span, string message, string? hint = null) =>
        all.Add(new Diagnostic(code, Severity.Warning, message, span, hint));
}
