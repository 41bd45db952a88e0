using System.Text.RegularExpressions;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.AI;

namespace Dataflow.Cli.Testing;

/// <summary>Plays a model in a case.</summary>
internal sealed class ScriptedProvider(ScriptedModel options) : IModelProvider<IChatClient>
{
    /// <summary>The node with its provider replaced by a scripted one.</summary>
    public static ModelNode Replace(ModelNode node, ScriptedModel script) => node with
    {
        Descriptor = new ModelDescriptor("test.scripted", "", typeof(ScriptedProvider), typeof(ScriptedModel), [typeof(IChatClient)], false, node.Descriptor.Plugin),
        Options = script,
        FromStage = null,
        // What the script says is what becomes of a call.
        Limits = node.Limits with { Retries = 0 },
    };

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult("test:" + options.Name);

    public ValueTask<IChatClient> OpenAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IChatClient>(new ScriptedChatClient(options));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A model's replies. The position in each sequence belongs to the case's run.</summary>
internal sealed class ScriptedModel(string name, IReadOnlyList<TestReply> replies)
{
    private readonly (TestReply Reply, Regex? Pattern)[] script = replies.Select(reply => (reply, reply.Matches is null ? null : new Regex(reply.Matches, RegexOptions.None, TimeSpan.FromSeconds(5)))).ToArray();
    private readonly int[] used = new int[replies.Count];

    public string Name => name;

    /// <exception cref="ModelCallException">The script says so, or nothing in it fits.</exception>
    public string Answer(string prompt)
    {
        for (int i = 0; i < script.Length; i++)
        {
            (TestReply reply, Regex? pattern) = script[i];
            bool fits = (reply.Is is null || reply.Is == prompt) && (reply.Contains is null || prompt.Contains(reply.Contains, StringComparison.Ordinal)) && (pattern is null || pattern.IsMatch(prompt));
            if (!fits)
            {
                continue;
            }

            int turn = Interlocked.Increment(ref used[i]) - 1;
            if (reply.Status is int status && turn >= reply.Reply.Count)
            {
                throw new ModelCallException($"scripted failure {status}", status);
            }

            return reply.Reply.Count == 0 ? "" : reply.Reply[Math.Min(turn, reply.Reply.Count - 1)];
        }

        throw new ModelCallException($"the case has no reply of model '{name}' to: {Short(prompt)}", 400);
    }

    private static string Short(string text) => text.Length > 200 ? text[..200] + "…" : text;
}

/// <summary>Answers from a script.</summary>
internal sealed class ScriptedChatClient(ScriptedModel script) : IChatClient
{
    private const int MostCalls = 64;

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        string prompt = messages.Last().Text;
        string text = script.Answer(prompt);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, text))
        {
            FinishReason = ChatFinishReason.Stop,
            Usage = new UsageDetails { InputTokenCount = Words(prompt), OutputTokenCount = Words(text) },
        });
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType.IsInstanceOfType(this) ? this
        // There is no endpoint to find the limits of, or to wait for: a 429 is an answer like others.
        : serviceType == typeof(OfflineCalls) ? new OfflineCalls(MostCalls)
        : null;

    public void Dispose()
    {
        // Holds nothing.
    }

    // A scripted model has no tokenizer; words stand in for tokens.
    private static int Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
}
