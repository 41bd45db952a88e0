using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Plugins.OpenAiModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Plugins.Tests;

/// <summary>A chat request as the endpoint saw it.</summary>
internal sealed record EndpointRequest(JsonElement Body, string Head)
{
    public string Prompt => Body.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;

    public long? Seed => Body.TryGetProperty("seed", out JsonElement seed) ? seed.GetInt64() : null;
}

/// <summary>An HTTP endpoint on loopback that answers each request with bytes of the test's own making, broken ones too.</summary>
internal sealed class ChatEndpoint : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<EndpointRequest, string?> script;
    private readonly Task loop;

    /// <param name="script">The whole response, see <see cref="Answer"/> and <see cref="Http"/>; null resets the connection.</param>
    public ChatEndpoint(Func<EndpointRequest, string?> script)
    {
        this.script = script;
        listener.Start();
        loop = ServeAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v1";

    public ConcurrentQueue<EndpointRequest> Requests { get; } = new();

    public static string Answer(string text, string? finish = "stop") => Http(200, JsonSerializer.Serialize(new
    {
        id = "x",
        @object = "chat.completion",
        created = 1,
        model = "scripted",
        choices = new[] { new { index = 0, message = new { role = "assistant", content = text }, finish_reason = finish } },
        usage = new { prompt_tokens = 7, completion_tokens = 3, total_tokens = 10 },
    }));

    public static string Http(int status, string body, string headers = "", int? length = null) =>
        $"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length ?? Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";

    /// <summary>The endpoint as stages get it: through the real provider.</summary>
    public async Task<IChatClient> OpenAsync(string? key = null) =>
        await new global::Dataflow.Plugins.OpenAiModel.OpenAiModel(new OpenAiOptions { Endpoint = [Address], Model = "m", ApiKey = key }, new ModelContext("teacher", null, 1, path => path, NullLogger.Instance)).OpenAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await loop;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync();
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(socket));
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using Socket owned = socket;
        EndpointRequest request = await ReadAsync(socket);
        Requests.Enqueue(request);
        if (script(request) is string response)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(response));
            socket.Shutdown(SocketShutdown.Both);
        }
        else
        {
            socket.LingerState = new LingerOption(true, 0);
        }
    }

    private static async Task<EndpointRequest> ReadAsync(Socket socket)
    {
        var bytes = new List<byte>();
        var buffer = new byte[4096];
        while (true)
        {
            int read = await socket.ReceiveAsync(buffer);
            bytes.AddRange(buffer.AsSpan(0, read));
            string text = Encoding.UTF8.GetString([.. bytes]);
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            string? header = end < 0 ? null : text[..end].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            if (header is not null && bytes.Count >= end + 4 + int.Parse(header.Split(':')[1], null))
            {
                return new EndpointRequest(JsonDocument.Parse(text[(end + 4)..]).RootElement, text[..end]);
            }
        }
    }
}
