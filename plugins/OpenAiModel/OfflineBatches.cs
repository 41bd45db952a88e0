using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dataflow.Abstractions;
using Microsoft.Extensions.Logging;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>
/// Collects requests into batches and hands out their answers. A request's id is the hash of its body. Before a batch is
/// created, the run's journal is told its name and its requests; after, its id. So a request that is asked again, by a
/// resumed run, is looked for in the batch it went into; a batch that was created but whose id was not noted is found
/// by its name among the endpoint's batches; and nothing is submitted twice. A batch that the endpoint refuses as a whole,
/// or that somebody cancels, stops the run: its requests are not answered with errors.
/// </summary>
internal sealed class OfflineBatches(BatchApi api, BatchOptions options, IModelNotes notes, ILogger logger) : IAsyncDisposable
{
    /// <summary>Most characters in a file; OpenAI takes 200 MB.</summary>
    private const int MostCharacters = 100_000_000;

    private readonly Lock gate = new();
    private readonly CancellationTokenSource closing = new();
    private readonly Dictionary<string, TaskCompletionSource<BatchAnswer>> open = new(StringComparer.Ordinal);
    private readonly HashSet<string> followed = new(StringComparer.Ordinal);
    private readonly List<Task> work = [];
    private readonly Dictionary<string, string> collecting = new(StringComparer.Ordinal);
    private DateTime arrivedAt;
    private bool isCollecting;

    public OfflineCalls Calls { get; } = new(options.MaxRequests);

