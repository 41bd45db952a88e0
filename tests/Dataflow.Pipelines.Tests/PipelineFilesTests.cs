using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dataflow.Prove;

namespace Dataflow.Pipelines.Tests;

/// <summary>Every pipeline that is shipped is checked and run; remote models are played by a scripted endpoint.</summary>
public sealed partial class PipelineFilesTests
{
    private static readonly string Folder = Path.Combine(DataflowCommand.Root, "pipelines");

    [Fact]
    public void Every_pipeline_has_a_test_that_runs_it()
    {
        string[] shipped = Directory.GetFiles(Folder, "*.yaml").Select(file => Path.GetFileName(file)).Where(file => !file.EndsWith(".test.yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["clean-text.yaml", "code-backtranslate.yaml", "code-feedback-embedded.yaml", "code-feedback.yaml", "code-translate.yaml", "evidence.yaml", "preference.yaml", "quickstart.yaml", "rejection-sampling.yaml", "self-instruct.yaml", "sft.yaml"], shipped);
    }

    [Theory]
    [InlineData("clean-text.yaml")]
    [InlineData("code-backtranslate.yaml")]
    [InlineData("code-feedback.yaml")]
    [InlineData("code-feedback-embedded.yaml")]
    [InlineData("code-translate.yaml")]
    [InlineData("evidence.yaml")]
    [InlineData("preference.yaml")]
    [InlineData("quickstart.yaml")]
    [InlineData("rejection-sampling.yaml")]
    [InlineData("self-instruct.yaml")]
    public async Task A_pipeline_as_shipped_has_no_mistakes(string file)
    {
        using var command = new DataflowCommand();
        // No endpoint answers here, so the machine is left out where a pipeline names one.
        string[] level = File.ReadAllText(Path.Combine(Folder, file)).Contains("uses: openai", StringComparison.Ordinal) ? ["--no-environment"] : [];
        CommandResult result = await command.RunAsync(["check", Path.Combine(Folder, file), .. level]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    public static TheoryData<string> Tested => [.. Directory.GetFiles(Folder, "*.test.yaml").Select(file => Path.GetFileName(file).Replace(".test.yaml", ".yaml", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Tested))]
    public async Task The_cases_beside_a_pipeline_pass(string file)
    {
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(["test", Path.Combine(Folder, file)]);
        Assert.True(result.ExitCode == 0, result.All);
    }

    [Fact]
    public async Task Clean_text_keeps_good_documents_and_says_why_it_drops_others()
    {
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(["run", Path.Combine(Folder, "clean-text.yaml"), "--run-id", "r"]);
        Assert.True(result.ExitCode == 0, result.All);
        string[] dropped = Rows(command, "runs/r/out/dropped.jsonl").Select(row => (string)row["reason"]!).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(4, dropped.Length);
        Assert.Contains("duplicate", dropped);
        Assert.Contains("too_short", dropped);
        CommandResult shown = await command.RunAsync(["runs", "show", "r"]);
        Assert.Contains("split: done, 6 rows -> 4 train, 2 test", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejection_sampling_keeps_one_passing_answer_to_each_task()
    {
        // The policy knows one task, and gets it right in every second answer.
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply(
            call.Prompt.Contains("gcd", StringComparison.Ordinal) && call.Seed % 2 == 0
                ? "Sure:\n```python\nimport math\ndef gcd(a, b):\n    return math.gcd(a, b)\n```\nIt uses the library."
                : "```python\ndef gcd(a, b):\n    return 6\n```"));
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(
            ["run", Path.Combine(Folder, "rejection-sampling.yaml"), "--run-id", "r", "--set", "endpoint=" + endpoint.Address, "--set", "policy=scripted", "--set", "samples=12"]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(12 * 12, endpoint.Calls.Count);
        JsonObject row = Assert.Single(Rows(command, "runs/r/out/sft.jsonl"));
        Assert.Contains("math.gcd", (string)row["response"]!, StringComparison.Ordinal);
        Assert.Equal("assistant", (string)row["messages"]![1]!["role"]!);
        int right = endpoint.Calls.Count(call => call.Prompt.Contains("gcd", StringComparison.Ordinal) && call.Seed % 2 == 0);
        Assert.Matches(FormattableString.Invariant($"scripted pass@1 +{100.0 * right / 144:0.0}%"), result.Output);
    }

    [Fact]
    public async Task Self_instruct_makes_the_prompts_asked_for_without_near_duplicates()
    {
        int list = 0;
        await using var endpoint = new ScriptedEndpoint(call => call.Prompt.StartsWith("Here are", StringComparison.Ordinal)
            ? new EndpointReply(NewTasks(call, Interlocked.Increment(ref list)))
            : new EndpointReply(call.Prompt.Contains("kingfisher", StringComparison.Ordinal) ? "As an AI language model I cannot." : "An answer to: " + call.Prompt));
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(
            ["run", Path.Combine(Folder, "self-instruct.yaml"), "--run-id", "r", "--set", "endpoint=" + endpoint.Address, "--set", "count=60"]);
        Assert.True(result.ExitCode == 0, result.All);
        CommandResult shown = await command.RunAsync(["runs", "show", "r"]);
        Assert.True(shown.Output.Contains("-> 60 out", StringComparison.Ordinal), result.All + shown.All);
        Assert.Equal(60, endpoint.Calls.Count(call => !call.Prompt.StartsWith("Here are", StringComparison.Ordinal)));
        Assert.True(File.Exists(Path.Combine(command.Folder, "runs/r/out/train.parquet")));
    }

    [Fact]
    public async Task Sft_trains_a_given_checkpoint_on_given_dialogs()
    {
        using var command = new DataflowCommand();
        string dialogs = command.Write("dialogs.jsonl", string.Concat(Enumerable.Range(0, 60).Select(i =>
            $$"""{"messages": [{"role": "user", "content": "{{i}}+1"}, {"role": "assistant", "content": "{{i + 1}}"}]}""" + "\n")));
        command.Write("base.yaml", """
            name: base
            stages:
              dialogs: { uses: io.jsonl, with: { path: dialogs.jsonl, columns: { messages: messages } } }
              base:
                uses: train.lm
                from: dialogs
                with: { shape: { hidden_size: 32, layers: 1, heads: 2, kv_heads: 1, context: 64 }, steps: 5, batch_size: 8, max_length: 64, learning_rate: 0.001 }
            """);
        CommandResult made = await command.RunAsync(["run", "base.yaml", "--run-id", "base"]);
        Assert.True(made.ExitCode == 0, made.All);
        string[] settings =
        [
            "--set", "checkpoint=" + Path.Combine(command.Folder, "runs/base/artifacts/base"), "--set", "dialogs=" + dialogs, "--set", "max_length=64", "--set", "max_tokens=8",
            "--set", "learning_rate=0.001",
        ];
        CommandResult check = await command.RunAsync(["check", Path.Combine(Folder, "sft.yaml"), .. settings]);
        Assert.Equal((0, ""), (check.ExitCode, check.Error));
        CommandResult result = await command.RunAsync(["run", Path.Combine(Folder, "sft.yaml"), "--run-id", "r", .. settings]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.True(File.Exists(Path.Combine(command.Folder, "runs/r/artifacts/sft/model.safetensors")));
        Assert.NotEmpty(Rows(command, "runs/r/out/samples.jsonl"));
    }

    [Fact]
    public async Task Preferences_give_a_reward_model_a_policy_and_an_average_that_are_measured()
    {
        using var command = new DataflowCommand();
        // Small, and so little noise that a barely trained model is now and then right.
        string[] settings =
        [
            "--set", "tasks=1200", "--set", "noise=0.1", "--set", "pretrain_steps=250", "--set", "prompts=80", "--set", "samples=6", "--set", "reward_steps=20", "--set", "dpo_steps=5",
            "--set", "held_out=30", "--set", "min_held_out=10",
        ];
        CommandResult result = await command.RunAsync(["run", Path.Combine(Folder, "preference.yaml"), "--run-id", "r", .. settings]);
        Assert.True(result.ExitCode == 0, result.All);
        foreach (string label in new[] { "base", "dpo", "averaged", "best_of_k", "one_of_k" })
        {
            Assert.Matches($@"{label} pass@1 +[0-9.]+%", result.Output);
        }

        JsonObject pair = Rows(command, "runs/r/out/pairs.jsonl")[0];
        Assert.NotEqual((string)pair["chosen"]!, (string)pair["rejected"]!);
        Assert.Contains("LlamaForSequenceClassification", command.Read("runs/r/artifacts/reward/config.json"), StringComparison.Ordinal);
        Assert.Equal(2, JsonNode.Parse(command.Read("runs/r/artifacts/average/merge.json"))!["models"]!.AsArray().Count);
    }

    // Half of every list repeats a seed in other words; the rest is new each time.
    private static string NewTasks(EndpointCall call, int list)
    {
        Assert.Matches(NumberedSeed(), call.Prompt);
        string[] nouns = ["kingfisher", "harbour", "violin", "glacier", "passport", "orchard", "telescope", "carburettor", "abbey", "marathon"];
        string[] verbs = ["Describe", "Invent", "Criticise", "Rhyme about", "Estimate", "Classify", "Debug", "Negotiate"];
        return "1. Explain to a twelve-year-old why the sky is blue, in five sentences.\n" + string.Concat(Enumerable.Range(0, 7).Select(i =>
            $"{i + 2}. {verbs[(list + i) % verbs.Length]} the {nouns[(list * 3 + i) % nouns.Length]} a{list * 8 + i} with b{list * 8 + i} and c{list * 8 + i}\n"));
    }

    private static JsonObject[] Rows(DataflowCommand command, string file) =>
        command.Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonObject>(line)!).ToArray();

    [GeneratedRegex(@"1\. \S+")]
    private static partial Regex NumberedSeed();
}
