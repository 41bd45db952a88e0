using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Dataflow.Cli.Tests;

/// <summary>A loopback OTLP/HTTP endpoint that keeps what it is sent. Names stand in protobuf as plain UTF-8.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener listener = new();

    public OtlpReceiver()
    {
        for (int attempt = 0; ; attempt++)
        {
            Address = $"http://127.0.0.1:{Random.Shared.Next(20_000, 60_000)}";
            listener.Prefixes.Clear();
            listener.Prefixes.Add(Address + "/");
            try
            {
                listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 50)
            {
                // The port is taken; another is tried.
            }
        }

        _ = Task.Run(ServeAsync);
    }

    public string Address { get; }

    public ConcurrentQueue<(string Path, byte[] Body)> Bodies { get; } = new();

    public string Text(string path) => string.Concat(Bodies.Where(body => body.Path == path).Select(body => Encoding.UTF8.GetString(body.Body)));

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                Bodies.Enqueue((context.Request.Url!.AbsolutePath, body.ToArray()));
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
