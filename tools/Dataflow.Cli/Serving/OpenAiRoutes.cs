using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Dataflow.Torch.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>The part of OpenAI's HTTP interface that a text model can answer: models, chat, completions, embeddings.</summary>
internal sealed class OpenAiRoutes(ServedModel model, string? apiKey)
{
    public void Map(WebApplication app)
    {
        app.Use(async (context, next) =>
        {
            try
            {
                if (!Allowed(context.Request))
                {
                    await RefuseAsync(context, 401, "a valid API key is needed: Authorization: Bearer KEY", null);
                    return;
                }

                await next(context);
            }
            catch (BadRequestException failure)
            {
                await RefuseAsync(context, 400, failure.Message, failure.Parameter);
            }
            catch (Exception failure) when (failure is JsonException or ArgumentException)
            {
                await RefuseAsync(context, 400, failure.Message, null);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The client has left; its samples end at their next token.
            }
        });
        app.MapGet("/v1/models", () => Json(new JsonObject { ["object"] = "list", ["data"] = new JsonArray(new JsonObject { ["id"] = model.Name, ["object"] = "model", ["created"] = 0, ["owned_by"] = "dataflow" }) }));
        app.MapPost("/v1/chat/completions", context => CompleteAsync(context, chat: true));
        app.MapPost("/v1/completions", context => CompleteAsync(context, chat: false));
        app.MapPost("/v1/embeddings", EmbedAsync);
    }

    private bool Allowed(HttpRequest request) => apiKey is null || CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString())), SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + apiKey)));

    private static IResult Json(JsonNode body) => Results.Content(body.ToJsonString(), "application/json");

    private static async Task<JsonObject> BodyAsync(HttpContext context) =>
        await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) as JsonObject ?? throw new BadRequestException("the body is no JSON object");

    private static async Task RefuseAsync(HttpContext context, int status, string message, string? parameter)
    {
        if (context.Response.HasStarted)
        {
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        var error = new JsonObject { ["message"] = message, ["type"] = status == 401 ? "authentication_error" : "invalid_request_error", ["param"] = parameter, ["code"] = null };
        await context.Response.WriteAsync(new JsonObject { ["error"] = error }.ToJsonString());
    }

    private async Task CompleteAsync(HttpContext context, bool chat)
    {
        CompletionRequest request = CompletionRequest.Parse(await BodyAsync(context), model, chat);
        var replies = new CompletionReplies(model, request);
        if (request.Stream)
        {
            await StreamAsync(context, request, replies);
            return;
        }

        TextStream[] texts = Texts(request);
        IReadOnlyList<Sample> samples = await model.GenerateAsync(
            new GenerationRequest(request.Prompt, request.Seeds, request.Sampling, request.Stops.Count == 0 ? null : (k, ids) => Ends(texts[k], ids)), context.RequestAborted);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(replies.Whole(samples, Texts(request)).ToJsonString(), context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, CompletionRequest request, CompletionReplies replies)
    {
        var events = Channel.CreateUnbounded<JsonObject>();
        TextStream[] texts = Texts(request);
        Task<IReadOnlyList<Sample>> work = model.GenerateAsync(
            new GenerationRequest(request.Prompt, request.Seeds, request.Sampling, (k, ids) =>
            {
                string delta = texts[k].Take(ids, last: false);
                if (delta.Length > 0)
                {
                    events.Writer.TryWrite(replies.Delta(k, delta));
                }

                return texts[k].Stopped;
            }),
            context.RequestAborted);
        _ = work.ContinueWith(done => events.Writer.TryComplete(done.Exception?.InnerException), TaskScheduler.Default);
        // A request that cannot be answered says so here, while the status can still be set.
        await events.Reader.WaitToReadAsync(context.RequestAborted);
        context.Response.ContentType = "text/event-stream";
        await foreach (JsonObject chunk in events.Reader.ReadAllAsync(context.RequestAborted))
        {
            await SendAsync(context, chunk.ToJsonString());
        }

        IReadOnlyList<Sample> samples = await work;
        foreach (JsonObject chunk in replies.Endings(samples, texts))
        {
            await SendAsync(context, chunk.ToJsonString());
        }

        await SendAsync(context, "[DONE]");
    }

    private async Task EmbedAsync(HttpContext context)
    {
        JsonObject body = await BodyAsync(context);
        string[] inputs = body["input"] switch
        {
            JsonArray list => list.Select(item => item is JsonValue value && value.GetValueKind() == JsonValueKind.String ? (string)item! : throw new BadRequestException("input must be text", "input")).ToArray(),
            JsonValue one when one.GetValueKind() == JsonValueKind.String => [(string)one!],
            _ => throw new BadRequestException("input must be text or a list of texts", "input"),
        };
        bool base64 = (string?)body["encoding_format"] == "base64";
        var data = new JsonArray();
        int tokens = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            int[] ids = model.EncodeText(inputs[i]);
            tokens += ids.Length;
            float[] vector = await model.EmbedAsync(ids, context.RequestAborted);
            JsonNode value = base64
                ? JsonValue.Create(Convert.ToBase64String(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector)))
                : new JsonArray([.. vector.Select(number => (JsonNode)number)]);
            data.Add(new JsonObject { ["object"] = "embedding", ["index"] = i, ["embedding"] = value });
        }

        context.Response.ContentType = "application/json";
        var reply = new JsonObject { ["object"] = "list", ["model"] = model.Name, ["data"] = data, ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens } };
        await context.Response.WriteAsync(reply.ToJsonString(), context.RequestAborted);
    }

    private TextStream[] Texts(CompletionRequest request) => request.Seeds.Select(_ => new TextStream(model.Tokenizer, request.Stops)).ToArray();

    private static bool Ends(TextStream text, IReadOnlyList<int> ids)
    {
        text.Take(ids, last: false);
        return text.Stopped;
    }

    private static async Task SendAsync(HttpContext context, string data)
    {
        await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
