using System.Text.Json.Nodes;
using System.Threading.Channels;
using Dataflow.Torch.Generation;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>Chat and text completions, whole or as a stream of server-sent events.</summary>
/// <param name="stopping">The server is shutting down: what still runs is cut off.</param>
internal sealed class CompletionEndpoint(ServedModel model, ApiErrors errors, CancellationToken stopping)
{
    public async Task CompleteAsync(HttpContext context, RequestFields fields, bool chat)
    {
        CompletionRequest request = CompletionRequest.Parse(fields, model, chat);
        // Said here, while nothing has begun.
        for (int p = 0; p < request.Prompts.Count; p++)
        {
            model.Require(request.Of(p, model, null), chat ? "messages" : "prompt");
        }

        using var cut = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var replies = new CompletionReplies(model, request);
        try
        {
            await (request.Stream ? StreamAsync(context, request, replies, cut) : WholeAsync(context, request, replies, cut));
        }
        finally
        {
            // However it ended, nothing is to be generated for it any more.
            await cut.CancelAsync();
        }
    }

    private async Task WholeAsync(HttpContext context, CompletionRequest request, CompletionReplies replies, CancellationTokenSource cut)
    {
        IReadOnlyList<Sample> samples = await GenerateAsync(request, request.Stops.Count == 0 ? null : replies.Ends, cut);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(replies.Whole(samples).ToJsonString(), context.RequestAborted);
    }

    // All prompts side by side; the first that fails takes the others with it, since there will be no reply.
    private async Task<IReadOnlyList<Sample>> GenerateAsync(CompletionRequest request, Func<int, ISampleProgress, bool>? onToken, CancellationTokenSource cut)
    {
        async Task<IReadOnlyList<Sample>> OfAsync(int prompt)
        {
            try
            {
                return await model.GenerateAsync(request.Of(prompt, model, onToken), cut.Token);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                await cut.CancelAsync();
                throw;
            }
        }

        Task<IReadOnlyList<Sample>>[] all = Enumerable.Range(0, request.Prompts.Count).Select(OfAsync).ToArray();
        await Task.WhenAll(all);
        return all.SelectMany(samples => samples.Result).ToArray();
    }

    private async Task StreamAsync(HttpContext context, CompletionRequest request, CompletionReplies replies, CancellationTokenSource cut)
    {
        var events = Channel.CreateUnbounded<JsonObject>();
        Task<IReadOnlyList<Sample>> work = GenerateAsync(
            request,
            (k, progress) =>
            {
                if (replies.Next(k, progress, out bool ends) is JsonObject piece)
                {
                    events.Writer.TryWrite(piece);
                }

                return ends;
            },
            cut);
        _ = work.ContinueWith(_ => events.Writer.TryComplete(), TaskScheduler.Default);
        // A request that fails at once says so by its status, which can still be set.
        if (!await events.Reader.WaitToReadAsync(context.RequestAborted))
        {
            await work;
        }

        context.Response.ContentType = "text/event-stream";
        await foreach (JsonObject piece in events.Reader.ReadAllAsync(context.RequestAborted))
        {
            await SendAsync(context, piece.ToJsonString());
        }

        try
        {
            foreach (JsonObject piece in replies.Endings(await work))
            {
                await SendAsync(context, piece.ToJsonString());
            }
        }
        catch (Exception failure) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The status is out; without this a client would take what it has for the whole.
            await SendAsync(context, errors.Explain(failure).ToJson().ToJsonString());
            return;
        }

        await SendAsync(context, "[DONE]");
    }

    private static async Task SendAsync(HttpContext context, string data)
    {
        await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
