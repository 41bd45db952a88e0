using System.Globalization;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Models;

namespace Dataflow.Engine.Execution;

/// <summary>Watches a phase: when nothing has moved for a while, says who waits for whom, how full the queues are, and which row is oldest.</summary>
internal sealed class StallWatch(IReadOnlyCollection<StageRuntime> runtimes, ModelHost models, TimeSpan after, IRunObserver observer)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan every = TimeSpan.FromMilliseconds(Math.Clamp(after.TotalMilliseconds / 4, 20, 1000));
        long seen = -1;
        DateTime moved = DateTime.UtcNow;
        try
        {
            while (true)
            {
                await Task.Delay(every, cancellationToken);
                long now = Progress();
                if (now != seen)
                {
                    seen = now;
                    moved = DateTime.UtcNow;
                }
                else if (DateTime.UtcNow - moved >= after)
                {
                    observer.Message("stall", Describe(DateTime.UtcNow - moved));
                    // Told again only after as long again.
                    moved = DateTime.UtcNow;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The phase is over.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Who looks on must not end what it looks at.
            observer.Message("stall", "the stall watch ended: " + failure);
        }
    }

    private long Progress()
    {
        ModelUsage usage = models.Usage;
        return usage.Calls + usage.Retries + runtimes.Sum(runtime =>
            runtime.Counter.RowsIn + runtime.Counter.RowsHandled + runtime.Counter.Errors + runtime.Context.MetricsReported + runtime.Ports.Values.Sum(port => port.Rows));
    }

    private string Describe(TimeSpan still)
    {
        string[] lines = runtimes.Where(runtime => runtime.Counter.State == "running").Select(Line).ToArray();
        return string.Create(CultureInfo.InvariantCulture, $"nothing has moved for {still.TotalSeconds:0.#} s\n") + string.Join('\n', lines);
    }

    private string Line(StageRuntime runtime)
    {
        string name = runtime.Node.Name;
        Edge? full = runtime.Ports.Values.SelectMany(port => port.Edges).FirstOrDefault(edge => edge.Waiting > 0);
        if (full is not null)
        {
            return $"  {name} waits for room at {full.To} ({Fill(full.To)})";
        }

        if (runtime.Work is { } work && work() is { Rows: > 0 } inWork)
        {
            string uses = runtime.Node.Models.Count > 0 ? $", model {string.Join(", ", runtime.Node.Models.Values.Distinct())}" : "";
            return string.Create(CultureInfo.InvariantCulture, $"  {name} has {inWork.Rows} rows in work, the oldest {inWork.OldestId} for {inWork.OldestAge.TotalSeconds:0.#} s{uses}");
        }

        return runtime.Input is { ReaderWaits: true } input
            ? $"  {name} waits for rows from {string.Join(", ", input.Edges.Select(edge => edge.From).Distinct())}"
            : $"  {name} is at work ({(runtime.Node.Descriptor.Kind == StageKind.Source ? "reading" : "computing")})";
    }

    private string Fill(string stage)
    {
        StageInput? input = runtimes.FirstOrDefault(runtime => runtime.Node.Name == stage)?.Input;
        return input is null ? "its queue is full"
            : string.Create(CultureInfo.InvariantCulture, $"its queue holds {input.Waiting} of {input.Capacity} batches, {input.WaitingBytes / 1e6:0.0} MB");
    }
}

/// <summary>Rows that a row stage has taken up and not finished.</summary>
internal readonly record struct WorkInHand(int Rows, string OldestId, TimeSpan OldestAge);
