namespace Dataflow.Sandbox.Languages;

/// <summary>The languages there are, found by the names that pipelines and fenced code blocks use.</summary>
public sealed class LanguageSet
{
    private readonly Dictionary<string, Language> byName = new(StringComparer.OrdinalIgnoreCase);

    public LanguageSet(IEnumerable<Language> languages)
    {
        All = languages.ToArray();
        foreach (Language language in All)
        {
            foreach (string name in language.Aliases.Prepend(language.Name))
            {
                byName.Add(name, language);
            }
        }
    }

    public IReadOnlyList<Language> All { get; }

    /// <summary>All languages of this library.</summary>
    public static LanguageSet Standard() => new([new Python(), new JavaScript(), new TypeScript(), new C(), new Cpp(), new CSharp(), new Java(), new Go(), new Rust(), new Php(), new Bash(), new Sql()]);

    /// <summary>The language of a name; null if there is none.</summary>
    public Language? Find(string name) => byName.GetValueOrDefault(name.Trim());
}
