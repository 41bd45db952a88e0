using System.ComponentModel;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Text;

[Stage("text.contains", "Keeps rows whose text contains any of some phrases (or, with invert, none).")]
public sealed class ContainsFilter(ContainsOptions options) : TextFilter(options.Column), IStage<ContainsOptions>
{
    private readonly StringComparison comparison = options.CaseSensitive ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    public static void Declare(ContainsOptions options, StageDeclaration declaration)
    {
        DeclareColumn(options.Column, declaration);
        if (options.Any.Count == 0)
        {
            declaration.Error("any", "at least one phrase is needed");
        }

        if (options.Any.Contains(""))
        {
            declaration.Error("any", "every text contains the empty phrase");
        }
    }

    protected override string? Reject(string text)
    {
        string? found = options.Any.FirstOrDefault(phrase => text.Contains(phrase, comparison));
        return (found is null) == options.Invert ? null : options.Invert ? $"contains: {found}" : "contains_none";
    }
}

public sealed record ContainsOptions
{
    [Description("Column holding the text.")]
    public string Column { get; init; } = "text";

    [Description("Phrases looked for.")]
    public required IReadOnlyList<string> Any { get; init; }

    [Description("Tell upper and lower case apart.")]
    public bool CaseSensitive { get; init; }

    [Description("Keep the rows that contain none; the reason of the others names the first phrase found.")]
    public bool Invert { get; init; }
}
