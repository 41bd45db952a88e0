using System.Text.Json.Nodes;
using Dataflow.Prove;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Pipelines.Tests;

public sealed class CodePipelineTests
{
    private static readonly string Folder = Path.Combine(DataflowCommand.Root, "pipelines");

    private static IEnumerable<JsonObject> Rows(DataflowCommand command, string file) => command.Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject());

    [Fact]
    public async Task Code_feedback_keeps_exactly_what_was_planted_and_its_dialogs_train_a_model()
    {
        await using var endpoint = new ScriptedEndpoint(new CodeTeacher().Answer);
        using var command = new DataflowCommand();
        CommandResult run = await command.RunAsync(
            ["run", Path.Combine(Folder, "code-feedback.yaml"), "--run-id", "r", "--set", "endpoint=" + endpoint.Address, "--set", "problems=24"]);
        Assert.True(run.ExitCode == 0, run.All);
        JsonObject[] kept = Rows(command, "runs/r/out/sft.jsonl").ToArray();
        JsonObject[] failed = Rows(command, "runs/r/out/failed.jsonl").ToArray();
        JsonObject[] vacuous = Rows(command, "runs/r/rejects/tests.rejected.jsonl").ToArray();
        // 12 passed first, 4 after feedback; 2 never and 2 hostile; 4 with tests that test nothing.
        Assert.Equal((16, 4, 4, 4), (kept.Length, kept.Count(row => (bool?)row["self_corrected"] == true), failed.Length, vacuous.Length));
        Assert.Equal(2, failed.Count(row => ((string)row["code"]!).Contains("os.", StringComparison.Ordinal)));
        Assert.All(kept, row => Assert.Equal((true, "assistant"), ((bool)row["messages"]!.AsArray()[^1]!["train"]!, (string)row["messages"]!.AsArray()[^1]!["role"]!)));
        Assert.Equal([2, 4], kept.Select(row => row["messages"]!.AsArray().Count).Distinct().Order());

        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        using LlamaModel model = LlamaModel.Initialize(TinyModels.FourMillion(tokenizer.VocabSize) with { NumHiddenLayers = 1, HiddenSize = 32, IntermediateSize = 64 }, 0.1, 1);
        ModelCheckpoint.Save(Path.Combine(command.Folder, "tiny"), model, tokenizer);
        command.Write("train.yaml", """
            name: train
            models: { start: { uses: llama, with: { checkpoint: tiny } } }
            stages:
              dialogs: { uses: io.jsonl, with: { path: runs/r/out/sft.jsonl } }
              sft: { uses: train.sft, from: dialogs, with: { init: start, steps: 4, batch_size: 16, max_length: 4096 } }
            """);
        CommandResult trained = await command.RunAsync(["run", "train.yaml", "--run-id", "t"]);
        Assert.True(trained.ExitCode == 0, trained.All);
        Assert.DoesNotContain("dropped", trained.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tiny_model_of_its_own_corrects_programs_that_the_sandbox_refused()
    {
        using var command = new DataflowCommand();
        CommandResult run = await command.RunAsync(
            "run", Path.Combine(Folder, "code-feedback-embedded.yaml"), "--run-id", "r",
            "--set", "tasks=3000", "--set", "pretrain_steps=350", "--set", "problems=60", "--set", "held_out=60", "--set", "sft_steps=40");
        Assert.True(run.ExitCode == 0, run.All);
        JsonObject[] kept = Rows(command, "runs/r/out/sft.jsonl").ToArray();
        Assert.InRange(kept.Count(row => (bool?)row["self_corrected"] == true), 5, kept.Length);
        Assert.All(kept, row => Assert.StartsWith("f=lambda n:", (string)row["code"]!, StringComparison.Ordinal));
        Assert.Matches(@"base pass@1 [\s\S]*trained pass@1 ", run.Output);
    }

    [Fact]
    public async Task Translations_that_compile_and_print_something_else_are_rejected()
    {
        await using var endpoint = new ScriptedEndpoint(Translator);
        using var command = new DataflowCommand();
        CommandResult run = await command.RunAsync(["run", Path.Combine(Folder, "code-translate.yaml"), "--run-id", "r", "--set", "endpoint=" + endpoint.Address, "--set", "problems=2"]);
        Assert.True(run.ExitCode == 0, run.All);
        JsonObject[] kept = Rows(command, "runs/r/out/sft.jsonl").ToArray();
        JsonObject[] failed = Rows(command, "runs/r/out/failed.jsonl").ToArray();
        Assert.Equal(["bash", "bash", "php", "php"], kept.Select(row => (string)row["target_language"]!).Order());
        Assert.Equal(["go:compile_error", "go:compile_error", "rust:failed", "rust:failed"], failed.Select(row => $"{row["target_language"]}:{row["verdict"]}").Order());
    }

    private static EndpointReply Translator(EndpointCall call)
    {
        string prompt = call.Prompt;
        return new EndpointReply(
            prompt.Contains("Write one self-contained programming problem", StringComparison.Ordinal) ? "Add the numbers from 1 to n."
            : prompt.Contains("for one case", StringComparison.Ordinal) ? "```python\n# One line: n.\nn = int(input())\nprint(sum(range(n + 1)))\n```"
            : prompt.Contains("valid inputs", StringComparison.Ordinal) ? """["1\n", "2\n", "10\n"]"""
            : prompt.Contains("to PHP", StringComparison.Ordinal) ? "```php\n<?php\n$n = (int)fgets(STDIN);\necho $n * ($n + 1) / 2, \"\\n\";\n```"
            : prompt.Contains("to Bash", StringComparison.Ordinal) ? "```bash\nread -r n\necho $(( n * (n + 1) / 2 ))\n```"
            // Right for 1 and 2 only.
            : prompt.Contains("to Rust", StringComparison.Ordinal) ? "```rust\nuse std::io;\nfn main() {\n    let mut s = String::new();\n    io::stdin().read_line(&mut s).unwrap();\n    let n: i64 = s.trim().parse().unwrap();\n    println!(\"{}\", n * 2 - 1);\n}\n```"
            : "```go\npackage main\nfunc main() { missing() }\n```");
    }

    [Fact]
    public async Task Planted_leaks_never_come_back_as_code()
    {
        // Every third description carries the code over, each in its own way; judges give 5 and 3 by turns.
        int described = 0, judged = 0;
        await using var endpoint = new ScriptedEndpoint(call =>
        {
            if (call.Prompt.Contains("Do not quote the code", StringComparison.Ordinal))
            {
                string code = call.Prompt.Split("```")[1].Trim('\n');
                int number = Interlocked.Increment(ref described);
                return new EndpointReply(number % 3 != 0 ? $"It is the thing number {number} and does what its name says." : number % 2 == 0 ? $"It reads:\n```\n{code}\n```" : "Like this: " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(code)));
            }

            return call.Prompt.Contains("How faithful", StringComparison.Ordinal)
                ? new EndpointReply($"Score: {(Interlocked.Increment(ref judged) % 2 == 0 ? 5 : 3)}")
                : new EndpointReply("```python\npass\n```");
        });
        using var command = new DataflowCommand();
        CommandResult run = await command.RunAsync(["run", Path.Combine(Folder, "code-backtranslate.yaml"), "--run-id", "r", "--set", "endpoint=" + endpoint.Address, "--set", "snippets=24"]);
        Assert.True(run.ExitCode == 0, run.All);
        JsonObject[] leaks = Rows(command, "runs/r/rejects/describe.rejected.jsonl").ToArray();
        Assert.Equal(8, leaks.Length);
        Assert.All(leaks, row => Assert.StartsWith("leak: ", (string)row["reason"]!, StringComparison.Ordinal));
        Assert.Equal((8, 8), (Rows(command, "runs/r/out/sft.jsonl").Count(), Rows(command, "runs/r/out/rejected.jsonl").Count()));
    }
}
