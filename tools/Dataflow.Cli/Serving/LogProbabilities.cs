using System.Text;
using System.Text.Json.Nodes;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Text;

namespace Dataflow.Cli.Serving;

/// <summary>
/// Log-probabilities of a sample's tokens as OpenAI's interface has them, piece by piece as they come. A token that is no whole
/// characters is spelt by its bytes (<c>bytes:\xe2\x82</c>), so that different tokens have different names.
/// </summary>
internal sealed class LogProbabilities(LlamaTokenizer tokenizer, bool alternatives)
{
    // JSON has no infinity; OpenAI writes this for a token that could not come.
    private const double Least = -9999;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    private int told;
    private int offset;

    /// <summary>Of the tokens that have come since: the form of chats.</summary>
    public JsonObject Chat(IReadOnlyList<TokenProbability> tokens, IReadOnlyList<TokenProbability[]> others)
    {
        var list = new JsonArray();
        for (; told < tokens.Count; told++)
        {
            JsonObject token = Entry(tokens[told]);
            token["top_logprobs"] = new JsonArray([.. others[told].Select(Entry)]);
            list.Add(token);
        }

        return new JsonObject { ["content"] = list };
    }

    /// <summary>Of the tokens that have come since: the form of completions.</summary>
    public JsonObject Completion(IReadOnlyList<TokenProbability> tokens, IReadOnlyList<TokenProbability[]> others)
    {
        (JsonArray names, JsonArray values, JsonArray top, JsonArray offsets) = ([], [], [], []);
        for (; told < tokens.Count; told++)
        {
            names.Add(Name(tokens[told].Token));
            values.Add(Value(tokens[told]));
            offsets.Add(Pass(tokenizer.TextOf(tokens[told].Token)));
            var best = new JsonObject();
            foreach (TokenProbability other in others[told].Prepend(tokens[told]))
            {
                best[Name(other.Token)] ??= Value(other);
            }

            top.Add(best);
        }

        return new JsonObject { ["tokens"] = names, ["token_logprobs"] = values, ["top_logprobs"] = alternatives ? top : null, ["text_offset"] = offsets };
    }

    // Where a token's text begins. What came before it and was no whole character ends there, unless the token goes on with it.
    private int Pass(ReadOnlySpan<byte> bytes)
    {
        const int Continues = 0x80;
        Span<char> characters = new char[bytes.Length + 4];
        if (!bytes.IsEmpty && (bytes[0] & 0xC0) != Continues)
        {
            offset += decoder.GetChars([], characters, flush: true);
        }

        int begin = offset;
        offset += decoder.GetChars(bytes, characters, flush: false);
        return begin;
    }

    private static double Value(TokenProbability token) => Math.Max(Least, token.LogProbability);

    private JsonObject Entry(TokenProbability token)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TextOf(token.Token);
        return new JsonObject
        {
            ["token"] = Name(token.Token),
            ["logprob"] = Value(token),
            // A special token adds nothing to the text.
            ["bytes"] = bytes.IsEmpty ? null : new JsonArray([.. bytes.ToArray().Select(one => (JsonNode)(int)one)]),
        };
    }

    private string Name(int id)
    {
        if (tokenizer.SpellingOf(id) is string special)
        {
            return special;
        }

        try
        {
            return Strict.GetString(tokenizer.TextOf(id));
        }
        catch (DecoderFallbackException)
        {
            return "bytes:" + string.Concat(tokenizer.TextOf(id).ToArray().Select(one => $"\\x{one:x2}"));
        }
    }
}
