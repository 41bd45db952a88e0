namespace Dataflow.Abstractions;

/// <summary>Optional for a provider: says what is wrong with its options before anything runs, each mistake at its line.</summary>
/// <typeparam name="TOptions">Its options record.</typeparam>
public interface IDeclaredModel<TOptions>
    where TOptions : class
{
    /// <summary>Looks at the options alone; what this machine has is <see cref="IModelEnvironmentCheck"/>'s to say.</summary>
    static abstract void Declare(TOptions options, ModelDeclaration declaration);
}

/// <summary>A provider's side of the compile.</summary>
/// <param name="from">The trainer stage that <c>from</c> names; null if there is none.</param>
public sealed class ModelDeclaration(string? from, Func<string, string> resolvePath)
{
    private readonly List<DeclarationIssue> issues = [];

    public string? From => from;

    public IReadOnlyList<DeclarationIssue> Issues => issues;

    /// <summary>Tokens of the longest sequence that the model takes, where that is known before anything runs; stages see it.</summary>
    public int? ContextLength { get; set; }

    /// <summary>Resolves a path of the YAML against the pipeline file's folder.</summary>
    public string ResolvePath(string path) => resolvePath(path);

    /// <summary>A mistake at an option (a snake_case path such as <c>endpoint</c>; empty for the model as a whole).</summary>
    public void Error(string option, string message) => issues.Add(new DeclarationIssue(option, message, null, []));

    public void Warning(string option, string message) => issues.Add(new DeclarationIssue(option, message, null, [], IsWarning: true));
}
