using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Text;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.LlamaModel;

/// <summary>
/// A local model behind <see cref="IChatClient"/>. K samples of a prompt are one group: one prefill, one computation,
/// whose result hangs on model, prompt and seeds alone.
/// </summary>
internal sealed class LlamaChatClient(GenerationCheckpoint checkpoint, int threads) : IChatClient, IGroupSampler
{
    private const int DefaultMaxTokens = 512;

    private readonly LlamaTokenizer tokenizer = checkpoint.Tokenizer;
    private readonly ChatTemplate template = new(checkpoint.Tokenizer);
    private readonly LlamaSampler sampler = new(checkpoint.Model);

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ChatResponse> group = await SampleAsync(messages.ToArray(), options ?? new ChatOptions(), [options?.Seed ?? 0], cancellationToken);
        return group[0];
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatResponse response = await GetResponseAsync(messages, options, cancellationToken);
        foreach (ChatResponseUpdate update in response.ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    // Torch's gradient mode and dispose scopes belong to a thread, so a group runs on one thread from start to end.
    public Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken) =>
        Task.Run(() => Sample(messages, options, seeds, cancellationToken), cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // The provider unloads the model when its lease ends.
    }

    public void Unload() => checkpoint.Dispose();

    private IReadOnlyList<ChatResponse> Sample(IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
    {
        TorchRuntime.SetThreads(threads);
        int[] prompt = template.EncodePrompt(messages.Select(message => new DialogMessage(message.Role.Value, message.Text)).ToArray());
        var sampling = new SamplingOptions
        {
            Temperature = options.Temperature ?? 1,
            TopP = options.TopP ?? 1,
            TopK = options.TopK ?? 0,
            MinP = Extra(options, "min_p", 0),
            RepetitionPenalty = Extra(options, "repetition_penalty", 1),
            PresencePenalty = options.PresencePenalty ?? 0,
            FrequencyPenalty = options.FrequencyPenalty ?? 0,
            MaxNewTokens = options.MaxOutputTokens ?? DefaultMaxTokens,
            StopTokens = tokenizer.Specials.Stops,
            StopWhen = options.StopSequences is { Count: > 0 } stops ? ids => EndsAt(ids, stops) : null,
        };
        IReadOnlyList<Sample> samples = sampler.SampleGroup(prompt, seeds.Select(seed => (ulong)seed).ToArray(), sampling, cancellationToken);
        return samples.Select(sample => Response(sample, prompt.Length, options)).ToArray();
    }

    // Decoding all of a response at every token would be quadratic; what can complete a stop string is at the end.
    private bool EndsAt(IReadOnlyList<int> ids, IList<string> stops)
    {
        int longest = stops.Max(stop => System.Text.Encoding.UTF8.GetByteCount(stop));
        string tail = tokenizer.Decode(ids.Skip(Math.Max(0, ids.Count - longest)));
        return stops.Any(stop => tail.Contains(stop, StringComparison.Ordinal));
    }

    // What Microsoft's options have no place for.
    private static double Extra(ChatOptions options, string name, double otherwise) =>
        options.AdditionalProperties?.TryGetValue(name, out object? value) == true ? Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    private ChatResponse Response(Sample sample, int promptTokens, ChatOptions options)
    {
        string text = tokenizer.Decode(sample.Ids);
        bool stopped = sample.Finish == FinishReason.Stop;
        foreach (string stop in options.StopSequences ?? [])
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0)
            {
                text = text[..at];
                stopped = true;
            }
        }

        return new ChatResponse(new ChatMessage(ChatRole.Assistant, text))
        {
            FinishReason = stopped ? ChatFinishReason.Stop : ChatFinishReason.Length,
            Usage = new UsageDetails
            {
                InputTokenCount = promptTokens,
                OutputTokenCount = sample.Ids.Length + (sample.StopToken is null ? 0 : 1),
            },
        };
    }
}
