using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dataflow.Prove;

/// <summary>An endpoint on loopback with OpenAI's files and batches, which answers a batch after it was looked at a few times.</summary>
internal sealed class BatchEndpoint : IAsyncDisposable
{
    private const int LooksUntilDone = 3;
    private readonly WebApplication server;
    private readonly ConcurrentDictionary<string, string> files = new();
    private readonly ConcurrentDictionary<string, JsonObject> batches = new();
    private readonly ConcurrentDictionary<string, int> looks = new();

    public BatchEndpoint()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        server = builder.Build();
        server.Run(AnswerAsync);
        server.Start();
        Address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/v1";
    }

    public string Address { get; }

    /// <summary>The prompts of every request in a batch that was created.</summary>
    public ConcurrentQueue<string> Prompts { get; } = new();

    public int Batches => batches.Count;

    /// <summary>Called when a batch has been created, before the answer leaves.</summary>
    public Action Created { get; set; } = () => { };

    /// <summary>Called when a batch is looked at.</summary>
    public Action Looked { get; set; } = () => { };

    /// <summary>Status of a request's answer, by its prompt.</summary>
    public Func<string, int> Status { get; set; } = _ => 200;

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!["/v1/".Length..];
        bool post = HttpMethods.IsPost(context.Request.Method);
        object? answer = (path, post) switch
        {
            ("files", true) => await UploadAsync(context.Request),
            ("batches", true) => await CreateAsync(context.Request),
            ("batches", false) => new JsonObject { ["data"] = new JsonArray([.. batches.Values.Select(batch => batch.DeepClone())]), ["has_more"] = false },
            _ when path.StartsWith("batches/", StringComparison.Ordinal) => Look(path["batches/".Length..]),
            _ => files[path.Split('/')[1]],
        };
        await context.Response.WriteAsync(answer as string ?? JsonSerializer.Serialize(answer));
    }

    private async Task<JsonObject> UploadAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        string form = await reader.ReadToEndAsync();
        string id = $"file{files.Count}";
        files[id] = string.Join('\n', form.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith('{')));
        return new JsonObject { ["id"] = id };
    }

    private async Task<JsonObject> CreateAsync(HttpRequest request)
    {
        JsonObject asked = (await JsonNode.ParseAsync(request.Body))!.AsObject();
        var batch = new JsonObject
        {
            ["id"] = $"batch{batches.Count}", ["status"] = "in_progress", ["input_file_id"] = (string)asked["input_file_id"]!, ["metadata"] = asked["metadata"]!.DeepClone(),
        };
        batches[(string)batch["id"]!] = batch;
        foreach (JsonObject line in Requests(batch))
        {
            Prompts.Enqueue(Prompt(line));
        }

        Created();
        return batch;
    }

    private JsonObject Look(string id)
    {
        Looked();
        JsonObject batch = batches[id];
        if (looks.AddOrUpdate(id, 1, (_, count) => count + 1) < LooksUntilDone)
        {
            return batch;
        }

        string output = "out-" + id;
        files[output] = string.Join('\n', Requests(batch).Select(line => new JsonObject
        {
            ["custom_id"] = (string)line["custom_id"]!,
            ["response"] = new JsonObject { ["status_code"] = Status(Prompt(line)), ["body"] = Completion("answer to " + Prompt(line)) },
        }.ToJsonString()));
        return new JsonObject { ["id"] = id, ["status"] = "completed", ["output_file_id"] = output };
    }

    private IEnumerable<JsonObject> Requests(JsonObject batch) =>
        files[(string)batch["input_file_id"]!].Split('\n').Select(line => JsonNode.Parse(line)!.AsObject());

    private static string Prompt(JsonObject line) =>
        line["body"]!["messages"]!.AsArray()[^1]!["content"] is JsonArray parts ? (string)parts[0]!["text"]! : (string)line["body"]!["messages"]!.AsArray()[^1]!["content"]!;

    private static JsonNode Completion(string text) => JsonSerializer.SerializeToNode(ScriptedEndpoint.Completion(text))!;
}
