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
/// by its name among the endpoint's batches; and nothing is submitted twice.
/// </summary>
internal sealed class OfflineBatches(BatchApi api, BatchOptions options, IModelNotes notes, ILogger logger) : IAsyncDisposable
{
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

        if (mine.Length > 0)
        {
            Start(() => SubmitAsync(mine));
        }
    }

    private async Task SubmitAsync(KeyValuePair<string, string>[] requests)
    {
        string name = Guid.CreateVersion7().ToString("N");
        await notes.SaveAsync([("batch:" + name, ""), .. requests.Select(request => ("request:" + request.Key, name))]);
        lock (gate)
        {
            followed.Add(name);
        }

        string[] lines = requests.Select(request => $$"""{"custom_id":"{{request.Key}}","method":"POST","url":"/v1/chat/completions","body":{{OneLine(request.Value)}}}""").ToArray();
        string file = await PatientlyAsync(() => api.UploadAsync(name, lines, closing.Token));
        string batch = await PatientlyAsync(async () => await api.FindAsync(name, closing.Token) ?? await api.CreateAsync(name, file, options.Window, closing.Token));
        await notes.SaveAsync([("batch:" + name, batch)]);
        logger.LogInformation("batch {Batch} of {Count} requests submitted", batch, requests.Length);
        await FollowAsync(name, batch, requests.Select(request => request.Key).ToArray());
    }

    // A batch of an earlier attempt: whatever of it is asked for again gets its answer.
    private async Task FindAgainAsync(string name)
    {
        string? batch = notes.Find("batch:" + name) is { Length: > 0 } known ? known : await PatientlyAsync(() => api.FindAsync(name, closing.Token));
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
            followed.Remove(name);
            ids = collecting.Keys.Where(id => notes.Find("request:" + id) == name).ToArray();
        }

        await notes.SaveAsync(ids.Select(id => ("request:" + id, "")).ToArray());
        lock (gate)
        {
            foreach (string id in ids)
            {
                Place(id, collecting[id]);
            }
        }
    }

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

        string problem = JsonSerializer.Serialize(new { error = new { message = $"batch {batch} is {description.Status} {description.Problem}" } });
        foreach (string id in requests ?? [])
        {
            // What has no answer may be tried again, unless the endpoint found the whole batch wrong.
            answers.TryAdd(id, new BatchAnswer(description.Status == "failed" ? 400 : 408, problem));
        }

        // A failed request that is tried again must go into a new batch.
        await notes.SaveAsync(answers.Where(answer => answer.Value.Status != 200).Select(answer => ("request:" + answer.Key, "")).ToArray());
        lock (gate)
        {
            foreach ((string id, BatchAnswer answer) in answers)
            {
                Complete(id, answer);
            }

            // From here on a request of this batch would have to fetch its answer anew.
            followed.Remove(name);
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
            catch (Exception failure) when (IsPassing(failure))
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
        HttpRequestException { StatusCode: HttpStatusCode status } => status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
        HttpRequestException or IOException or JsonException => true,
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
