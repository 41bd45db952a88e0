using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>The trainers of post-training as stages: their columns, options, checkpoints and complaints.</summary>
public sealed class TrainerStageTests
{
    private const string Start = """
        models:
          start: { uses: llama, from: base }
        """;

    private const string Models = """
        models:
          start: { uses: llama, from: base }
          tuned: { uses: llama, from: dpo }
          judge: { uses: llama_reward, from: reward, with: { standardize: true } }
        """;

    private static void WriteRows(DataflowCommand command)
    {
        command.Write("pairs.jsonl", string.Concat(Enumerable.Range(0, 24).Select(i =>
            $$"""{"dialog": [{"role": "system", "content": "add"}, {"role": "user", "content": "{{i}}+1"}], "good": "{{i + 1}}", "bad": "{{i}}", "best": {{(i % 3 == 0 ? $"\"it is {i + 1}\"" : "null")}}, "prompt": "{{i}}+1", "answer": "{{i + 1}}"}""" + "\n")));
        command.Write("traces.jsonl", string.Concat(Enumerable.Range(0, 12).Select(i =>
            $$"""{"prompt": "{{i}}+1+1", "steps": ["{{i}}+1={{i + 1}}", "{{i + 1}}+1={{i + 2 + (i % 2)}}"], "labels": [1.0, {{1 - (i % 2)}}.0]}""" + "\n")));
    }

    private static string Pipeline(string stages, string models = Models) => $"""
        name: trainers
        {models}
        stages:
          pairs: {"{ uses: io.jsonl, with: { path: pairs.jsonl } }"}
          texts: {"{ uses: chat.messages, from: pairs, with: { assistant: \"{{ answer }}\" } }"}
          base: {"{ uses: train.lm, from: texts, with: { shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 64 }, steps: 2, max_length: 64 } }"}
          parts: {"{ uses: data.split, from: pairs, with: { by: [prompt], test: 0.2 } }"}
        {stages}
        """;

    [Fact]
    public async Task Each_trainer_reads_its_columns_and_leaves_a_checkpoint_that_others_use()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        command.Write("trainers.yaml", Pipeline("""
              reward:
                uses: train.reward
                from: { in: parts.train, eval: parts.test }
                with: { init: start, prompt: dialog, chosen: good, rejected: bad, edited: best, steps: 4, batch_size: 4, learning_rate: 0.001, max_length: 128, evaluate_every: 2, patience: 5, schedule: wsd, decay: 0.5 }
              dpo:
                uses: train.dpo
                from: { in: parts.train, eval: parts.test }
                with: { init: start, reference: start, prompt: dialog, chosen: good, rejected: bad, edited: best, steps: 4, batch_size: 4, learning_rate: 0.01, max_length: 64, evaluate_every: 2, lora: { rank: 2, targets: [q_proj, v_proj] } }
              traces: { uses: io.jsonl, with: { path: traces.jsonl } }
              process: { uses: train.process_reward, from: traces, with: { init: start, steps: 3, batch_size: 4, max_length: 64, micro_batch: 2 } }
              grpo: { uses: train.grpo, from: pairs, with: { init: tuned, steps: 2, batch_size: 2, samples: 3, max_tokens: 6, max_length: 64, extract: '(\d+)' } }
              score: { uses: reward.score, from: pairs, with: { model: judge, response: good } }
              keep: { uses: io.jsonl_sink, from: score, with: { path: out/scores.jsonl } }
            """));
        CommandResult run = await command.RunAsync(["run", "trainers.yaml", "--run-id", "r"]);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal("LlamaForSequenceClassification", Architecture(command, "reward"));
        Assert.Equal("LlamaForCausalLM", Architecture(command, "dpo"));
        Assert.Equal("LlamaForTokenClassification", Architecture(command, "process"));
        Assert.True(File.Exists(Path.Combine(command.Folder, "runs/r/artifacts/grpo/model.safetensors")));
        double[] scores = command.Read("out/scores.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (double)JsonNode.Parse(line)!["score"]!).ToArray();
        Assert.Equal(24, scores.Distinct().Count());
    }

