using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Dataflow.Sandbox;

/// <summary>A reply as the launcher writes it.</summary>
internal sealed record LaunchMessage(
    long Id, bool Started, int Status, bool TimedOut, bool OutputExceeded, byte[] Stdout, byte[] Stderr, byte[] Result, long WallMicroseconds, long CpuMicroseconds);

/// <summary>A request as the launcher reads it.</summary>
internal sealed record LaunchCommand(
    long Id, string[] Arguments, string[] Environment, byte[] Stdin, IReadOnlyDictionary<int, byte[]> Files, int WallMilliseconds, int OutputBytes, bool Cancel = false)
{
    public static LaunchCommand Cancelling(long id) => new(id, [], [], [], new Dictionary<int, byte[]>(), 0, 0, Cancel: true);
}

/// <summary>The engine's side of one launcher process.</summary>
internal sealed class LauncherProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<LaunchMessage?>> waiting = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Task reading;
    private volatile bool ended;

    private LauncherProcess(Process process)
    {
        this.process = process;
        reading = Task.Run(ReadAsync);
    }

    public bool HasEnded => ended;

    public static LauncherProcess Start(int slots)
    {
        string folder = Path.Combine(Path.GetDirectoryName(typeof(LauncherProcess).Assembly.Location)!, "launcher");
        string dll = Path.Combine(folder, "dataflow-sandbox-launcher.dll");
        if (!File.Exists(dll))
        {
            throw new SandboxException($"the sandbox launcher is missing: {dll}");
        }

        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(dll);
        start.ArgumentList.Add(slots.ToString(System.Globalization.CultureInfo.InvariantCulture));
        // Small and quick to start: no tiering threads, one heap.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        Process process = Process.Start(start) ?? throw new SandboxException("the sandbox launcher could not be started");
        return new LauncherProcess(process);
    }

    /// <summary>
    /// The reply; null if the launcher ended before it came. When cancelled it first ends the program and waits for
    /// that, so that a slot is never free while its program runs.
    /// </summary>
    public async Task<LaunchMessage?> SendAsync(LaunchCommand command, CancellationToken cancellationToken)
    {
        var reply = new TaskCompletionSource<LaunchMessage?>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[command.Id] = reply;
        await WriteAsync(command);
        if (ended)
        {
            reply.TrySetResult(null);
        }

        await using (cancellationToken.UnsafeRegister(_ => _ = WriteAsync(LaunchCommand.Cancelling(command.Id)), null))
        {
            LaunchMessage? message = await reply.Task;
            cancellationToken.ThrowIfCancellationRequested();
            return message;
        }
    }

    private async Task WriteAsync(LaunchCommand command)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(command), (byte)'\n'];
        await writing.WaitAsync();
        try
        {
            Stream input = process.StandardInput.BaseStream;
            await input.WriteAsync(line);
            await input.FlushAsync();
        }
        catch (Exception broken) when (broken is IOException or InvalidOperationException or ObjectDisposedException)
        {
            // The launcher has ended: the reader notices it and answers null to all who wait.
            ended = true;
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        ended = true;
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        if (!process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            process.Kill(entireProcessTree: true);
        }

        await reading;
        process.Dispose();
        writing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await process.StandardOutput.ReadLineAsync() is string line)
            {
                LaunchMessage message = JsonSerializer.Deserialize<LaunchMessage>(line)!;
                if (waiting.TryRemove(message.Id, out TaskCompletionSource<LaunchMessage?>? reply))
                {
                    reply.TrySetResult(message);
                }
            }
        }
        finally
        {
            ended = true;
            foreach (long id in waiting.Keys)
            {
                if (waiting.TryRemove(id, out TaskCompletionSource<LaunchMessage?>? reply))
                {
                    reply.TrySetResult(null);
                }
            }
        }
    }
}
