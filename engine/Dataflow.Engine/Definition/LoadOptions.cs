using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>What a load gets from outside the file.</summary>
public sealed record LoadOptions
{
    /// <summary>Values of <c>--set name=value</c>.</summary>
    public IReadOnlyDictionary<string, string> Overrides { get; init; } = new Dictionary<string, string>();

    /// <summary>Where overrides are written that come from a file and not from <c>--set</c>.</summary>
    public IReadOnlyDictionary<string, SourceSpan> OverridePlaces { get; init; } = new Dictionary<string, SourceSpan>();

    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>False lets an absent <c>${env:…}</c> or <c>${file:…}</c> pass, for checks on a machine that has no secrets.</summary>
    public bool RequireSecrets { get; init; } = true;

    /// <summary>Values of <c>${run:…}</c>.</summary>
    public IReadOnlyDictionary<string, string> RunVariables { get; init; } = new Dictionary<string, string>();
}
