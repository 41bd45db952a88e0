using System.ComponentModel;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Text;

[Stage("text.regex", "Keeps rows whose text matches a pattern (or, with invert, does not).")]
public sealed class RegexFilter(RegexFilterOptions options) : TextFilter(options.Column), IStage<RegexFilterOptions>
{
    // Non-backtracking: no pattern and no text can make it run for ever.
    private readonly Regex pattern = new(options.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    public static void Declare(RegexFilterOptions options, StageDeclaration declaration)
    {
        DeclareColumn(options.Column, declaration);
        try
        {
            _ = new Regex(options.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            declaration.Error("pattern", failure.Message);
        }
    }

    protected override string? Reject(string text) => pattern.IsMatch(text) == options.Invert ? options.Invert ? "matches" : "no_match" : null;
}

public sealed record RegexFilterOptions
{
    [Description("Column holding the text.")]
    public string Column { get; init; } = "text";

    [Description("Pattern, .NET syntax without look-around and back-references.")]
    public required string Pattern { get; init; }

    [Description("Keep the rows that do not match.")]
    public bool Invert { get; init; }
}
