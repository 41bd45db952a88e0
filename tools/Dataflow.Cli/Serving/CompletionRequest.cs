using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Text;

namespace Dataflow.Cli.Serving;

/// <summary>A request that cannot be answered; the message is the client's to read.</summary>
internal sealed class BadRequestException(string message, string? parameter = null) : Exception(message)
{
    public string? Parameter => parameter;
}

/// <summary>What OpenAI's chat and text completion requests have in common.</summary>
internal sealed record CompletionRequest(int[] Prompt, SamplingOptions Sampling, IReadOnlyList<ulong> Seeds, IReadOnlyList<string> Stops, bool Stream, bool StreamUsage, bool LogProbabilities, bool Chat)
{
    private const int MaxSamples = 64;

    public static CompletionRequest Parse(JsonObject body, ServedModel model, bool chat)
    {
        try
        {
            if (body["tools"] is not null)
            {
                throw new BadRequestException("tools are not supported", "tools");
            }

            int count = (int?)body["n"] ?? 1;
            if (count is < 1 or > MaxSamples)
            {
                throw new BadRequestException($"n must be 1 to {MaxSamples}", "n");
            }

            ulong seed = (ulong)((long?)body["seed"] ?? Random.Shared.NextInt64());
            bool logProbabilities = body["logprobs"] is JsonValue flag && (flag.GetValueKind() == JsonValueKind.True || (flag.GetValueKind() == JsonValueKind.Number && (int)flag > 0));
            var sampling = new SamplingOptions
            {
                Temperature = Within(body, "temperature", 0, 10, 1),
                TopP = Within(body, "top_p", 1e-9, 1, 1),
                TopK = (int)Within(body, "top_k", 0, int.MaxValue, 0),
                MinP = Within(body, "min_p", 0, 1, 0),
                RepetitionPenalty = Within(body, "repetition_penalty", 1e-3, 1e3, 1),
                MaxNewTokens = (int)Within(body, "max_completion_tokens", 1, int.MaxValue, Within(body, "max_tokens", 1, int.MaxValue, chat ? int.MaxValue : 16)),
                Alternatives = (int)Within(body, "top_logprobs", 0, 20, 0),
                StopTokens = model.Tokenizer.Specials.Stops,
            };
            string[] stops = body["stop"] switch { null => [], JsonArray list => list.Select(stop => (string)stop!).ToArray(), JsonNode one => [(string)one!] };
            int[] prompt = chat ? model.EncodeDialog(Messages(body)) : model.EncodeText((string?)body["prompt"] ?? throw new BadRequestException("prompt is missing", "prompt"));
            return new CompletionRequest(
                prompt, sampling, Enumerable.Range(0, count).Select(k => seed + ((ulong)k * 0x9E3779B97F4A7C15UL)).ToArray(), stops,
                (bool?)body["stream"] ?? false, (bool?)body["stream_options"]?["include_usage"] ?? false, logProbabilities, chat);
        }
        catch (Exception failure) when (failure is InvalidOperationException or FormatException or OverflowException)
        {
            throw new BadRequestException("a field of the request is of the wrong kind: " + failure.Message);
        }
    }

    private static double Within(JsonObject body, string name, double low, double high, double otherwise)
    {
        double value = (double?)body[name] ?? otherwise;
        return value >= low && value <= high ? value : throw new BadRequestException($"{name} must be {low} to {high}", name);
    }

    private static DialogMessage[] Messages(JsonObject body)
    {
        if (body["messages"] is not JsonArray { Count: > 0 } messages)
        {
            throw new BadRequestException("messages is missing or empty", "messages");
        }

        return messages.Select(message => new DialogMessage(Role((string?)message!["role"]), Text(message["content"]))).ToArray();
    }

    private static string Role(string? role) => role switch
    {
        "developer" or "system" => "system",
        "user" or "assistant" or "tool" or "ipython" => role,
        _ => throw new BadRequestException($"role '{role}' is not known", "messages"),
    };

    private static string Text(JsonNode? content) => content switch
    {
        null => "",
        JsonArray parts => string.Concat(parts.Select(part => (string?)part!["text"] ?? throw new BadRequestException("only text parts are supported", "messages"))),
        _ => (string)content!,
    };
}
