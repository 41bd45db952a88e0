namespace Dataflow.Engine.Catalog;

public enum StageKind
{
    Source,
    Transform,
    Filter,
    Row,
    Aggregate,
    Trainer,
    Sink,
}

/// <summary>A plugin folder that was loaded.</summary>
/// <param name="Hash">SHA-256 over the names and contents of the folder's DLLs, in lower-case hex.</param>
public sealed record PluginInfo(string Name, string DllPath, string Hash);

/// <summary>A named input that a stage accepts.</summary>
public sealed record StageInputDescriptor(string Name, bool Optional);

/// <summary>A stage class that a plugin offers.</summary>
public sealed record StageDescriptor(
    string Name,
    string Summary,
    int Version,
    StageKind Kind,
    Type StageType,
    Type OptionsType,
    IReadOnlyList<StageInputDescriptor> Inputs,
    bool Cacheable,
    PluginInfo Plugin);

/// <summary>A model provider class that a plugin offers.</summary>
/// <param name="Kinds">What it can be used as: the T of each <c>IModelProvider&lt;T&gt;</c> it implements.</param>
public sealed record ModelDescriptor(
    string Name,
    string Summary,
    Type ProviderType,
    Type OptionsType,
    IReadOnlyList<Type> Kinds,
    bool AcceptsArtifact,
    PluginInfo Plugin);
