using System.Diagnostics;
using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>Calls sent by a batch API on loopback, with the command killed on the way.</summary>
public sealed class BatchTests : IDisposable
{
    private const int Rows = 30;
    private readonly DataflowCommand command = new();
    private readonly BatchEndpoint endpoint = new();

    public enum Moment
    {
        Uploaded,
        Created,
        Looked,
    }

    public void Dispose()
    {
        endpoint.DisposeAsync().AsTask().GetAwaiter().GetResult();
        command.Dispose();
    }

    [Fact]
    public async Task Rows_are_answered_by_batches_and_a_failed_request_goes_into_a_new_one()
    {
        int refused = 0;
        endpoint.Status = prompt => prompt == "question 3" && Interlocked.Increment(ref refused) == 1 ? 500 : 200;
        await CompletesAsync();
        Assert.Equal((2, Rows + 1), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task A_request_that_is_refused_is_its_rows_error_and_one_that_goes_on_failing_is_tried_as_often_as_retries_say()
    {
        endpoint.Status = prompt => prompt switch { "question 3" => 400, "question 4" => 500, "question 5" => 429, _ => 200 };
        CommandResult result = await command.RunAsync("run", Pipeline(limits: "retries: 1"), "--run-id", "r");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(Rows - 3, Lines("out.jsonl").Length);
        Assert.Equal(
            ["question 3 model_http_400", "question 4 model_http_500", "question 5 model_http_429"],
            Lines("rejects/ask.errors.jsonl").Select(row => $"{JsonNode.Parse((string)row["input"]!)!["prompt"]} {row["code"]}").Order(StringComparer.Ordinal));
        Assert.Equal((2, Rows + 2), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task What_an_expired_batch_left_goes_into_a_new_one()
    {
        endpoint.End = number => number == 0 ? "expired" : "completed";
        await CompletesAsync();
        Assert.Equal((2, Rows + (Rows / 2)), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Theory]
    [InlineData("failed", "enqueued token limit reached", 0)]
    [InlineData("cancelled", "cancelled", Rows / 2)]
    public async Task A_batch_that_is_refused_or_cancelled_stops_the_run_and_costs_no_row(string end, string reason, int answered)
    {
        endpoint.End = number => number == 0 ? end : "completed";
        CommandResult stopped = await command.RunAsync("run", Pipeline(), "--run-id", "r");
        Assert.NotEqual(0, stopped.ExitCode);
        Assert.Contains(reason, stopped.Error, StringComparison.Ordinal);
        Assert.Equal(1, endpoint.Batches);
        await CompletesAsync(resume: true);
        Assert.Equal((2, Rows + Rows - answered), (endpoint.Batches, endpoint.Prompts.Count));
        Assert.False(File.Exists(Path.Combine(command.Folder, "runs/r/rejects/ask.errors.jsonl")) && Lines("rejects/ask.errors.jsonl").Length > 0);
    }

    [Theory]
    [InlineData(Moment.Uploaded, 0)]
    [InlineData(Moment.Created, 1)]
    [InlineData(Moment.Looked, 1)]
    public async Task A_kill_submits_nothing_again(Moment moment, int batches)
    {
        using Process process = command.Start("run", Pipeline(), "--run-id", "r");
        Action kill = process.Kill;
        (endpoint.Uploaded, endpoint.Created, endpoint.Looked) = moment switch
        {
            Moment.Uploaded => (kill, () => { }, () => { }),
            Moment.Created => (() => { }, kill, () => { }),
            _ => ((Action)(() => { }), (Action)(() => { }), kill),
        };
        await process.WaitForExitAsync();
        Assert.Equal((1, batches), (endpoint.Files, endpoint.Batches));
        endpoint.Uploaded = endpoint.Created = endpoint.Looked = () => { };
        await CompletesAsync(resume: true);
        Assert.Equal((1, Rows), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task A_creation_that_was_carried_out_though_its_answer_was_an_error_is_not_repeated_even_if_it_is_listed_late()
    {
        endpoint.CreationStatus = number => number == 0 ? 502 : 200;
        endpoint.EmptyListings = 1;
        await CompletesAsync();
        Assert.Equal((1, Rows), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task Ctrl_c_leaves_the_batch_running_and_a_resume_reads_it()
    {
        using Process process = command.Start("run", Pipeline(), "--run-id", "r");
        int interrupted = 0;
        endpoint.Looked = () =>
        {
            if (Interlocked.Exchange(ref interrupted, 1) == 0)
            {
                Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
            }
        };
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        await CompletesAsync(resume: true);
        Assert.Equal((1, Rows), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task Max_cost_stops_the_run_after_the_batch_that_spent_it_and_what_was_paid_for_is_kept()
    {
        // A call is 7 tokens in and 3 out: it costs 1.
        const string Batch = ", max_requests: 10";
        const string Cost = ", cost: { input: 100000, output: 100000 }";
        CommandResult stopped = await command.RunAsync("run", Pipeline(Batch, Cost, "run: { max_cost: 15 }"), "--run-id", "r");
        Assert.Matches("model calls have cost (1[5-9]|20), and run.max_cost is 15", stopped.Error);
        Assert.Equal((2, 20), (endpoint.Batches, endpoint.Prompts.Count));
        Pipeline(Batch, Cost, "run: { max_cost: 100 }");
        CommandResult resumed = await CompletesAsync(resume: true);
        Assert.Equal((Rows, Rows), (endpoint.Prompts.Count, endpoint.Prompts.Distinct().Count()));
        Assert.Contains("model m: 30 calls, tokens 210 in, 90 out, cost 30", resumed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_preview_asks_at_once_and_forecasts_the_money()
    {
        CommandResult preview = await command.RunAsync("preview", Pipeline(model: ", cost: { input: 100000, output: 100000 }"), "-n", "2");
        Assert.True(preview.ExitCode == 0, preview.All);
        Assert.Equal((2, 0), (endpoint.AnsweredAtOnce, endpoint.Files));
        Assert.Contains("30 calls, tokens 210 in, 90 out, cost 30.00", preview.Output, StringComparison.Ordinal);
    }

    private string Pipeline(string batch = "", string model = "", string run = "", string limits = "retries: 5")
    {
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, Rows).Select(i => $$"""{"prompt": "question {{i}}"}""" + "\n")));
        return command.Write("p.yaml", $$"""
            name: batch
            {{run}}
            models: { m: { uses: openai, with: { endpoint: "{{endpoint.Address}}", model: x, batch: { poll: 100ms, collect: 1s, settle: 1s{{batch}} } }, limits: { {{limits}} }{{model}} } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, max_errors: 100%, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/out.jsonl" } }
            """);
    }

    private async Task<CommandResult> CompletesAsync(bool resume = false)
    {
        CommandResult result = await command.RunAsync(resume ? ["run", "--resume", "r"] : ["run", Pipeline(), "--run-id", "r"]);
        Assert.True(result.ExitCode == 0, result.All);
        JsonNode[] rows = Lines("out.jsonl");
        Assert.Equal(Rows, rows.Length);
        Assert.Equal(Rows, rows.Select(row => (string)row["prompt"]!).Distinct().Count());
        Assert.All(rows, row => Assert.Equal("answer to " + (string)row["prompt"]!, (string)row["response"]!));
        return result;
    }

    private JsonNode[] Lines(string file) =>
        command.Read("runs/r/" + file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
}
