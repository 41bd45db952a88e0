using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed class MergeTests
{
    private const string Pipeline = """
        name: soup
        models:
          the_base: { uses: llama, from: base }
          the_a: { uses: llama, from: a }
          the_b: { uses: llama, from: b }
          the_soup: { uses: llama, from: soup }
        stages:
          rows: { uses: io.jsonl, with: { path: rows.jsonl, columns: { text: text } } }
          base: { uses: train.lm, from: rows, with: { text: text, shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 32 }, steps: 1, max_length: 32 } }
          a: { uses: train.lm, from: rows, with: { text: text, init: the_base, steps: 2, learning_rate: 0.01, max_length: 32 } }
          b: { uses: train.lm, from: rows, with: { text: text, init: the_base, steps: 4, learning_rate: 0.01, max_length: 32 } }
          soup: { uses: merge.linear, with: { models: [the_a, the_b], weights: [1, 3] } }
          ties: { uses: merge.ties, with: { models: [the_a, the_soup], base: the_base, density: 0.5 } }
        """;

    [Fact]
    public async Task Stages_and_the_command_merge_alike()
    {
        using var command = new DataflowCommand();
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));
        command.Write("soup.yaml", Pipeline);
        CommandResult run = await command.RunAsync(["run", "soup.yaml", "--run-id", "r"]);
        Assert.True(run.ExitCode == 0, run.All);
        string Artifact(string name) => Path.Combine(command.Folder, "runs/r/artifacts", name);
        CommandResult linear = await command.RunAsync(["merge", "linear", Artifact("a"), Artifact("b"), "--weights", "1", "3", "--out", "soup"]);
        Assert.True(linear.ExitCode == 0, linear.All);
        AssertSame(Artifact("soup"), Path.Combine(command.Folder, "soup"));
        CommandResult ties = await command.RunAsync(["merge", "ties", Artifact("a"), Artifact("soup"), "--base", Artifact("base"), "--density", "0.5", "--out", "ties"]);
        Assert.True(ties.ExitCode == 0, ties.All);
        AssertSame(Artifact("ties"), Path.Combine(command.Folder, "ties"));
        Assert.Contains("\"method\": \"ties\"", command.Read("ties/merge.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merge_that_cannot_be_is_told_before_anything_runs()
    {
        using var command = new DataflowCommand();
        command.Write("rows.jsonl", """{"text": "row"}""");
        command.Write("soup.yaml", Pipeline.Replace("weights: [1, 3]", "weights: [1]", StringComparison.Ordinal).Replace("models: [the_a, the_soup]", "models: [the_a, nobody]", StringComparison.Ordinal));
        CommandResult check = await command.RunAsync(["check", "soup.yaml"]);
        Assert.Equal(2, check.ExitCode);
        Assert.Contains("1 weights were given for 2 models", check.Error, StringComparison.Ordinal);
        Assert.Contains("unknown model 'nobody'", check.Error, StringComparison.Ordinal);
        command.Write("rows.yaml", Pipeline.Replace("soup: { uses: merge.linear,", "soup: { uses: merge.linear, from: rows,", StringComparison.Ordinal));
        Assert.Contains("a merge reads checkpoints and no rows", (await command.RunAsync(["check", "rows.yaml"])).Error, StringComparison.Ordinal);
        CommandResult merged = await command.RunAsync(["merge", "ties", "nowhere", "--out", "x"]);
        Assert.Equal(2, merged.ExitCode);
        Assert.Contains("base", merged.Error, StringComparison.Ordinal);
        foreach (string method in new[] { "blend", "2", "linear,ties", "" })
        {
            CommandResult refused = await command.RunAsync(["merge", method, "a", "b", "--out", "x"]);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains($"unknown method '{method}'; methods: linear, task_arithmetic, ties", refused.Error, StringComparison.Ordinal);
        }

        CommandResult heavy = await command.RunAsync(["merge", "linear", "a", "b", "--weights", "1", "1e300", "--out", "x"]);
        Assert.Equal(2, heavy.ExitCode);
        Assert.Contains("no sensible factor", heavy.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_and_export_lose_nothing_that_is_there()
    {
        using var command = new DataflowCommand();
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));
        command.Write("soup.yaml", Pipeline);
        Assert.Equal(0, (await command.RunAsync(["run", "soup.yaml", "--run-id", "r"])).ExitCode);
        const string A = "runs/r/artifacts/a", B = "runs/r/artifacts/b";
        byte[] kept = File.ReadAllBytes(Path.Combine(command.Folder, A, "model.safetensors"));
        command.Write("notes/letter.txt", "dear");
        async Task Refuses(string complaint, params string[] line)
        {
            CommandResult result = await command.RunAsync(line);
            Assert.True(result.ExitCode == 2, result.All);
            Assert.Contains(complaint, result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        }

        await Refuses("is the input", "merge", "linear", A, B, "--out", A, "--overwrite");
        await Refuses("holds the input", "merge", "linear", A, B, "--out", "runs", "--overwrite");
        await Refuses("--overwrite", "merge", "linear", A, B, "--out", "notes");
        await Refuses("something else", "merge", "linear", A, B, "--out", "notes", "--overwrite");
        await Refuses("lies in the input", "export", A, "--out", $"{A}/model.safetensors", "--overwrite");
        await Refuses("already", "export", A, "--out", "notes/letter.txt");
        Assert.Equal(0, (await command.RunAsync(["merge", "linear", A, B, "--out", "soup"])).ExitCode);
        await Refuses("--overwrite", "merge", "linear", A, B, "--out", "soup");
        Assert.Equal(0, (await command.RunAsync(["merge", "linear", A, A, "--out", "soup", "--overwrite"])).ExitCode);
        Assert.Equal(kept, File.ReadAllBytes(Path.Combine(command.Folder, A, "model.safetensors")));
        Assert.Equal("dear", command.Read("notes/letter.txt"));
    }

    private static void AssertSame(string left, string right) =>
        Assert.Equal(File.ReadAllBytes(Path.Combine(left, "model.safetensors")), File.ReadAllBytes(Path.Combine(right, "model.safetensors")));
}
