namespace Dataflow.Abstractions;

/// <summary>Declares a class as a stage: the name that YAML's <c>uses</c> gives, and one line for the catalogue.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class StageAttribute(string name, string summary) : Attribute
{
    public string Name { get; } = name;

    public string Summary { get; } = summary;

    /// <summary>Version of what the stage computes; raise it when the same input gives another output.</summary>
    public int Version { get; init; } = 1;

    /// <summary>
    /// False for a row stage or trainer whose result hangs on more than its options, rows, seed and models (the time, the
    /// network, files it finds itself): its results are then never taken from an earlier run.
    /// </summary>
    public bool Cacheable { get; init; } = true;
}

/// <summary>Declares a named input (<c>from: { left: a, right: b }</c>). Without it a stage has one input, <c>in</c>.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
public sealed class StageInputAttribute(string name) : Attribute
{
    public string Name { get; } = name;

    public bool Optional { get; init; }
}

/// <summary>
/// Marks a string option that names a model resource. The engine opens the model and passes it to the stage's
/// constructor parameter of the same name; the parameter's type says which kind is needed. An option that is a list of
/// strings names several, for a parameter of type <c>IReadOnlyList</c> of that kind.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ModelReferenceAttribute(Type kind) : Attribute
{
    /// <summary>The kind needed: IChatClient, <see cref="Checkpoint"/>, <see cref="IRewardModel"/>, …</summary>
    public Type Kind { get; } = kind;
}

/// <summary>Marks an option that is a file or folder path, resolved against the pipeline file's folder.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PathOptionAttribute : Attribute;
