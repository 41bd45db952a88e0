using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Engine.Execution;

/// <summary>Runs the environment checks of a graph's stages, without opening any model.</summary>
public static class EnvironmentChecks
{
    public static async Task<IReadOnlyList<(string Stage, string Place, string Problem)>> RunAsync(PipelineGraph graph, CancellationToken cancellationToken)
    {
        var problems = new List<(string, string, string)>();
        foreach (StageNode node in graph.Stages.Where(node => typeof(IEnvironmentCheck).IsAssignableFrom(node.Descriptor.StageType)))
        {
            if (Create(node) is not IEnvironmentCheck check)
            {
                continue;
            }

            foreach (string problem in await check.CheckEnvironmentAsync(new CheckContext(node, graph), cancellationToken))
            {
                problems.Add((node.Name, node.Place, problem));
            }

            if (check is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
        }

        return problems.DistinctBy(problem => problem.Item3).ToArray();
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
