using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Prove;

/// <summary>What the scripted endpoint was asked.</summary>
/// <param name="At">Seconds since the endpoint began.</param>
internal sealed record EndpointCall(string Prompt, long? Seed, double? Temperature, string Body, double At);

/// <summary>How an answer goes wrong below HTTP.</summary>
internal enum EndpointFault
{
    None,
    Reset,
    Truncated,
    InvalidJson,

    /// <summary>The message's content is null, and its tokens are counted.</summary>
    NoContent,
}

/// <summary>A reply: an HTTP status and, for 200, the message's text, otherwise the error's.</summary>
internal sealed record EndpointReply(string Text, int Status = 200, string? RetryAfter = null, string Message = "scripted failure")
{
    /// <summary>Time until it is given.</summary>
    public TimeSpan Delay { get; init; }

    public EndpointFault Fault { get; init; }
}

/// <summary>A reply that was given, or given up because the caller left.</summary>
/// <param name="At">Seconds since the endpoint began.</param>
/// <param name="Seconds">From the call to here.</param>
internal sealed record EndpointAnswer(EndpointReply Reply, double At, double Seconds, bool CallerLeft);

/// <summary>
/// An OpenAI-compatible endpoint on loopback whose replies are a function of the call; counts what it is asked.
/// </summary>
internal sealed class ScriptedEndpoint : IAsyncDisposable
{
    private readonly Func<EndpointCall, EndpointReply> script;
    private readonly WebApplication server;
    private readonly Stopwatch clock = Stopwatch.StartNew();

    public ScriptedEndpoint(Func<EndpointCall, EndpointReply> script, int port = 0)
    {
        this.script = script;
        (server, Address) = LoopbackServer.Start(AnswerAsync, port);
    }

    public string Address { get; }

    public int Port => new Uri(Address).Port;

    public double Now => clock.Elapsed.TotalSeconds;

    public ConcurrentQueue<EndpointCall> Calls { get; } = new();

    public ConcurrentQueue<EndpointAnswer> Answers { get; } = new();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        // Callers that still wait are cut off.
        await server.StopAsync(now.Token);
        await server.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            // The list of models, which a check asks for; it costs nothing and is not counted.
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{\"object\":\"list\",\"data\":[]}");
            return;
        }

        using var reader = new StreamReader(context.Request.Body);
        string body = await reader.ReadToEndAsync();
        EndpointCall call = Read(body);
        Calls.Enqueue(call);
        EndpointReply reply = script(call);
        bool left = false;
        try
        {
            if (reply.Delay > TimeSpan.Zero)
            {
                await Task.Delay(reply.Delay, context.RequestAborted);
            }

            await SendAsync(context, reply);
        }
        catch (OperationCanceledException)
        {
            left = true;
        }

        Answers.Enqueue(new EndpointAnswer(reply, Now, Now - call.At, left));
    }

    private EndpointCall Read(string body)
    {
        using JsonDocument request = JsonDocument.Parse(body);
        JsonElement root = request.RootElement;
        JsonElement content = root.GetProperty("messages").EnumerateArray().Last().GetProperty("content");
        return new EndpointCall(
            content.ValueKind == JsonValueKind.String ? content.GetString()! : content[0].GetProperty("text").GetString()!,
            root.TryGetProperty("seed", out JsonElement seed) ? seed.GetInt64() : null,
            root.TryGetProperty("temperature", out JsonElement temperature) ? temperature.GetDouble() : null,
            body,
            Now);
    }

    private static async Task SendAsync(HttpContext context, EndpointReply reply)
    {
        if (reply.Fault == EndpointFault.Reset)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json";
        if (reply.RetryAfter is not null)
        {
            context.Response.Headers.RetryAfter = reply.RetryAfter;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(reply.Status == 200 ? Completion(reply.Fault == EndpointFault.NoContent ? null : reply.Text) : new { error = new { message = reply.Message } });
        context.Response.ContentLength = json.Length;
        switch (reply.Fault)
        {
            case EndpointFault.Truncated:
                await context.Response.Body.WriteAsync(json.AsMemory(0, json.Length / 2));
                await context.Response.Body.FlushAsync();
                // Less than was announced: the server closes the connection.
                break;
            case EndpointFault.InvalidJson:
                json.AsSpan(json.Length / 2).Fill((byte)'}');
                await context.Response.Body.WriteAsync(json);
                break;
            default:
                await context.Response.Body.WriteAsync(json);
                break;
        }
    }

    public static object Completion(string? text) => new
    {
        id = "x",
        @object = "chat.completion",
        created = 1,
        model = "scripted",
        choices = new[] { new { index = 0, message = new { role = "assistant", content = text }, finish_reason = "stop" } },
        usage = new { prompt_tokens = 7, completion_tokens = 3, total_tokens = 10 },
    };
}