    /// <summary>Waits for the answer to a request, which may take as long as the batch.</summary>
    public async Task<BatchAnswer> AskAsync(string body, CancellationToken cancellationToken)
    {
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        TaskCompletionSource<BatchAnswer>? answer;
        lock (gate)
        {
            if (!open.TryGetValue(id, out answer))
            {
                answer = open[id] = new TaskCompletionSource<BatchAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
                Place(id, body);
            }
        }

        try
        {
            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            if (answer.Task.IsCompleted)
            {
                lock (gate)
                {
                    open.Remove(id);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        Task[] all;
        lock (gate)
        {
            all = [.. work];
        }

        await Task.WhenAll(all);
        api.Dispose();
        closing.Dispose();
    }

    private void Place(string id, string body)
    {
        collecting[id] = body;
        if (notes.Find("request:" + id) is { Length: > 0 } name)
        {
            if (followed.Add(name))
            {
                Start(() => FindAgainAsync(name));
            }

            return;
        }

        arrivedAt = DateTime.UtcNow;
        if (collecting.Count >= options.MaxRequests)
        {
            Submit();
        }
        else if (!isCollecting)
        {
            isCollecting = true;
            Start(CollectAsync);
        }
    }

    // Until no request has come for a while.
    private async Task CollectAsync()
    {
        while (true)
        {
            TimeSpan left;
            lock (gate)
            {
                left = arrivedAt + options.Collect - DateTime.UtcNow;
                if (left <= TimeSpan.Zero)
                {
                    isCollecting = false;
                    Submit();
                    return;
                }
            }

            await Task.Delay(left, closing.Token);
        }
    }

    private void Submit()
    {
        KeyValuePair<string, string>[] mine = collecting.Where(request => string.IsNullOrEmpty(notes.Find("request:" + request.Key))).ToArray();
        foreach (string id in mine.Select(request => request.Key))
        {
            collecting.Remove(id);
        }

        long characters = 0;
        var files = new List<List<KeyValuePair<string, string>>>();
        foreach (KeyValuePair<string, string> request in mine)
        {
            if (files.Count == 0 || (characters += request.Value.Length) > MostCharacters)
            {
                files.Add([]);
                characters = request.Value.Length;
            }

            files[^1].Add(request);
        }

        files.ForEach(file => Start(() => SubmitAsync(file)));
    }

    private async Task SubmitAsync(IReadOnlyList<KeyValuePair<string, string>> requests)
    {
        string name = Guid.CreateVersion7().ToString("N");
        await notes.SaveAsync([("batch:" + name, ""), .. requests.Select(request => ("request:" + request.Key, name))]);
        lock (gate)
        {
            followed.Add(name);
        }

        string[] lines = requests.Select(request => $$"""{"custom_id":"{{request.Key}}","method":"POST","url":"/v1/chat/completions","body":{{OneLine(request.Value)}}}""").ToArray();
        string file = await PatientlyAsync(() => api.UploadAsync(name, lines, closing.Token));
        string batch = await CreateOnceAsync(name, file);
        await notes.SaveAsync([("batch:" + name, batch)]);
        logger.LogInformation("batch {Batch} of {Count} requests submitted", batch, requests.Count);
        await FollowAsync(name, batch, requests.Select(request => request.Key).ToArray());
    }

    // A creation that failed may have been carried out all the same.
    private async Task<string> CreateOnceAsync(string name, string file)
    {
        bool asked = false;
        return await PatientlyAsync(async () =>
        {
            if (asked && await FindSettledAsync(name) is string created)
            {
                return created;
            }

            asked = true;
            return await api.CreateAsync(name, file, options.Window, closing.Token);
        });
    }

    // A batch just created may not be listed yet, and a creation that was on its way at a kill may yet be carried out.
    private async Task<string?> FindSettledAsync(string name)
    {
        if (await api.FindAsync(name, closing.Token) is string at)
        {
            return at;
        }

        await Task.Delay(options.Settle, closing.Token);
        return await api.FindAsync(name, closing.Token);
    }

    // A batch of an earlier attempt: whatever of it is asked for again gets its answer.
    private async Task FindAgainAsync(string name)
    {
        string? batch = notes.Find("batch:" + name) is { Length: > 0 } known ? known : await PatientlyAsync(() => FindSettledAsync(name));
        if (batch is null)
        {
            // Killed before it was created: its requests are as if never collected.
            await ReleaseAsync(name);
            return;
        }

        await notes.SaveAsync([("batch:" + name, batch)]);
        logger.LogInformation("batch {Batch} of an earlier attempt is followed", batch);
        await FollowAsync(name, batch, null);
    }

    private async Task ReleaseAsync(string name)
    {
        string[] ids;
        lock (gate)
        {
            ids = AskedOf(name);
        }

        await notes.SaveAsync(ids.Select(id => ("request:" + id, "")).ToArray());
        lock (gate)
        {
            followed.Remove(name);
            foreach (string id in ids.Where(collecting.ContainsKey).Union(AskedOf(name)).ToArray())
            {
                Place(id, collecting[id]);
            }
        }
    }

    // Requests of a batch that are waited for, and that this attempt did not put into it.
    private string[] AskedOf(string name) => collecting.Keys.Where(id => notes.Find("request:" + id) == name).ToArray();

    /// <param name="requests">Ids that it holds; null if they are known only from the answers.</param>
    private async Task FollowAsync(string name, string batch, string[]? requests)
    {
        BatchDescription description;
        while (!(description = await PatientlyAsync(() => api.GetAsync(batch, closing.Token))).IsOver)
        {
            await Task.Delay(options.Poll, closing.Token);
        }

        var answers = new Dictionary<string, BatchAnswer>(StringComparer.Ordinal);
        foreach (string file in new[] { description.OutputFile, description.ErrorFile }.OfType<string>())
        {
            foreach ((string id, BatchAnswer answer) in await PatientlyAsync(() => api.ReadFileAsync(file, closing.Token)))
            {
                answers[id] = answer;
            }
        }

        string[] missing;
        lock (gate)
        {
            missing = (requests ?? AskedOf(name)).Except(answers.Keys).ToArray();
        }

        // A failed request that is tried again, now or by a resume, must go into a new batch.
        string[] again = answers.Where(answer => answer.Value.Status != 200).Select(answer => answer.Key).Concat(missing).ToArray();
        await notes.SaveAsync(again.Select(id => ("request:" + id, "")).ToArray());
        Complete(name, answers, missing, description);
    }

    private void Complete(string name, Dictionary<string, BatchAnswer> answers, string[] missing, BatchDescription description)
    {
        string problem = $"batch {description.Id} is {description.Status} {description.Problem}".TrimEnd();
        bool isOff = description.Status is "failed" or "cancelled";
        lock (gate)
        {
            foreach ((string id, BatchAnswer answer) in answers)
            {
                Complete(id, answer);
            }

            foreach (string id in missing)
            {
                if (isOff)
                {
                    collecting.Remove(id);
                    open.GetValueOrDefault(id)?.TrySetException(new StageFailedException($"{problem}; a resume submits anew what it left unanswered"));
                }
                else
                {
                    Complete(id, new BatchAnswer(408, JsonSerializer.Serialize(new { error = new { message = problem } })));
                }
            }

            // From here on a request of this batch has to fetch its answer anew, as one that came in between does.
            followed.Remove(name);
            foreach (string id in AskedOf(name))
            {
                Place(id, collecting[id]);
            }
        }
    }

    private void Complete(string id, BatchAnswer answer)
    {
        collecting.Remove(id);
        if (!open.TryGetValue(id, out TaskCompletionSource<BatchAnswer>? waiting))
        {
            // Of an earlier attempt, and not asked for again yet.
            waiting = open[id] = new TaskCompletionSource<BatchAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.TrySetResult(answer);
    }

    // The endpoint may be away for a while in hours of waiting; what it refuses it will refuse again.
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> call)
    {
        for (int failures = 0; ; failures++)
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (!closing.IsCancellationRequested && IsPassing(failure))
            {
                if (failures == 0)
                {
                    logger.LogWarning("the batch API does not answer ({Failure}); trying again", failure.Message);
                }

                await Task.Delay(TimeSpan.FromSeconds(Math.Min(60, 1 << Math.Min(failures, 6))), closing.Token);
            }
        }
    }

    private static bool IsPassing(Exception failure) => failure switch
    {
        HttpRequestException { StatusCode: HttpStatusCode status } => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
        HttpRequestException or IOException or JsonException or TaskCanceledException => true,
        _ => false,
    };

    private void Start(Func<Task> run)
    {
        async Task GuardAsync()
        {
            try
            {
                await run();
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                // Found again by a resume.
            }
            catch (Exception failure)
            {
                var cause = new StageFailedException($"the batch API cannot be used: {failure.Message}", failure);
                lock (gate)
                {
                    foreach (TaskCompletionSource<BatchAnswer> waiting in open.Values)
                    {
                        waiting.TrySetException(cause);
                    }
                }
            }
        }

        work.RemoveAll(task => task.IsCompleted);
        work.Add(Task.Run(GuardAsync));
    }

    private static string OneLine(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement);
    }
}
