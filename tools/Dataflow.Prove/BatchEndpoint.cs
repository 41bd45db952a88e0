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
    private int listings;
    private int answeredAtOnce;

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

    /// <summary>Calls that were made without a batch.</summary>
    public int AnsweredAtOnce => answeredAtOnce;

    public int Files => files.Count(file => file.Key.StartsWith("file", StringComparison.Ordinal));

    /// <summary>Called when a file has been uploaded, before the answer leaves.</summary>
    public Action Uploaded { get; set; } = () => { };

    /// <summary>Called when a batch has been created, before the answer leaves.</summary>
    public Action Created { get; set; } = () => { };

    /// <summary>Called when a batch is looked at.</summary>
    public Action Looked { get; set; } = () => { };

    /// <summary>Status of the answer to the creation of the batch of that number, from 0; the batch is created in any case.</summary>
    public Func<int, int> CreationStatus { get; set; } = _ => 200;

    /// <summary>How the batch of that number ends: completed, failed, expired, cancelled. A failed one answers nothing, an expired or cancelled one half of its requests.</summary>
    public Func<int, string> End { get; set; } = _ => "completed";

    /// <summary>Status of a request's answer, by its prompt.</summary>
    public Func<string, int> Status { get; set; } = _ => 200;

    /// <summary>How often the list of batches is given without what is in it.</summary>
    public int EmptyListings { get; set; }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!["/v1/".Length..];
        bool post = HttpMethods.IsPost(context.Request.Method);
        object answer = (path, post) switch
        {
            ("models", false) => new JsonObject { ["data"] = new JsonArray() },
            ("chat/completions", true) => AnswerAtOnce(),
            ("files", true) => await UploadAsync(context.Request),
            ("batches", true) => await CreateAsync(context),
            ("batches", false) => List(),
            _ when path.StartsWith("batches/", StringComparison.Ordinal) => Look(path["batches/".Length..]),
            _ => files[path.Split('/')[1]],
        };
        await context.Response.WriteAsync(answer as string ?? JsonSerializer.Serialize(answer));
    }

    private object AnswerAtOnce()
    {
        Interlocked.Increment(ref answeredAtOnce);
        return ScriptedEndpoint.Completion("at once");
    }

    private async Task<JsonObject> UploadAsync(HttpRequest request)
    {
        IFormCollection form = await request.ReadFormAsync();
        using var reader = new StreamReader(form.Files.Single().OpenReadStream());
        string id = $"file{Files}";
        files[id] = (await reader.ReadToEndAsync()).Trim();
        Uploaded();
        return new JsonObject { ["id"] = id, ["purpose"] = (string)form["purpose"]! };
    }

    private async Task<JsonObject> CreateAsync(HttpContext context)
    {
        JsonObject asked = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
        int number = batches.Count;
        var batch = new JsonObject
        {
            ["id"] = $"batch{number}",
            ["status"] = "in_progress",
            ["input_file_id"] = (string)asked["input_file_id"]!,
            ["metadata"] = asked["metadata"]!.DeepClone(),
        };
        batches[(string)batch["id"]!] = batch;
        foreach (JsonObject line in Requests(batch))
        {
            Prompts.Enqueue(Prompt(line));
        }

        Created();
        context.Response.StatusCode = CreationStatus(number);
        return batch;
    }

    private JsonObject List()
    {
        bool empty = Interlocked.Increment(ref listings) <= EmptyListings;
        return new JsonObject { ["data"] = new JsonArray(empty ? [] : [.. batches.Values.Select(batch => batch.DeepClone())]), ["has_more"] = false };
    }

    private JsonObject Look(string id)
    {
        Looked();
        JsonObject batch = batches[id];
        if (looks.AddOrUpdate(id, 1, (_, count) => count + 1) < LooksUntilDone)
        {
            return batch;
        }

        string end = End(int.Parse(id["batch".Length..], System.Globalization.CultureInfo.InvariantCulture));
        var over = new JsonObject { ["id"] = id, ["status"] = end };
        if (end == "failed")
        {
            over["errors"] = new JsonObject { ["data"] = new JsonArray(new JsonObject { ["message"] = "enqueued token limit reached" }) };
            return over;
        }

        JsonObject[] requests = Requests(batch).ToArray();
        int answered = end == "completed" ? requests.Length : requests.Length / 2;
        JsonObject[] lines = requests.Select((line, i) => i < answered ? Answer(line) : Unanswered(line, end)).ToArray();
        bool IsGood(JsonObject line) => line["response"] is JsonObject response && (int)response["status_code"]! == 200;
        over["output_file_id"] = Keep("out-" + id, lines.Where(IsGood));
        if (end != "cancelled")
        {
            over["error_file_id"] = Keep("bad-" + id, lines.Where(line => !IsGood(line)));
        }

        return over;
    }

    private string Keep(string file, IEnumerable<JsonObject> lines)
    {
        files[file] = string.Join('\n', lines.Select(line => line.ToJsonString()));
        return file;
    }

    private JsonObject Answer(JsonObject request)
    {
        string prompt = Prompt(request);
        int status = Status(prompt);
        JsonNode body = status == 200
            ? JsonSerializer.SerializeToNode(ScriptedEndpoint.Completion("answer to " + prompt))!
            : new JsonObject { ["error"] = new JsonObject { ["message"] = "scripted failure" } };
        return new JsonObject { ["custom_id"] = (string)request["custom_id"]!, ["response"] = new JsonObject { ["status_code"] = status, ["body"] = body } };
    }

    private static JsonObject Unanswered(JsonObject request, string end) => new()
    {
        ["custom_id"] = (string)request["custom_id"]!,
        ["response"] = null,
        ["error"] = new JsonObject { ["code"] = "batch_" + end, ["message"] = "This request could not be executed in time." },
    };

    private IEnumerable<JsonObject> Requests(JsonObject batch) =>
        files[(string)batch["input_file_id"]!].Split('\n').Select(line => JsonNode.Parse(line)!.AsObject());

    private static string Prompt(JsonObject line) =>
        line["body"]!["messages"]!.AsArray()[^1]!["content"] is JsonArray parts ? (string)parts[0]!["text"]! : (string)line["body"]!["messages"]!.AsArray()[^1]!["content"]!;
}
