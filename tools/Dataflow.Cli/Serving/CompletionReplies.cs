using System.Text.Json.Nodes;
using Dataflow.Torch.Generation;

namespace Dataflow.Cli.Serving;

/// <summary>Writes the reply to one request as OpenAI's interface has it, whole or in pieces.</summary>
internal sealed class CompletionReplies
{
    private readonly ServedModel model;
    private readonly CompletionRequest request;
    private readonly string id;
    private readonly long created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly TextStream[] texts;
    private readonly LogProbabilities[] probabilities;
    private readonly bool[] begun;

    public CompletionReplies(ServedModel model, CompletionRequest request)
    {
        this.model = model;
        this.request = request;
        id = (request.Chat ? "chatcmpl-" : "cmpl-") + Guid.NewGuid().ToString("N");
        texts = request.Seeds.Select(_ => new TextStream(model.Tokenizer, request.Stops)).ToArray();
        probabilities = request.Seeds.Select(_ => new LogProbabilities(model.Tokenizer, request.Sampling.Alternatives > 0)).ToArray();
        begun = new bool[request.Seeds.Length];
    }

    /// <summary>The reply that is not streamed.</summary>
    public JsonObject Whole(IReadOnlyList<Sample> samples)
    {
        var choices = new JsonArray();
        for (int k = 0; k < samples.Count; k++)
        {
            // Not the stream that looked for stop strings on the way: it has given out most of the text.
            var stream = new TextStream(model.Tokenizer, request.Stops);
            string text = stream.Take(samples[k].Ids, last: true);
            JsonObject choice = Choice(k, Finish(samples[k], stream), request.LogProbabilities ? Probabilities(k, samples[k].Tokens, samples[k].Alternatives) : null);
            if (request.Chat)
            {
                choice["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text };
            }
            else
            {
                choice["text"] = Echoed(k) + text;
            }

            choices.Add(choice);
        }

        JsonObject reply = Envelope(request.Chat ? "chat.completion" : "text_completion", choices);
        reply["usage"] = Usage(samples);
        return reply;
    }

    /// <summary>Whether a stop string ends the choice here, in a reply that is not streamed.</summary>
    public bool Ends(int k, ISampleProgress progress)
    {
        texts[k].Take(progress.Ids, last: false);
        return texts[k].Stopped;
    }

    /// <summary>The next piece of a choice; null while there is nothing that can be given out.</summary>
    /// <param name="ends">A stop string ends the choice here.</param>
    public JsonObject? Next(int k, ISampleProgress progress, out bool ends)
    {
        string text = texts[k].Take(progress.Ids, last: false);
        ends = texts[k].Stopped;
        return text.Length == 0 ? null : Piece(k, text, null, progress.Tokens, progress.Alternatives);
    }

    /// <summary>What follows the pieces: the rest of each text, why it ended, and the usage if it is asked for.</summary>
    public IEnumerable<JsonObject> Endings(IReadOnlyList<Sample> samples)
    {
        for (int k = 0; k < samples.Count; k++)
        {
            string text = texts[k].Take(samples[k].Ids, last: true);
            yield return Piece(k, text, Finish(samples[k], texts[k]), samples[k].Tokens, samples[k].Alternatives);
        }

        if (request.StreamUsage)
        {
            JsonObject usage = Envelope(Kind, []);
            usage["usage"] = Usage(samples);
            yield return usage;
        }
    }

    private string Kind => request.Chat ? "chat.completion.chunk" : "text_completion";

    private JsonObject Piece(int k, string text, string? finish, IReadOnlyList<TokenProbability> tokens, IReadOnlyList<TokenProbability[]> others)
    {
        JsonObject choice = Choice(k, finish, request.LogProbabilities ? Probabilities(k, tokens, others) : null);
        bool first = !begun[k];
        begun[k] = true;
        if (request.Chat)
        {
            var delta = new JsonObject { ["content"] = text };
            if (first)
            {
                delta["role"] = "assistant";
            }

            choice["delta"] = delta;
        }
        else
        {
            choice["text"] = (first ? Echoed(k) : "") + text;
        }

        JsonObject piece = Envelope(Kind, [choice]);
        if (request.StreamUsage)
        {
            piece["usage"] = null;
        }

        return piece;
    }

    private JsonObject Probabilities(int k, IReadOnlyList<TokenProbability> tokens, IReadOnlyList<TokenProbability[]> others) =>
        request.Chat ? probabilities[k].Chat(tokens, others) : probabilities[k].Completion(tokens, others);

    private string Echoed(int k) => request.Echo ? request.Prompts[k / request.Count].Text : "";

    private static string Finish(Sample sample, TextStream text) => sample.Finish == FinishReason.Stop || text.Stopped ? "stop" : "length";

    private static JsonObject Choice(int k, string? finish, JsonObject? logProbabilities) => new() { ["index"] = k, ["finish_reason"] = finish, ["logprobs"] = logProbabilities };

    private JsonObject Envelope(string kind, JsonArray choices) => new() { ["id"] = id, ["object"] = kind, ["created"] = created, ["model"] = model.Name, ["choices"] = choices };

    private JsonObject Usage(IReadOnlyList<Sample> samples)
    {
        int made = samples.Sum(sample => sample.Tokens.Count);
        int given = request.Prompts.Sum(prompt => prompt.Ids.Length);
        return new JsonObject { ["prompt_tokens"] = given, ["completion_tokens"] = made, ["total_tokens"] = given + made };
    }
}
