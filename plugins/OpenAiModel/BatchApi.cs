using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>A batch as the endpoint describes it.</summary>
/// <param name="Status">validating, in_progress, finalizing, completed, failed, expired, cancelling, cancelled.</param>
internal sealed record BatchDescription(string Id, string Status, string? OutputFile, string? ErrorFile, string? Problem)
{
    public bool IsOver => Status is "completed" or "failed" or "expired" or "cancelled";
}

/// <summary>The answer to one request of a batch, as the endpoint would have given it at once.</summary>
internal sealed record BatchAnswer(int Status, string Body);

/// <summary>The files and batches part of OpenAI's API (platform.openai.com/docs/api-reference/batch).</summary>
internal sealed class BatchApi : IDisposable
{
    private const string NameKey = "dataflow_batch";

    /// <summary>Of one request; a file of many megabytes takes its time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly HttpClient http;

    public BatchApi(Uri endpoint, string key)
    {
        http = new HttpClient { BaseAddress = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/"), Timeout = Patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public void Dispose() => http.Dispose();

    /// <summary>Uploads a JSONL file of requests.</summary>
    /// <returns>The file's id.</returns>
    public async Task<string> UploadAsync(string name, IEnumerable<string> lines, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        foreach (string line in lines)
        {
            bytes.Write(Encoding.UTF8.GetBytes(line));
            bytes.WriteByte((byte)'\n');
        }

        bytes.Position = 0;
        using var content = new StreamContent(bytes);
        using var form = new MultipartFormDataContent { { new StringContent("batch"), "purpose" }, { content, "file", name + ".jsonl" } };
        using HttpResponseMessage response = await http.PostAsync("files", form, cancellationToken);
        return (await ReadAsync(response, cancellationToken)).GetProperty("id").GetString()!;
    }

    /// <summary>Creates a batch that can be found by its name.</summary>
    public async Task<string> CreateAsync(string name, string file, TimeSpan window, CancellationToken cancellationToken)
    {
        var body = new
        {
            input_file_id = file,
            endpoint = "/v1/chat/completions",
            completion_window = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, window.TotalHours):0}h"),
            metadata = new Dictionary<string, string> { [NameKey] = name },
        };
        using HttpResponseMessage response = await http.PostAsJsonAsync("batches", body, cancellationToken);
        return (await ReadAsync(response, cancellationToken)).GetProperty("id").GetString()!;
    }

    /// <summary>The id of the batch that was created under a name; null if none was.</summary>
    public async Task<string?> FindAsync(string name, CancellationToken cancellationToken)
    {
        for (string? after = null; ;)
        {
            using HttpResponseMessage response = await http.GetAsync(new Uri("batches?limit=100" + (after is null ? "" : "&after=" + after), UriKind.Relative), cancellationToken);
            JsonElement page = await ReadAsync(response, cancellationToken);
            JsonElement[] batches = page.GetProperty("data").EnumerateArray().ToArray();
            foreach (JsonElement batch in batches)
            {
                if (batch.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind == JsonValueKind.Object
                    && metadata.TryGetProperty(NameKey, out JsonElement known) && known.GetString() == name)
                {
                    return batch.GetProperty("id").GetString();
                }
            }

            if (batches.Length == 0 || !page.TryGetProperty("has_more", out JsonElement more) || !more.GetBoolean())
            {
                return null;
            }

            after = batches[^1].GetProperty("id").GetString();
        }
    }

    public async Task<BatchDescription> GetAsync(string id, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri("batches/" + id, UriKind.Relative), cancellationToken);
        JsonElement batch = await ReadAsync(response, cancellationToken);
        string? Text(string name) => batch.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        string? problem = batch.TryGetProperty("errors", out JsonElement errors) && errors.ValueKind == JsonValueKind.Object ? errors.GetRawText() : null;
        return new BatchDescription(id, Text("status")!, Text("output_file_id"), Text("error_file_id"), problem);
    }

    /// <summary>The answers in an output or error file, by custom_id.</summary>
    public async Task<IReadOnlyList<(string Id, BatchAnswer Answer)>> ReadFileAsync(string file, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri($"files/{file}/content", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ThrowUnlessGoodAsync(response, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        var answers = new List<(string, BatchAnswer)>();
        while (await reader.ReadLineAsync(cancellationToken) is string line)
        {
            if (line.Trim().Length > 0)
            {
                answers.Add(Answer(line));
            }
        }

        return answers;
    }

    private static (string Id, BatchAnswer Answer) Answer(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        string id = root.GetProperty("custom_id").GetString()!;
        if (root.TryGetProperty("response", out JsonElement response) && response.ValueKind == JsonValueKind.Object)
        {
            return (id, new BatchAnswer(response.GetProperty("status_code").GetInt32(), response.GetProperty("body").GetRawText()));
        }

        // Not processed (expired, say): it may be tried again.
        string error = root.TryGetProperty("error", out JsonElement said) && said.ValueKind == JsonValueKind.Object ? said.GetRawText() : """{"message":"not processed"}""";
        return (id, new BatchAnswer(408, $$"""{"error":{{error}}}"""));
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await ThrowUnlessGoodAsync(response, cancellationToken);
        return await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    private static async Task ThrowUnlessGoodAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            string body = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new HttpRequestException($"HTTP {(int)response.StatusCode}: {body}", null, response.StatusCode);
        }
    }
}
