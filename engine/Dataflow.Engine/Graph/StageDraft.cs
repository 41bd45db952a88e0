using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>A stage while it is being compiled.</summary>
internal sealed class StageDraft(StageDefinition definition)
{
    public StageDefinition Definition => definition;

    public StageDescriptor? Descriptor { get; set; }

    /// <summary>The options record, as far as it could be bound; null if the stage is of no known type.</summary>
    public object? Options { get; set; }

    /// <summary>Values of the options record that are not the user's.</summary>
    public IReadOnlyList<BadOption> BadOptions { get; set; } = [];

    /// <summary>All options were bound.</summary>
    public bool Whole { get; set; }

    /// <summary>Its ports, also where it has mistakes; null if they cannot be told.</summary>
    public IReadOnlyList<string>? PortNames { get; set; }

    public IReadOnlyDictionary<string, SourceSpan> Places { get; set; } = new Dictionary<string, SourceSpan>();

    /// <summary>Constructor parameter to model name.</summary>
    public Dictionary<string, string> Models { get; } = new(StringComparer.Ordinal);

    public ErrorBudget? Budget { get; set; }

    public StageNode? Node { get; set; }

    /// <summary>A mistake was reported, so nothing that follows from it is.</summary>
    public bool Broken { get; set; }

    public SourceSpan PlaceOf(string option) => Places.TryGetValue(option, out SourceSpan span) ? span : definition.NameSpan;
}
