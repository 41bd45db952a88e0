using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>The part of OpenAI's HTTP interface that a text model can answer: models, chat, completions, embeddings.</summary>
internal sealed class OpenAiRoutes(ServedModel model, string? apiKey)
{
    public void Map(WebApplication app)
    {
        CancellationToken stopping = app.Lifetime.ApplicationStopping;
        var errors = new ApiErrors(apiKey, stopping);
        var completions = new CompletionEndpoint(model, errors, stopping);
        var embeddings = new EmbeddingEndpoint(model, stopping);
        app.Use(next => context => errors.HandleAsync(context, next));
        app.MapGet("/v1/models", () => Json(new JsonObject { ["object"] = "list", ["data"] = new JsonArray(Description()) }));
        app.MapGet("/v1/models/{**name}", (string name) =>
        {
            Require(name);
            return Json(Description());
        });
        app.MapPost("/v1/chat/completions", async context => await completions.CompleteAsync(context, await FieldsAsync(context), chat: true));
        app.MapPost("/v1/completions", async context => await completions.CompleteAsync(context, await FieldsAsync(context), chat: false));
        app.MapPost("/v1/embeddings", async context => await embeddings.EmbedAsync(context, await FieldsAsync(context)));
    }

    private static IResult Json(JsonNode body) => Results.Content(body.ToJsonString(), "application/json");

    private JsonObject Description() => new() { ["id"] = model.Name, ["object"] = "model", ["created"] = 0, ["owned_by"] = "dataflow" };

    // A request that names no model means the only one there is.
    private async Task<RequestFields> FieldsAsync(HttpContext context)
    {
        RequestFields fields = await RequestFields.ReadAsync(context);
        Require(fields.Text("model") ?? model.Name);
        return fields;
    }

    private void Require(string name)
    {
        if (name != model.Name)
        {
            throw new ApiException(404, $"The model '{name}' does not exist; '{model.Name}' is served here.", "model", "model_not_found");
        }
    }
}
