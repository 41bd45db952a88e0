using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>A compiled pipeline: names resolved, options bound, schemas known, phases assigned.</summary>
/// <param name="Stages">In topological order, artifact edges included.</param>
/// <param name="DefinitionHash">Hash of what results hang on in the expanded YAML, for the manifest.</param>
public sealed record PipelineGraph(
    string Name,
    string? Description,
    string SourcePath,
    string DefinitionHash,
    RunSettings Settings,
    IReadOnlyList<StageNode> Stages,
    IReadOnlyDictionary<string, ModelNode> Models,
    IReadOnlyList<PluginInfo> Plugins)
{
    /// <summary>Where <c>run:</c> stands in the YAML, for what concerns the run as a whole.</summary>
    public SourceSpan? RunPlace { get; init; }

    /// <summary>The folder that relative paths of the YAML are resolved against.</summary>
    public string BaseFolder => Path.GetDirectoryName(Path.GetFullPath(SourcePath))!;

    public StageNode Stage(string name) => Stages.First(stage => stage.Name == name);

    public int PhaseCount => Stages.Count == 0 ? 0 : Stages.Max(stage => stage.Phase) + 1;
}

/// <summary>Run-wide settings of the YAML's <c>run:</c> section.</summary>
/// <param name="MaxCost">Money that model calls may cost before the run stops; null for no limit.</param>
public sealed record RunSettings(
    ulong Seed, int BatchRows, int BlockCapacity, int Threads, ErrorBudget MaxErrors, long QueueBytes, TimeSpan StallAfter, double? MaxCost);

/// <summary>How many row errors a stage may have: an absolute number, or a share of its rows.</summary>
public sealed record ErrorBudget(long? Rows, double? Share)
{
    // A share of few rows says nothing yet.
    private const long FewErrors = 20;

    public static ErrorBudget Default { get; } = new(null, 0.1);

    /// <summary>True if <paramref name="errors"/> of the <paramref name="rows"/> rows so far are more than allowed; a share is judged from the 20th error on.</summary>
    public bool IsExceeded(long errors, long rows) => (Rows is not null || errors >= FewErrors) && Exceeds(errors, rows);

    /// <summary>The same once all rows are there, however few: a stage at which every row failed has failed too, unless 100% are allowed.</summary>
    public bool IsExceededAtEnd(long errors, long rows) => Exceeds(errors, rows) || (errors > 0 && errors == rows && Share is not 1);

    private bool Exceeds(long errors, long rows) => Rows is long most ? errors > most : errors > (Share ?? 1) * rows;
}

/// <summary>One stage of the graph.</summary>
/// <param name="Place">Where its name stands in the YAML.</param>
/// <param name="Inputs">By input name, in the stage's declared order. Empty for sources.</param>
/// <param name="Ports">Its data ports, default first.</param>
/// <param name="Models">Constructor parameter name to model resource name.</param>
/// <param name="Phase">The most barriers (aggregates, trainers) on any path to it, itself included, artifact edges included.</param>
/// <param name="Concurrency">Rows (row stages) or batches (transforms, filters) in flight; null for the kind's default.</param>
/// <param name="Ordered">False lets a sink take rows as they come.</param>
public sealed record StageNode(
    string Name,
    SourceSpan Place,
    StageDescriptor Descriptor,
    object Options,
    IReadOnlyList<InputNode> Inputs,
    IReadOnlyList<PortDeclaration> Ports,
    IReadOnlyDictionary<string, string> Models,
    int Phase,
    int? Concurrency,
    int? BatchRows,
    int Retries,
    bool Ordered,
    ErrorBudget MaxErrors)
{
    /// <summary>The place without folders: the same wherever the file lies and however it was named.</summary>
    public string ShortPlace => (Place with { File = Path.GetFileName(Place.File) }).ToString();

    public bool IsBarrier => Descriptor.Kind is StageKind.Aggregate or StageKind.Trainer;

    public PortDeclaration Port(string name) => Ports.First(port => port.Name == name);
}

/// <summary>A named input: the union, by column name, of the ports it reads.</summary>
public sealed record InputNode(string Name, Schema Schema, IReadOnlyList<PortEdge> Edges);

/// <summary>One end of an edge. The port <c>errors</c> exists at every stage.</summary>
public sealed record PortEdge(string Stage, string Port);

/// <summary>A model resource of the graph.</summary>
/// <param name="FromStage">The trainer stage whose checkpoint it reads; null for a resource of its own.</param>
public sealed record ModelNode(
    string Name, SourceSpan Place, ModelDescriptor Descriptor, object Options, string? FromStage, ModelLimits Limits, ModelCost Cost)
{
    /// <summary>True for an endpoint elsewhere, whose calls may fail, be refused, and be many at a time; false for a model in this process.</summary>
    public bool IsRemote => !Descriptor.AcceptsArtifact;

    /// <summary>Tokens of the longest sequence that it takes; null where that is not known before it is opened.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Most calls that may be under way at each of its endpoints.</summary>
    public int MostCalls => Limits.Concurrency ?? (IsRemote ? 256 : 1);
}

/// <summary>Traffic limits of each of a model's endpoints.</summary>
/// <param name="Concurrency">Most calls under way; null for the default of the model's kind.</param>
/// <param name="RequestsPerMinute">Null for none.</param>
/// <param name="TokensPerMinute">Input and output together; null for none.</param>
/// <param name="Retries">Further attempts after faults; being told to slow down (429) does not count.</param>
/// <param name="Timeout">Of one attempt.</param>
/// <param name="GiveUpAfter">How long the model may answer nothing before the run stops.</param>
public sealed record ModelLimits(int? Concurrency, int? RequestsPerMinute, int? TokensPerMinute, int Retries, TimeSpan Timeout, TimeSpan GiveUpAfter);

/// <summary>Price of a model, in whatever currency <c>run.max_cost</c> is in.</summary>
/// <param name="Input">Per million input tokens.</param>
/// <param name="Output">Per million output tokens.</param>
public sealed record ModelCost(double Input, double Output)
{
    public double Of(long inputTokens, long outputTokens) => ((inputTokens * Input) + (outputTokens * Output)) / 1e6;
}
