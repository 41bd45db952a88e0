using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Engine.Execution;

/// <summary>What one stage found of the machine.</summary>
/// <param name="Place">Where the stage stands in the YAML: file:line:column.</param>
public sealed record EnvironmentFinding(string Stage, string Place, string Text, bool IsProblem);

/// <summary>Runs the environment checks of a graph's stages, without opening any model.</summary>
public static class EnvironmentChecks
{
    public static async Task<IReadOnlyList<EnvironmentFinding>> RunAsync(PipelineGraph graph, CancellationToken cancellationToken)
    {
        var found = new List<EnvironmentFinding>();
        foreach (StageNode node in graph.Stages.Where(node => typeof(IEnvironmentCheck).IsAssignableFrom(node.Descriptor.StageType)))
        {
            if (Create(node) is not IEnvironmentCheck check)
            {
                continue;
            }

            EnvironmentFindings findings = await check.CheckEnvironmentAsync(new CheckContext(node, graph), cancellationToken);
            found.AddRange(findings.Problems.Select(text => new EnvironmentFinding(node.Name, node.Place, text, IsProblem: true)));
            found.AddRange(findings.Facts.Select(text => new EnvironmentFinding(node.Name, node.Place, text, IsProblem: false)));

            if (check is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
        }

        return found.DistinctBy(finding => finding.Text).ToArray();
    }

    // Only a stage whose constructor takes nothing but its options can be asked before models are open.
    private static object? Create(StageNode node)
    {
        ConstructorInfo? constructor = node.Descriptor.StageType.GetConstructor([node.Descriptor.OptionsType]);
        return constructor?.Invoke(BindingFlags.DoNotWrapExceptions, null, [node.Options], null);
    }

    private sealed class CheckContext(StageNode node, PipelineGraph graph) : StageContext
    {
        public override string StageName => node.Name;

        public override string RunId => "check";

        public override ulong Seed => 0;

        public override int Threads => graph.Settings.Threads;

        public override int BatchRows => graph.Settings.BatchRows;

        public override string ArtifactFolder => throw new InvalidOperationException("a check has no artifacts");

        public override string WorkFolder => throw new InvalidOperationException("a check has no work folder");

        public override ILogger Logger => NullLogger.Instance;

        public override string ResolvePath(string path) => Path.GetFullPath(path, graph.BaseFolder);

        public override void Report(Metric metric) => throw new InvalidOperationException("a check reports no metrics");

        public override ValueTask ReportInputErrorAsync(string code, string message, string input, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("a check reads no input");
    }
}
