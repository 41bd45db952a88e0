using System.Text;
using System.Text.Json.Nodes;
using Dataflow.Torch.Generation;

namespace Dataflow.Cli.Serving;

/// <summary>Writes replies as OpenAI's interface has them.</summary>
internal sealed class CompletionReplies(ServedModel model, CompletionRequest request)
{
    private readonly string id = (request.Chat ? "chatcmpl-" : "cmpl-") + Guid.NewGuid().ToString("N");
    private readonly long created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>The reply that is not streamed.</summary>
    public JsonObject Whole(IReadOnlyList<Sample> samples, TextStream[] texts)
    {
        var choices = new JsonArray();
        for (int k = 0; k < samples.Count; k++)
        {
            string text = texts[k].Take(samples[k].Ids, last: true);
            JsonObject choice = Choice(k, Finish(samples[k], texts[k]));
            if (request.Chat)
            {
                choice["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text };
                choice["logprobs"] = request.LogProbabilities ? new JsonObject { ["content"] = LogProbabilities(samples[k]) } : null;
            }
            else
            {
                choice["text"] = text;
                choice["logprobs"] = null;
            }

            choices.Add(choice);
        }

        JsonObject reply = Envelope(request.Chat ? "chat.completion" : "text_completion", choices);
        reply["usage"] = Usage(samples);
        return reply;
    }

    /// <summary>A piece of a streamed reply.</summary>
    public JsonObject Delta(int k, string text)
    {
        JsonObject choice = Choice(k, null);
        if (request.Chat)
        {
            choice["delta"] = new JsonObject { ["role"] = "assistant", ["content"] = text };
        }
        else
        {
            choice["text"] = text;
        }

        return Envelope(request.Chat ? "chat.completion.chunk" : "text_completion", [choice]);
    }

    /// <summary>What follows the pieces: the rest of each text, why it ended, and the usage if it is asked for.</summary>
    public IEnumerable<JsonObject> Endings(IReadOnlyList<Sample> samples, TextStream[] texts)
    {
        for (int k = 0; k < samples.Count; k++)
        {
            JsonObject last = Delta(k, texts[k].Take(samples[k].Ids, last: true));
            last["choices"]![0]!["finish_reason"] = Finish(samples[k], texts[k]);
            yield return last;
        }

        if (request.StreamUsage)
        {
            JsonObject usage = Envelope(request.Chat ? "chat.completion.chunk" : "text_completion", []);
            usage["usage"] = Usage(samples);
            yield return usage;
        }
    }

    private static string Finish(Sample sample, TextStream text) => sample.Finish == FinishReason.Stop || text.Stopped ? "stop" : "length";

    private static JsonObject Choice(int k, string? finish) => new() { ["index"] = k, ["finish_reason"] = finish };

    private JsonObject Envelope(string kind, JsonArray choices) => new() { ["id"] = id, ["object"] = kind, ["created"] = created, ["model"] = model.Name, ["choices"] = choices };

    private JsonObject Usage(IReadOnlyList<Sample> samples)
    {
        int made = samples.Sum(sample => sample.Tokens.Count);
        return new JsonObject { ["prompt_tokens"] = request.Prompt.Length, ["completion_tokens"] = made, ["total_tokens"] = request.Prompt.Length + made };
    }

    private JsonArray LogProbabilities(Sample sample)
    {
        var list = new JsonArray();
        for (int t = 0; t < sample.Tokens.Count; t++)
        {
            JsonObject token = Token(sample.Tokens[t]);
            token["top_logprobs"] = new JsonArray([.. sample.Alternatives[t].Select(Token)]);
            list.Add(token);
        }

        return list;
    }

    private JsonObject Token(TokenProbability token)
    {
        string text = model.Tokenizer.SpellingOf(token.Token) ?? model.Tokenizer.Decode([token.Token]);
        return new JsonObject { ["token"] = text, ["logprob"] = token.LogProbability, ["bytes"] = new JsonArray([.. Encoding.UTF8.GetBytes(text).Select(b => (JsonNode)(int)b)]) };
    }
}
