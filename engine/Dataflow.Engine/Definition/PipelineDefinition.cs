using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>A pipeline as written: parsed, included, interpolated; names not yet resolved against plugins.</summary>
/// <param name="Hash">SHA-256 of the expanded definition less what changes no result (see <see cref="DefinitionHash"/>); nothing can be read back from it.</param>
public sealed record PipelineDefinition(
    string Name,
    string? Description,
    string SourcePath,
    string Hash,
    RunDefinition Run,
    IReadOnlyList<ModelDefinition> Models,
    IReadOnlyList<StageDefinition> Stages)
{
    /// <summary>Where <c>run:</c> stands; the file's beginning if there is none.</summary>
    public required SourceSpan RunPlace { get; init; }

    /// <summary>Where the values of <c>run:</c> stand.</summary>
    public IReadOnlyDictionary<string, SourceSpan> RunPlaces { get; init; } = new Dictionary<string, SourceSpan>();
}

/// <summary>The <c>run:</c> section.</summary>
public sealed record RunDefinition
{
    /// <summary>Every random choice derives from it.</summary>
    public ulong Seed { get; init; }

    /// <summary>Most rows in one record batch.</summary>
    [System.ComponentModel.DataAnnotations.Range(1, 1_000_000)]
    public int BatchRows { get; init; } = 1000;

    /// <summary>Most batches waiting at one input.</summary>
    [System.ComponentModel.DataAnnotations.Range(1, 100_000)]
    public int BlockCapacity { get; init; } = 8;

    /// <summary>Most bytes of values waiting at one input.</summary>
    [Dataflow.Abstractions.ByteSize]
    [System.ComponentModel.DataAnnotations.Range(1L << 10, 1L << 40)]
    public long QueueBytes { get; init; } = 64 << 20;

    /// <summary>After this long without any progress, who waits for whom is printed.</summary>
    [Dataflow.Abstractions.Shortest(0.1)]
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Threads of each compute stage (trainers, local models). Part of the manifest: it changes low bits.</summary>
    [System.ComponentModel.DataAnnotations.Range(1, 1024)]
    public int Threads { get; init; } = 1;

    /// <summary>Row errors a stage may have: a number, or a share such as <c>5%</c>.</summary>
    public string MaxErrors { get; init; } = "10%";

    /// <summary>Money that model calls may cost, by their models' <c>cost</c>; then the run stops and can be resumed.</summary>
    [System.ComponentModel.DataAnnotations.Range(0, 1e12)]
    public double? MaxCost { get; init; }
}

/// <summary>A model resource as written.</summary>
public sealed record ModelDefinition(
    string Name, SourceSpan NameSpan, string Uses, SourceSpan UsesSpan, ConfigMapping With, string? From, SourceSpan FromSpan, LimitsDefinition Limits, CostDefinition Cost, Scope Scope);

/// <summary>The <c>limits:</c> of a model.</summary>
public sealed record LimitsDefinition
{
    /// <summary>Most calls under way; how many are is learned. 256 by default, 1 for a model in this process.</summary>
    [System.ComponentModel.DataAnnotations.Range(1, 100_000)]
    public int? Concurrency { get; init; }

    [System.ComponentModel.DataAnnotations.Range(1, int.MaxValue)]
    public int? RequestsPerMinute { get; init; }

    [System.ComponentModel.DataAnnotations.Range(1, int.MaxValue)]
    public int? TokensPerMinute { get; init; }

    /// <summary>Further attempts of a call after faults; 429 does not count.</summary>
    [System.ComponentModel.DataAnnotations.Range(0, 1000)]
    public int Retries { get; init; } = 5;

    /// <summary>Of one attempt.</summary>
    [Dataflow.Abstractions.Shortest(0.1)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long the model may answer nothing, while calls wait, before the run stops.</summary>
    [Dataflow.Abstractions.Shortest(1)]
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>The <c>cost:</c> of a model, per million tokens.</summary>
public sealed record CostDefinition
{
    [System.ComponentModel.DataAnnotations.Range(0, 1e9)]
    public double Input { get; init; }

    [System.ComponentModel.DataAnnotations.Range(0, 1e9)]
    public double Output { get; init; }
}

/// <summary>A stage as written.</summary>
public sealed record StageDefinition(
    string Name, SourceSpan NameSpan, string Uses, SourceSpan UsesSpan, IReadOnlyList<InputDefinition> Inputs, ConfigMapping With, StageSettings Settings, SourceSpan SettingsSpan, Scope Scope);

/// <summary>What a stage entry may set beside <c>uses</c>, <c>from</c> and <c>with</c>.</summary>
public sealed record StageSettings
{
    [System.ComponentModel.DataAnnotations.Range(1, 100_000)]
    public int? Concurrency { get; init; }

    [System.ComponentModel.DataAnnotations.Range(1, 1_000_000)]
    public int? BatchRows { get; init; }

    public string? MaxErrors { get; init; }

    [System.ComponentModel.DataAnnotations.Range(0, 100)]
    public int Retries { get; init; }

    /// <summary><c>input</c> (default): a sink writes in input order; <c>any</c>: as rows come.</summary>
    [System.ComponentModel.DataAnnotations.AllowedValues("input", "any")]
    public string Order { get; init; } = "input";
}

/// <summary>One named input and the ports it reads.</summary>
public sealed record InputDefinition(string Name, SourceSpan Span, IReadOnlyList<PortReference> Ports);

/// <summary><c>stage</c> or <c>stage.port</c>; no port means the stage's first one.</summary>
public sealed record PortReference(string Stage, string? Port, SourceSpan Span);
