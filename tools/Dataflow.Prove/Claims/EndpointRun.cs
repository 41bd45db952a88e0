using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>One run of a pipeline that asks a scripted endpoint once for each of so many numbered rows.</summary>
internal sealed partial class EndpointRun : IDisposable
{
    private readonly DataflowCommand command = new();
    private readonly int rows;

    public EndpointRun(int rows, string address, string limits)
    {
        this.rows = rows;
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, rows).Select(i => $$"""{"prompt": "question {{i}}"}""" + "\n")));
        command.Write("ask.yaml", $$"""
            name: ask
            models:
              m: { uses: openai, with: { endpoint: "{{address}}", model: scripted }, limits: { {{limits}} } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, max_errors: 100%, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/out.jsonl" } }
              bad:  { uses: io.jsonl_sink, from: ask.errors, with: { path: "${run:folder}/errors.jsonl" } }
            """);
    }

    public void Dispose() => command.Dispose();

    public Process Start(params string[] arguments) => command.Start(["run", "ask.yaml", "--run-id", "r", "--plain", .. arguments]);

    public Task<CommandResult> RunAsync() => command.RunAsync("run", "ask.yaml", "--run-id", "r", "--plain");

    public Task<CommandResult> ResumeAsync() => command.RunAsync("run", "--resume", "r", "--plain");

    /// <summary>Checks that each row is in the output or the errors, once.</summary>
    public bool IsComplete(TextWriter output)
    {
        string[] answered = Prompts("runs/r/out.jsonl", row => row);
        JsonObject[] errors = Lines("runs/r/errors.jsonl");
        string[] failed = errors.Select(error => (string)JsonNode.Parse((string)error["input"]!)!["prompt"]!).ToArray();
        foreach (IGrouping<string, JsonObject> reason in errors.GroupBy(error => (string)error["code"]!).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{reason.Count()} rows failed with {reason.Key}");
        }

        bool complete = answered.Concat(failed).Order(StringComparer.Ordinal)
            .SequenceEqual(Enumerable.Range(0, rows).Select(i => $"question {i}").Order(StringComparer.Ordinal));
        output.WriteLine($"{answered.Length} answered and {failed.Length} failed of {rows} rows: {(complete ? "each row once" : "NOT each row once")}");
        return complete && errors.All(error => ((string)error["code"]!).StartsWith("model_", StringComparison.Ordinal));
    }

    /// <summary>Retries by reason, as the command printed them.</summary>
    public static Dictionary<string, int> Retries(CommandResult result) =>
        RetryLine().Match(result.Output) is { Success: true } match
            ? match.Groups[1].Value.Split(", ").Select(part => part.Split(' ')).ToDictionary(part => part[1], part => int.Parse(part[0], CultureInfo.InvariantCulture))
            : [];

    /// <summary>Failed attempts that were the last of their rows, by reason.</summary>
    public Dictionary<string, int> Failures() =>
        Lines("runs/r/errors.jsonl").GroupBy(error => ((string)error["code"]!)["model_".Length..]).ToDictionary(group => group.Key, group => group.Count());

    private string[] Prompts(string file, Func<JsonObject, JsonObject> row) => Lines(file).Select(line => (string)row(line)["prompt"]!).ToArray();

    private JsonObject[] Lines(string file) =>
        command.Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();

    [GeneratedRegex(@"retries \(([^)]+)\)")]
    private static partial Regex RetryLine();
}
