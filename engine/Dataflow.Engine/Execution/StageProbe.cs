using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Engine.Execution;

/// <summary>Makes a stage to ask it something before anything runs: its models are not open, so those parameters are null.</summary>
internal static class StageProbe
{
    public static object Create(StageNode node)
    {
        ConstructorInfo constructor = node.Descriptor.StageType.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        object?[] arguments = constructor.GetParameters().Select(parameter => parameter.ParameterType == node.Descriptor.OptionsType ? node.Options : null).ToArray();
        return constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }
}

/// <summary>The context of a stage that is only asked something.</summary>
internal sealed class ProbeContext(StageNode node, PipelineGraph graph) : StageContext
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

    public override Task MetricsJournalled => Task.CompletedTask;

    public override void Report(Metric metric) => throw new InvalidOperationException("a check reports no metrics");

    public override ValueTask ReportInputErrorAsync(string code, string message, string input, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("a check reads no input");
}
