using System.Runtime.InteropServices;

namespace Dataflow.Cli;

/// <summary>Ctrl-C and SIGTERM: the first asks to drain, the second to let go at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private readonly PosixSignalRegistration[] registrations;
    private int seen;

    public StopSignals() =>
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];

    public CancellationToken Stop => stop.Token;

    public CancellationToken Abort => abort.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
        {
            registration.Dispose();
        }

        stop.Dispose();
        abort.Dispose();
    }

    // A stage that takes no notice of the abort must not keep the process; the journal is as safe as after a kill.
    private void EndSoon() => new Thread(() =>
    {
        Thread.Sleep(Patience);
        Console.Error.WriteLine("gave up: something did not end when told to; go on with 'dataflow run --resume'");
        Environment.Exit(ExitCodes.Interrupted);
    })
    { IsBackground = true }.Start();

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref seen) == 1)
        {
            Console.Error.WriteLine("stopping: rows in flight are finished and journalled (again: give up at once)");
            stop.Cancel();
        }
        else
        {
            EndSoon();
            abort.Cancel();
        }
    }
}
