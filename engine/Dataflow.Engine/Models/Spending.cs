using System.Globalization;

namespace Dataflow.Engine.Models;

/// <summary>
/// Money the run has spent on model calls, earlier attempts included, against <c>run.max_cost</c>. When it is used up no
/// further call is sent; those under way are finished and journalled, so the overspending is theirs at most.
/// </summary>
/// <param name="most">Null for no limit.</param>
/// <param name="stop">Stops the run in order, with this cause.</param>
internal sealed class Spending(double? most, string runId, Action<string> stop)
{
    private readonly Lock gate = new();
    private double spent;
    private bool stopped;

    public bool IsUsedUp
    {
        get
        {
            lock (gate)
            {
                return spent >= most;
            }
        }
    }

    public void Add(double cost)
    {
        lock (gate)
        {
            spent += cost;
        }
    }

    public void StopRun()
    {
        string cause;
        lock (gate)
        {
            if (stopped)
            {
                return;
            }

            stopped = true;
            cause = string.Create(CultureInfo.InvariantCulture, $"model calls have cost {spent:0.####}, and run.max_cost is {most:0.####}; raise it in the pipeline and go on with --resume {runId}");
        }

        stop(cause);
    }
}
