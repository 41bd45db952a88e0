namespace Dataflow.Cli;

/// <summary>While it lives, an exit of the process that a plugin asked for does not pass for the end of the run.</summary>
internal sealed class UnfinishedRunGuard : IDisposable
{
    public UnfinishedRunGuard() => AppDomain.CurrentDomain.ProcessExit += Complain;

    public void Dispose() => AppDomain.CurrentDomain.ProcessExit -= Complain;

    private static void Complain(object? sender, EventArgs e)
    {
        if (Environment.ExitCode == ExitCodes.Done)
        {
            Console.Error.WriteLine("failed: a plugin ended the process before the run was over (Environment.Exit); go on with 'dataflow run --resume'");
            Environment.ExitCode = ExitCodes.Failed;
        }
    }
}
