using System.Diagnostics;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;

namespace Dataflow.Engine.Execution;

/// <summary>
/// Writes how a run ended. The disk may be what it ended of, so nothing here throws: what cannot be written is told, and
/// a run whose end could not be kept has not completed.
/// </summary>
internal sealed class RunEnding(RunFolder folder, SecretRegistry secrets, IRunObserver observer)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    /// <summary>The outcome and, where it is a failure, its first cause in one line.</summary>
    public (RunOutcome Outcome, string? Cause) Write(RunManifest manifest, RunOutcome outcome, Fault? fault)
    {
        string? cause = null;
        if (fault is not null)
        {
            outcome = RunOutcome.Failed;
            cause = secrets.Redact((fault.Stage.Length > 0 ? $"stage '{fault.Stage}': " : "") + Explain(fault.Exception));
            Try("failure.log", () => File.WriteAllText(Path.Combine(folder.Root, "failure.log"), secrets.Redact(fault.Exception.ToString())));
        }

        RunManifest final = manifest with { State = outcome.ToString().ToLowerInvariant(), Cause = cause, Seconds = manifest.Seconds + clock.Elapsed.TotalSeconds };
        string? unwritten = Try("the manifest", () => folder.WriteManifest(final));
        return unwritten is null || outcome == RunOutcome.Failed ? (outcome, cause) : (RunOutcome.Failed, unwritten);
    }

    private string? Try(string what, Action write)
    {
        try
        {
            write();
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            string message = $"{what} could not be written: {failure.Message}";
            observer.Message("engine", message);
            return message;
        }
    }

    private static string Explain(Exception exception) => exception switch
    {
        AggregateException { InnerException: Exception inner } => Explain(inner),
        StageFailedException or RowFailedException or ModelCallException => exception.Message,
        _ => $"{exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}",
    };
}
