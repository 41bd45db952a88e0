using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Analysis;

/// <summary>What static analysis says of a source, of which nothing was run.</summary>
/// <param name="Parses">Whether the source is well-formed, by the language's parser; by its compiler where nothing else tells; null if that did not come to an end with it.</param>
/// <param name="Findings">What the compiler and the linter say of the source, in the order of lines.</param>
public sealed record SourceAnalysis(bool? Parses, IReadOnlyList<Finding> Findings);