    [Fact]
    public async Task Pairs_that_teach_nothing_are_left_out_and_counted_by_reason()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        const string Long = "the number is ";
        string Row(string prompt, string? chosen, string rejected, string? edited, string rating) =>
            new JsonObject { ["prompt"] = prompt, ["chosen"] = chosen, ["rejected"] = rejected, ["edited"] = edited, ["rating"] = rating }.ToJsonString() + "\n";
        command.Write("rated.jsonl", string.Concat(
            Row("1", "yes", "no", null, "better"),
            Row("2", "yes", "no", null, "slightly_better"),
            Row("3", Long + "3", Long + "4", null, "better"),
            Row("4", Long + "4", Long + "5", Long + "4.", "significantly_better"),
            Row("5", null, "no", null, "better"),
            Row(new string('6', 100), "yes", "no", null, "better")));
        command.Write("trainers.yaml", Pipeline("""
              rated: { uses: io.jsonl, with: { path: rated.jsonl } }
              reward: { uses: train.reward, from: rated, with: { init: start, edited: edited, rating: rating, steps: 1, batch_size: 2, max_length: 256 } }
              dpo: { uses: train.dpo, from: rated, with: { init: start, edited: edited, rating: rating, steps: 1, batch_size: 2, max_length: 256 } }
              reward_rows: { uses: io.jsonl_sink, from: reward, with: { path: out/reward.jsonl } }
              dpo_rows: { uses: io.jsonl_sink, from: dpo, with: { path: out/dpo.jsonl } }
            """));
        CommandResult run = await command.RunAsync(["run", "trainers.yaml", "--run-id", "r"]);
        Assert.True(run.ExitCode == 0, run.All);
        foreach (string file in new[] { "out/reward.jsonl", "out/dpo.jsonl" })
        {
            string metrics = command.Read(file);
            Dictionary<string, double> values = metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
                .GroupBy(node => (string)node["name"]!).ToDictionary(group => group.Key, group => (double)group.First()["value"]!);
            Assert.Equal(2, values["examples"]);
            Assert.Equal(1, values["dropped: another rating"]);
            Assert.Equal(1, values["dropped: near-equal responses"]);
            Assert.Equal(1, values["dropped: no 'chosen'"]);
            Assert.Equal(1, values["dropped: longer than 64 tokens"]);
        }
    }

    [Fact]
    public async Task Mistakes_are_told_before_anything_runs()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        command.Write("trainers.yaml", Pipeline("""
              reward: { uses: train.reward, from: parts.train, with: { init: start, prompt: dialog, chosen: god, rejected: bad, evaluate_every: 2 } }
              dpo: { uses: train.dpo, from: parts.train, with: { init: start, reference: start, prompt: dialog, chosen: good, rejected: bad, loss: sim_po, patience: 2 } }
              grpo: { uses: train.grpo, from: pairs, with: { init: start, extract: '(' } }
              score: { uses: reward.score, from: pairs, with: { model: start, response: good } }
            """));
        CommandResult check = await command.RunAsync(["check", "trainers.yaml", "--no-environment"]);
        Assert.Equal(2, check.ExitCode);
        foreach (string complaint in new[] { "no column 'god'", "nothing to evaluate on", "sim_po takes no reference", "needs 'evaluate_every'", "'(' at offset", "offers chat, a checkpoint, but rewards is needed" })
        {
            Assert.Contains(complaint, check.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_training_option_that_cannot_work_is_told_at_its_place()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        command.Write("trainers.yaml", Pipeline("""
              dpo:
                uses: train.dpo
                from: parts.train
                with:
                  init: start
                  prompt: dialog
                  chosen: good
                  rejected: bad
                  epochs: 0
                  keep_best: true
                  lora: { targets: [q_proj, query] }
              grpo: { uses: train.grpo, from: pairs, with: { init: start, evaluate_every: 2, max_tokens: 64, max_length: 64 } }
            """, Start));
        CommandResult check = await command.RunAsync(["check", "trainers.yaml", "--no-environment"]);
        Assert.Equal(2, check.ExitCode);
        foreach (string complaint in new[]
        {
            Place(command.Read("trainers.yaml"), "epochs: ", after: true), "which weights are the best",
            Place(command.Read("trainers.yaml"), "query") + "error DF0022: there is no 'query' to adapt; there are q_proj, k_proj",
            "responses of 64 tokens leave no room", "there is nothing to evaluate on: give 'from: { in: …, eval: … }'",
        })
        {
            Assert.Contains(complaint, check.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_batch_larger_than_the_data_takes_all_and_the_report_shows_evaluations()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        command.Write("trainers.yaml", Pipeline("""
              grpo:
                uses: train.grpo
                from: { in: parts.train, eval: parts.test }
                with: { init: start, steps: 2, batch_size: 1000000, samples: 2, max_tokens: 4, max_length: 64, evaluate_every: 1, patience: 5 }
              sft:
                uses: train.sft
                from: { in: texts, eval: texts }
                with: { init: start, epochs: 3, batch_size: 1000000, max_length: 64, evaluate_every: 1, keep_best: true }
              told: { uses: io.jsonl_sink, from: sft, with: { path: out/sft.jsonl } }
            """, Start));
        CommandResult run = await command.RunAsync(["run", "trainers.yaml", "--run-id", "r"]);
        Assert.True(run.ExitCode == 0, run.All);
        JsonNode[] metrics = command.Read("out/sft.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal([1, 2, 3], metrics.Where(metric => (string)metric["name"]! == "eval_loss").Select(metric => (int)metric["step"]!));
        Assert.Contains("eval_loss by step", command.Read("runs/r/report.html"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_on_disk_is_known_before_the_run_and_what_stands_beside_its_weights_comes_along()
    {
        using var command = new DataflowCommand();
        WriteRows(command);
        command.Write("base.yaml", Pipeline("", models: "").Replace("  parts:", "  # parts:", StringComparison.Ordinal));
        CommandResult made = await command.RunAsync(["run", "base.yaml", "--run-id", "b"]);
        Assert.True(made.ExitCode == 0, made.All);
        const string From = "runs/b/artifacts/base";
        command.Write(From + "/chat_template.jinja", "{{ mine }}");
        command.Write(From + "/generation_config.json", "{\"temperature\": 0.6}");
        command.Write("tune.yaml", """
            name: tune
            models: { start: { uses: llama, with: { checkpoint: runs/b/artifacts/base } } }
            stages:
              pairs: { uses: io.jsonl, with: { path: pairs.jsonl } }
              sft: { uses: train.lm, from: pairs, with: { init: start, text: answer, steps: 1, max_length: 64 } }
            """);
        command.Write("long.yaml", """
            name: long
            models: { start: { uses: llama, with: { checkpoint: runs/b/artifacts/base } } }
            stages:
              pairs: { uses: io.jsonl, with: { path: pairs.jsonl } }
              grpo: { uses: train.grpo, from: pairs, with: { init: start, max_tokens: 64 } }
            """);
        CommandResult check = await command.RunAsync(["check", "long.yaml", "--no-environment"]);
        Assert.Equal(2, check.ExitCode);
        Assert.Contains("long.yaml:5:75: error DF0022: responses of 64 tokens leave no room for a prompt in the model's context of 64", check.Error, StringComparison.Ordinal);
        CommandResult tuned = await command.RunAsync(["run", "tune.yaml", "--run-id", "t"]);
        Assert.True(tuned.ExitCode == 0, tuned.All);
        foreach (string file in new[] { "chat_template.jinja", "generation_config.json", "tokenizer_config.json", "config.json" })
        {
            Assert.Equal(command.Read($"{From}/{file}").ReplaceLineEndings(), command.Read($"runs/t/artifacts/sft/{file}").ReplaceLineEndings());
        }

        command.Write(From + "/config.json", command.Read(From + "/config.json").Replace("\"rope_theta\"", "\"rope_scaling\": { \"rope_type\": \"yarn\" }, \"rope_theta\"", StringComparison.Ordinal));
        CommandResult odd = await command.RunAsync(["check", "tune.yaml"]);
        Assert.Contains("rope_scaling of type 'yarn' is not supported", odd.All, StringComparison.Ordinal);
    }

    private static string Place(string text, string wanted, bool after = false)
    {
        int at = text.IndexOf(wanted, StringComparison.Ordinal) + (after ? wanted.Length : 0);
        return $"trainers.yaml:{text[..at].Count(c => c == '\n') + 1}:{at - text.LastIndexOf('\n', at)}: ";
    }

    private static string Architecture(DataflowCommand command, string stage) =>
        (string)JsonNode.Parse(command.Read($"runs/r/artifacts/{stage}/config.json"))!["architectures"]![0]!;
}
