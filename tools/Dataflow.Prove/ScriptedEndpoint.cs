using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Dataflow.Prove;

/// <summary>What the scripted endpoint was asked.</summary>
internal sealed record EndpointCall(string Prompt, long? Seed, double? Temperature, string Body);

/// <summary>A reply: an HTTP status and, for 200, the message's text, otherwise the error's.</summary>
internal sealed record EndpointReply(string Text, int Status = 200, string? RetryAfter = null, string Message = "scripted failure");

/// <summary>An OpenAI-compatible endpoint on loopback whose replies are a function of the call; counts what it is asked.</summary>
internal sealed class ScriptedEndpoint : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly Func<EndpointCall, EndpointReply> script;
    private readonly Task loop;

    public ScriptedEndpoint(Func<EndpointCall, EndpointReply> script)
    {
        this.script = script;
        for (int attempt = 0; ; attempt++)
        {
            int port = Random.Shared.Next(20_000, 60_000);
            listener.Prefixes.Clear();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                Address = $"http://127.0.0.1:{port}/v1";
                break;
            }
            catch (HttpListenerException) when (attempt < 50)
            {
                // The port is taken; another is tried.
            }
        }

        loop = Task.Run(ServeAsync);
    }

    public string Address { get; }

    public ConcurrentQueue<EndpointCall> Calls { get; } = new();

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await loop;
        listener.Close();
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(context));
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        if (context.Request.HttpMethod == "GET")
        {
            // The list of models, which a check asks for; it costs nothing and is not counted.
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync("{\"object\":\"list\",\"data\":[]}"u8.ToArray());
            context.Response.Close();
            return;
        }

        using var reader = new StreamReader(context.Request.InputStream);
        string body = await reader.ReadToEndAsync();
        using JsonDocument request = JsonDocument.Parse(body);
        JsonElement root = request.RootElement;
        JsonElement content = root.GetProperty("messages").EnumerateArray().Last().GetProperty("content");
        string prompt = content.ValueKind == JsonValueKind.String ? content.GetString()! : content[0].GetProperty("text").GetString()!;
        var call = new EndpointCall(
            prompt,
            root.TryGetProperty("seed", out JsonElement seed) ? seed.GetInt64() : null,
            root.TryGetProperty("temperature", out JsonElement temperature) ? temperature.GetDouble() : null,
            body);
        Calls.Enqueue(call);
        EndpointReply reply = script(call);
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json";
        if (reply.RetryAfter is not null)
        {
            context.Response.Headers["Retry-After"] = reply.RetryAfter;
        }

        string json = reply.Status == 200
            ? JsonSerializer.Serialize(new
            {
                id = "x",
                @object = "chat.completion",
                created = 1,
                model = "scripted",
                choices = new[] { new { index = 0, message = new { role = "assistant", content = reply.Text }, finish_reason = "stop" } },
                usage = new { prompt_tokens = 7, completion_tokens = 3, total_tokens = 10 },
            })
            : JsonSerializer.Serialize(new { error = new { message = reply.Message } });
        await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(json));
        context.Response.Close();
    }
}
