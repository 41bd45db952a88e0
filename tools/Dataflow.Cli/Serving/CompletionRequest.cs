using System.Globalization;
using System.Text.Json.Nodes;
using Dataflow.Torch.Generation;

namespace Dataflow.Cli.Serving;

/// <summary>What OpenAI's chat and text completion requests have in common.</summary>
/// <param name="Count">Samples of each prompt.</param>
/// <param name="Seeds">One a choice: those of the first prompt, of the second, and so on.</param>
/// <param name="MaxTokens">Most new tokens of each sample; null for as many as fit.</param>
internal sealed record CompletionRequest(IReadOnlyList<PromptInput> Prompts, int Count, ulong[] Seeds, SamplingOptions Sampling, int? MaxTokens, IReadOnlyList<string> Stops)
{
    private const int MostChoices = 1024;
    private const int MostStops = 64;
    private const int TextTokens = 16;

    public bool Chat { get; init; }

    public bool Stream { get; init; }

    public bool StreamUsage { get; init; }

    public bool LogProbabilities { get; init; }

    /// <summary>Each text begins with its prompt.</summary>
    public bool Echo { get; init; }

    /// <exception cref="ApiException">A field that cannot be served as it is.</exception>
    public static CompletionRequest Parse(RequestFields fields, ServedModel model, bool chat)
    {
        ParameterRules.CheckCompletion(fields, chat);
        bool logProbabilities = chat ? fields.Flag("logprobs") : fields.Integer("logprobs", 0, 20) is not null;
        int alternatives = fields.Integer(chat ? "top_logprobs" : "logprobs", 0, 20) ?? 0;
        if (alternatives > 0 && !logProbabilities)
        {
            throw ApiException.BadRequest("top_logprobs needs logprobs: true", "top_logprobs");
        }

        bool echo = !chat && fields.Flag("echo");
        if (echo && logProbabilities)
        {
            throw ApiException.Unsupported("echo", "log-probabilities of the prompt are not computed; leave out echo or logprobs");
        }

        PromptInput[] prompts = chat ? [new PromptInput(model.EncodeDialog(ChatMessages.Read(fields)), "")] : PromptInput.Read(fields, "prompt", model);
        int count = fields.Integer("n", 1, MostChoices) ?? 1;
        if (count * prompts.Length > MostChoices)
        {
            throw ApiException.BadRequest($"n times the number of prompts must be at most {MostChoices}", "n");
        }

        bool stream = fields.Flag("stream");
        return new CompletionRequest(
            prompts, count, SampleSeeds.Derive((ulong)(fields.Long("seed") ?? Random.Shared.NextInt64()), count * prompts.Length), ReadSampling(fields, model, alternatives),
            fields.Integer("max_completion_tokens", 1, int.MaxValue) ?? fields.Integer("max_tokens", 1, int.MaxValue) ?? (chat ? null : TextTokens), ReadStops(fields))
        {
            Chat = chat, Stream = stream, StreamUsage = ReadStreamUsage(fields, stream), LogProbabilities = logProbabilities, Echo = echo,
        };
    }

    /// <summary>The samples of one prompt.</summary>
    /// <param name="onToken">Told a choice's number and its new tokens.</param>
    public GenerationRequest Of(int prompt, ServedModel model, Func<int, ISampleProgress, bool>? onToken)
    {
        int[] ids = Prompts[prompt].Ids;
        // Where nothing fits the batcher is to say so, and why.
        int most = Math.Max(1, MaxTokens ?? model.MostNewTokens(ids.Length, Count));
        int first = prompt * Count;
        return new GenerationRequest(
            ids, Seeds[first..(first + Count)], Sampling with { MaxNewTokens = most }, onToken is null ? null : (k, progress) => onToken(first + k, progress));
    }

    private static SamplingOptions ReadSampling(RequestFields fields, ServedModel model, int alternatives) => new()
    {
        Temperature = fields.Number("temperature", 0, 10, 1),
        TopP = fields.Number("top_p", 1e-9, 1, 1),
        TopK = fields.Integer("top_k", -1, int.MaxValue) is int k and > 0 ? k : 0,
        MinP = fields.Number("min_p", 0, 1, 0),
        RepetitionPenalty = fields.Number("repetition_penalty", 1e-3, 1e3, 1),
        PresencePenalty = fields.Number("presence_penalty", -2, 2, 0),
        FrequencyPenalty = fields.Number("frequency_penalty", -2, 2, 0),
        LogitBias = (fields.Object("logit_bias") ?? []).ToDictionary(bias => Token(bias.Key, model), bias => Bias(bias.Value)),
        Alternatives = alternatives,
        StopTokens = model.Tokenizer.Stops,
    };

    private static int Token(string key, ServedModel model) =>
        int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < model.VocabSize && key == id.ToString(CultureInfo.InvariantCulture)
            ? id
            : throw ApiException.BadRequest($"logit_bias: '{key}' is no token id; the model has 0 to {model.VocabSize - 1}", "logit_bias");

    private static double Bias(JsonNode? value) =>
        value is JsonValue number && number.GetValueKind() == System.Text.Json.JsonValueKind.Number && number.TryGetValue(out double bias) && Math.Abs(bias) <= 100
            ? bias
            : throw ApiException.BadRequest("logit_bias: a bias must be a number from -100 to 100", "logit_bias");

    // An empty text is in every text: taken as a stop it would leave nothing, so it stands for none.
    private static string[] ReadStops(RequestFields fields)
    {
        string[] stops = fields["stop"] switch
        {
            null => [],
            JsonArray list => list.Select((stop, i) => RequestFields.Text(stop, $"stop[{i}]")).ToArray(),
            JsonNode one => [RequestFields.Text(one, "stop")],
        };
        return stops.Length <= MostStops ? stops.Where(stop => stop.Length > 0).ToArray() : throw ApiException.BadRequest($"stop must hold at most {MostStops} texts", "stop");
    }

    private static bool ReadStreamUsage(RequestFields fields, bool stream)
    {
        if (fields.Object("stream_options") is not JsonObject options)
        {
            return false;
        }

        if (!stream)
        {
            throw ApiException.BadRequest("stream_options needs stream: true", "stream_options");
        }

        foreach ((string name, JsonNode? value) in options)
        {
            if (name != "include_usage" && RequestFields.Flag(value, "stream_options." + name))
            {
                throw ApiException.Unsupported("stream_options." + name);
            }
        }

        return RequestFields.Flag(options["include_usage"], "stream_options.include_usage");
    }
}
