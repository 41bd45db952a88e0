using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>The engine's side of one slot's launcher process.</summary>
internal sealed class LauncherProcess : IAsyncDisposable
{
    // Somebody who kills each launcher as it comes up must not keep a run waiting for ever.
    private const int MostStarts = 6;

    private readonly Process process;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<LaunchReply?>> waiting = new();
    private readonly TaskCompletionSource<LauncherHello?> hello = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Task reading;
    private volatile bool ended;

    private LauncherProcess(Process process)
    {
        this.process = process;
        reading = Task.Run(ReadAsync);
    }

    public bool HasEnded => ended;

    /// <summary>The launcher's process, for tests that look at it or kill it: what we started only waits for it.</summary>
    public int ProcessId => File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries) is [string launcher, ..]
        ? int.Parse(launcher, System.Globalization.CultureInfo.InvariantCulture)
        : process.Id;

    /// <summary>
    /// Starts a launcher in namespaces of its own: of mounts, in which it makes its programs' file systems, and of processes,
    /// of which it is the first. Whenever and however it dies, the kernel kills all others in there before it is gone: no
    /// moment is left between two steps of a start in which a death of ours would leave a program running.
    /// </summary>
    /// <param name="parts">Programs of this machine that it needs.</param>
    /// <param name="user">User that its programs shall be, where we are root and may choose.</param>
    /// <param name="container">Whether a container runtime makes them so, and must itself be started by root.</param>
    /// <exception cref="SandboxException">It cannot be started, or cannot run anything here.</exception>
    public static async Task<(LauncherProcess Process, LauncherHello Hello)> StartAsync(SandboxParts parts, int? user, bool container, CancellationToken cancellationToken)
    {
        string problem = "";
        for (int start = 0; start < MostStarts; start++)
        {
            (LauncherProcess launcher, LauncherHello? hello, string complaint) = await TryStartAsync(parts, user, container, cancellationToken);
            if (hello is { Problem: null })
            {
                return (launcher, hello);
            }

            problem = hello?.Problem ?? complaint;
            if (problem.Length > 0)
            {
                break;
            }
        }

        throw new SandboxException($"the sandbox launcher did not come up: {(problem.Length > 0 ? problem : $"it was ended {MostStarts} times without a word")}");
    }

    // It is gone again unless it says that it can run programs.
    private static async Task<(LauncherProcess Process, LauncherHello? Hello, string Complaint)> TryStartAsync(SandboxParts parts, int? user, bool container, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            process = Process.Start(StartInfo(parts, user, container)) ?? throw new SandboxException("the sandbox launcher could not be started");
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new SandboxException($"the sandbox launcher could not be started: {failure.Message}", failure);
        }

        var launcher = new LauncherProcess(process);
        Task<string> complaints = process.StandardError.ReadToEndAsync(CancellationToken.None);
        LauncherHello? hello = null;
        try
        {
            hello = await launcher.hello.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
        }
        catch (TimeoutException)
        {
            return (launcher, new LauncherHello("it said nothing in 30 seconds", "", null, []), "");
        }
        finally
        {
            if (hello is not { Problem: null })
            {
                await launcher.DisposeAsync();
            }
        }

        return (launcher, hello, hello is null ? (await complaints).Trim() : "");
    }

    private static ProcessStartInfo StartInfo(SandboxParts parts, int? user, bool container)
    {
        string folder = Path.Combine(Path.GetDirectoryName(typeof(LauncherProcess).Assembly.Location)!, "launcher");
        string dll = Path.Combine(folder, "dataflow-sandbox-launcher.dll");
        if (!File.Exists(dll))
        {
            throw new SandboxException($"the sandbox launcher is missing: {dll}");
        }

        var start = new ProcessStartInfo(parts.Unshare)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (user is null)
        {
            // An ordinary user may mount only as root of a user namespace of its own.
            start.ArgumentList.Add("--user");
            start.ArgumentList.Add("--map-root-user");
        }

        foreach (string argument in new[] { "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--", Host(), dll })
        {
            start.ArgumentList.Add(argument);
        }

        if (user is int number)
        {
            start.ArgumentList.Add(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (container)
            {
                start.ArgumentList.Add("container");
            }
        }

        // Small and quick to start: no tiering threads, one heap, and no sockets in /tmp, whose names would be those of process 1 for all.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        // In bytes, hexadecimal: what a launcher holds is allowed to its programs beside their own limit.
        start.Environment["DOTNET_GCgen0size"] = "400000";
        return start;
    }

    // The host of the runtime that runs us; a program's own executable starts no other assembly.
    private static string Host()
    {
        string beside = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        return Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? (File.Exists(beside) ? beside : "dotnet");
    }

    /// <summary>
    /// The reply; null if the launcher ended before it came. When cancelled it first ends the program and waits for
    /// that, so that a slot is never free while its program runs.
    /// </summary>
    public async Task<LaunchReply?> SendAsync(LaunchRequest request, CancellationToken cancellationToken)
    {
        var reply = new TaskCompletionSource<LaunchReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[request.Id] = reply;
        await WriteAsync(request);
        if (ended)
        {
            reply.TrySetResult(null);
        }

        await using (cancellationToken.UnsafeRegister(_ => _ = WriteAsync(LaunchRequest.Cancelling(request.Id)), null))
        {
            LaunchReply? message = await reply.Task;
            cancellationToken.ThrowIfCancellationRequested();
            return message;
        }
    }

    private async Task WriteAsync(LaunchRequest request)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.LaunchRequest), (byte)'\n'];
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
        if (hello.Task is { IsCompletedSuccessfully: true, Result: { } introduced })
        {
            RemoveGroups(introduced.Groups);
        }

        process.Dispose();
        writing.Dispose();
    }

    // A group can go only after its last process, and what bubblewrap started may take a moment to be gone.
    private static void RemoveGroups(string[] folders)
    {
        foreach (string folder in folders)
        {
            for (int attempt = 0; attempt < 50 && Directory.Exists(folder); attempt++)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (IOException)
                {
                    Thread.Sleep(10);
                }
            }
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            if (await process.StandardOutput.ReadLineAsync() is string first)
            {
                hello.TrySetResult(JsonSerializer.Deserialize(first, ProtocolJson.Default.LauncherHello));
            }

            while (await process.StandardOutput.ReadLineAsync() is string line)
            {
                LaunchReply message = JsonSerializer.Deserialize(line, ProtocolJson.Default.LaunchReply)!;
                if (waiting.TryRemove(message.Id, out TaskCompletionSource<LaunchReply?>? reply))
                {
                    reply.TrySetResult(message);
                }
            }
        }
        finally
        {
            ended = true;
            hello.TrySetResult(null);
            foreach (long id in waiting.Keys)
            {
                if (waiting.TryRemove(id, out TaskCompletionSource<LaunchReply?>? reply))
                {
                    reply.TrySetResult(null);
                }
            }
        }
    }
}
