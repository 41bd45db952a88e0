using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>Embeddings of texts, as lists of numbers or base64.</summary>
/// <param name="stopping">The server is shutting down: what still runs is cut off.</param>
internal sealed class EmbeddingEndpoint(ServedModel model, CancellationToken stopping)
{
    public async Task EmbedAsync(HttpContext context, RequestFields fields)
    {
        ParameterRules.CheckEmbedding(fields);
        if (fields.Integer("dimensions", 1, int.MaxValue) is int dimensions && dimensions != model.HiddenSize)
        {
            throw ApiException.Unsupported("dimensions", $"embeddings have {model.HiddenSize} numbers and cannot be shortened");
        }

        bool base64 = fields.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw ApiException.BadRequest("encoding_format must be float or base64", "encoding_format"),
        };
        PromptInput[] inputs = PromptInput.Read(fields, "input", model);
        if (inputs.FirstOrDefault(input => input.Ids.Length > model.ContextLength) is PromptInput tooLong)
        {
            throw ApiException.BadRequest($"an input of {tooLong.Ids.Length} tokens is longer than the context of {model.ContextLength}", "input", "context_length_exceeded");
        }

        if (inputs.Any(input => input.Ids.Length == 0))
        {
            throw ApiException.BadRequest("an input is empty, and this model's tokenizer puts nothing before it", "input");
        }

        using var cut = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var data = new JsonArray();
        foreach (PromptInput input in inputs)
        {
            float[] vector = await model.EmbedAsync(input.Ids, cut.Token);
            JsonNode value = base64
                ? JsonValue.Create(Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector)))
                : new JsonArray([.. vector.Select(number => (JsonNode)number)]);
            data.Add(new JsonObject { ["object"] = "embedding", ["index"] = data.Count, ["embedding"] = value });
        }

        int tokens = inputs.Sum(input => input.Ids.Length);
        var reply = new JsonObject { ["object"] = "list", ["model"] = model.Name, ["data"] = data, ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens } };
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(reply.ToJsonString(), context.RequestAborted);
    }
}
