using Dataflow.Abstractions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>A language by its name in pipelines.</summary>
public enum CodeLanguage
{
    Python,
    Javascript,
    Typescript,
    C,
    Cpp,
    Csharp,
    Java,
    Go,
    Rust,
    Php,
    Bash,
    Sql,
}

/// <summary>Languages as stages' options and rows name them.</summary>
internal static class CodeLanguages
{
    /// <summary>Column that says each row's language, where no option does.</summary>
    public const string Column = "language";

    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static Language Of(CodeLanguage language) => Known.Find(language.ToString())!;

    /// <summary>The option's language, or else the row's.</summary>
    /// <exception cref="RowFailedException"><c>unknown_language</c>.</exception>
    public static Language Of(CodeLanguage? option, Row row) => option is CodeLanguage language ? Of(language) : Of(Column, row);

    /// <summary>The language that a column names, by its own name or a fenced block's.</summary>
    /// <exception cref="RowFailedException"><c>unknown_language</c>.</exception>
    public static Language Of(string column, Row row) => Known.Find(row.Text(column))
        ?? throw new RowFailedException("unknown_language", $"column '{column}': '{row.Text(column)}' is not one of {string.Join(", ", Known.All.Select(known => known.Name))}");

    /// <summary>Complains if neither the option nor a column says the language.</summary>
    public static void CheckChoice(CodeLanguage? language, StageDeclaration declaration)
    {
        if (language is null)
        {
            declaration.Require(Column, "language", StageInputs.Default, "text");
        }
    }

    /// <summary>What is missing on this machine for each language that cannot be used.</summary>
    public static IEnumerable<string> Missing() => Known.All.Select(language => language.Problem()).OfType<string>();

    /// <summary>Names by which fenced blocks call the language.</summary>
    public static IReadOnlyCollection<string> Tags(Language language) => [language.Name, .. language.Aliases];
}
