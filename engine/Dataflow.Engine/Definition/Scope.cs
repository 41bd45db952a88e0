namespace Dataflow.Engine.Definition;

/// <summary>How names are read in one file: a fragment included <c>as: p</c> calls its own stages and models <c>p_name</c>.</summary>
public sealed record Scope(string Prefix, IReadOnlySet<string> LocalNames)
{
    public static Scope Root { get; } = new("", new HashSet<string>());

    public string Resolve(string name) => LocalNames.Contains(name) ? Prefix + name : name;
}
