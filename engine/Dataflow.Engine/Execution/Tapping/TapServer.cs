using System.Net.Sockets;
using System.Text;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Tapping;

/// <summary>
/// Serves a run's rows to whoever connects to <c>tap.sock</c> in its folder. A watcher sends the name of a port and a
/// line feed, and gets JSON lines: <c>{"row_id", "row"}</c>, <c>{"dropped"}</c> where it was too slow, <c>{"end"}</c>, or
/// <c>{"error"}</c>. A watcher that is slow or dies loses rows; the run loses nothing.
/// </summary>
internal sealed class TapServer : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(250);

    private readonly TapHub hub;
    private readonly string path;
    private readonly Socket? listener;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> watchers = [];
    private readonly Task accepting;

    private TapServer(string runFolder, TapHub hub, Action<string> say)
    {
        this.hub = hub;
        path = TapSocket.PathIn(runFolder);
        try
        {
            File.Delete(path);
            listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            TapSocket.WithAddress(runFolder, listener.Bind);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listener.Listen(8);
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            // A file system without sockets: the run is as good as ever, only nobody can look in.
            say($"this run cannot be tapped: {failure.Message}");
            listener?.Dispose();
            listener = null;
        }

        accepting = listener is null ? Task.CompletedTask : Task.Run(AcceptAsync);
    }

    public static TapServer Start(string runFolder, TapHub hub, Action<string> say) => new(runFolder, hub, say);

    public async ValueTask DisposeAsync()
    {
        hub.CompleteAll();
        listener?.Dispose();
        await accepting;
        Task[] last;
        lock (watchers)
        {
            last = [.. watchers];
        }

        await Task.WhenAny(Task.WhenAll(last), Task.Delay(Farewell));
        await stopping.CancelAsync();
        await Task.WhenAll(last);
        stopping.Dispose();
        File.Delete(path);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await listener!.AcceptAsync(stopping.Token);
                lock (watchers)
                {
                    watchers.RemoveAll(watcher => watcher.IsCompleted);
                    watchers.Add(Task.Run(() => ServeAsync(client)));
                }
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The run has ended.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            using var reader = new StreamReader(stream, leaveOpen: true);
            await using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
            string name = await reader.ReadLineAsync(stopping.Token) ?? "";
            if (hub.Find(name, out string problem) is not TapPoint point)
            {
                await writer.WriteLineAsync(RowJson.WriteValue(new Dictionary<string, object?> { ["error"] = problem }));
                return;
            }

            using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            Task watching = WatchForEndAsync(reader, gone);
            TapSubscription subscription = point.Subscribe();
            try
            {
                await SendAsync(subscription, writer, gone.Token);
            }
            finally
            {
                point.Unsubscribe(subscription);
                await gone.CancelAsync();
                await watching;
            }
        }
        catch (Exception left) when (left is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The watcher left, or the run ended before it had read everything.
        }
    }

    private static async Task SendAsync(TapSubscription subscription, StreamWriter writer, CancellationToken cancellationToken)
    {
        long told = 0;
        async Task TellDropped()
        {
            if (subscription.Dropped is var dropped && dropped != told)
            {
                told = dropped;
                await writer.WriteLineAsync(RowJson.WriteValue(new Dictionary<string, object?> { ["dropped"] = dropped }).AsMemory(), cancellationToken);
            }
        }

        await foreach (RowBatch batch in subscription.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                string line = RowJson.WriteValue(new Dictionary<string, object?> { ["row_id"] = row.Id, ["row"] = row.ToDictionary() });
                await writer.WriteLineAsync(line.AsMemory(), cancellationToken);
            }

            await TellDropped();
            await writer.FlushAsync(cancellationToken);
        }

        await TellDropped();
        await writer.WriteLineAsync("{\"end\":true}".AsMemory(), cancellationToken);
        await writer.FlushAsync(cancellationToken);
    }

    // A watcher says nothing after its first line; what is read next is its leaving.
    private static async Task WatchForEndAsync(StreamReader reader, CancellationTokenSource gone)
    {
        try
        {
            await reader.ReadLineAsync(gone.Token);
            await gone.CancelAsync();
        }
        catch (Exception left) when (left is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Already on its way out.
            await gone.CancelAsync();
        }
    }
}
