using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>A stage while it is being compiled.</summary>
internal sealed class StageDraft(StageDefinition definition)
{
    public StageDefinition Definition => definition;

    public StageDescriptor? Descriptor { get; set; }

    public object? Options { get; set; }

    public IReadOnlyDictionary<string, SourceSpan> Places { get; set; } = new Dictionary<string, SourceSpan>();

    /// <summary>Constructor parameter to model name.</summary>
    public Dictionary<string, string> Models { get; } = new(StringComparer.Ordinal);

    public ErrorBudget? Budget { get; set; }

    public StageNode? Node { get; set; }

    /// <summary>A mistake was reported, so nothing that follows from it is.</summary>
    public bool Broken { get; set; }

    public SourceSpan PlaceOf(string option) => Places.TryGetValue(option, out SourceSpan span) ? span : definition.NameSpan;
}
