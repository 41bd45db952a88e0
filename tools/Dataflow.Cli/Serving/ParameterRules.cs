using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Cli.Serving;

/// <summary>
/// What is refused rather than ignored: a field that would change the answer and is not implemented. Its default passes, since
/// many clients send it; so do fields that change no answer.
/// </summary>
internal static class ParameterRules
{
    private static readonly HashSet<string> WithoutEffect = ["user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls"];

    private static readonly HashSet<string> Sampling =
    [
        "model", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "logit_bias", "max_tokens", "n", "seed", "stop", "stream", "stream_options", "logprobs",
    ];

    private static readonly HashSet<string> Chat = [.. Sampling, "messages", "max_completion_tokens", "top_logprobs"];
    private static readonly HashSet<string> Completions = [.. Sampling, "prompt", "echo"];
    private static readonly HashSet<string> Embeddings = ["model", "input", "encoding_format", "dimensions"];

    /// <exception cref="ApiException">A field that is not known, or known with its default value only.</exception>
    public static void CheckCompletion(RequestFields fields, bool chat) => Check(fields, chat ? Chat : Completions);

    /// <inheritdoc cref="CheckCompletion"/>
    public static void CheckEmbedding(RequestFields fields) => Check(fields, Embeddings);

    private static void Check(RequestFields fields, HashSet<string> known)
    {
        foreach (string name in fields.Names)
        {
            if (!known.Contains(name) && !WithoutEffect.Contains(name) && !IsDefault(name, fields[name]!))
            {
                throw ApiException.Unsupported(name);
            }
        }
    }

    private static bool IsDefault(string name, JsonNode value) => name switch
    {
        "tools" or "functions" => value is JsonArray { Count: 0 },
        "tool_choice" or "function_call" => Is(value, "none") || Is(value, "auto"),
        "response_format" => value is JsonObject { Count: 1 } format && Is(format["type"], "text"),
        "modalities" => value is JsonArray { Count: 1 } kinds && Is(kinds[0], "text"),
        "service_tier" => Is(value, "auto") || Is(value, "default"),
        "reasoning_effort" => Is(value, "none"),
        "verbosity" => Is(value, "medium"),
        "suffix" => Is(value, ""),
        "best_of" => RequestFields.Integer(value) == 1,
        "store" => value.GetValueKind() == JsonValueKind.False,
        _ => false,
    };

    private static bool Is(JsonNode? value, string text) => value?.GetValueKind() == JsonValueKind.String && value.ToString() == text;
}
