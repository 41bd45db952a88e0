using Dataflow.Abstractions;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Engine.Execution;

/// <summary>Asks stages and models whether this machine has what they need, all at once and without opening any model.</summary>
public static class EnvironmentChecks
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Problems as errors and facts as notes, each at the place of its stage or model.</summary>
    /// <param name="runsFolder">Where runs are kept: it must be writable and its disk not full.</param>
    /// <param name="runFolder">The run's own: what is to be in it cannot be there yet.</param>
    public static async Task<IReadOnlyList<Diagnostic>> RunAsync(PipelineGraph graph, string runsFolder, string runFolder, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var pending = new List<Task<IReadOnlyList<Diagnostic>>>();
        foreach (StageNode node in graph.Stages.Where(node => typeof(IEnvironmentCheck).IsAssignableFrom(node.Descriptor.StageType)))
        {
            pending.Add(AskAsync($"stage '{node.Name}'", node.Place, () => CheckAsync(node, graph, patience.Token)));
        }

        foreach (ModelNode model in graph.Models.Values.Where(model => typeof(IModelEnvironmentCheck).IsAssignableFrom(model.Descriptor.ProviderType)))
        {
            pending.Add(AskAsync($"model '{model.Name}'", model.Place, () => CheckAsync(model, graph, runFolder, patience.Token)));
        }

        pending.Add(AskAsync("the run", graph.RunPlace, () => ValueTask.FromResult(RunSpace.Check(runsFolder))));
        IReadOnlyList<Diagnostic>[] found = await Task.WhenAll(pending);
        cancellationToken.ThrowIfCancellationRequested();
        return found.SelectMany(one => one).DistinctBy(diagnostic => diagnostic.Message, StringComparer.Ordinal).ToArray();
    }

    private static async Task<IReadOnlyList<Diagnostic>> AskAsync(string who, SourceSpan? place, Func<ValueTask<EnvironmentFindings>> ask)
    {
        try
        {
            EnvironmentFindings findings = await Task.Run(async () => await ask());
            return
            [
                .. findings.Problems.Select(text => new Diagnostic(DiagnosticCodes.Environment, Severity.Error, $"{who}: {text}", place, null)),
                .. findings.Facts.Select(text => new Diagnostic(DiagnosticCodes.Environment, Severity.Note, text, place, null)),
            ];
        }
        catch (Exception failure)
        {
            string why = failure is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : failure.Message;
            return [new Diagnostic(DiagnosticCodes.Environment, Severity.Error, $"{who}: the check of the machine failed: {why}", place, null)];
        }
    }

    private static async ValueTask<EnvironmentFindings> CheckAsync(StageNode node, PipelineGraph graph, CancellationToken cancellationToken)
    {
        object stage = StageProbe.Create(node);
        try
        {
            return await ((IEnvironmentCheck)stage).CheckEnvironmentAsync(new ProbeContext(node, graph), cancellationToken);
        }
        finally
        {
            if (stage is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }
        }
    }

    private static async ValueTask<EnvironmentFindings> CheckAsync(ModelNode node, PipelineGraph graph, string runFolder, CancellationToken cancellationToken)
    {
        // A checkpoint that a trainer will leave is not there yet; that the folder is named is all a provider may ask.
        string? artifact = node.FromStage is null ? null : Path.Combine(Path.GetTempPath(), "artifacts", node.FromStage);
        var context = new ModelContext(node.Name, artifact, graph.Settings.Threads, path => Path.GetFullPath(path, graph.BaseFolder), NullLogger.Instance) { RunFolder = runFolder };
        await using IModelProvider provider = ModelProviders.Create(node, context);
        return await ((IModelEnvironmentCheck)provider).CheckEnvironmentAsync(cancellationToken);
    }
}
