using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>What is said of the checkpoints that a pipeline names.</summary>
public sealed class CheckpointCheckTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    private void Write(string checkpoint)
    {
        command.Write("rows.jsonl", """{"prompt": "a"}""" + "\n");
        command.Write("p.yaml", $$"""
            name: p
            models:
              base: { uses: llama, with: { checkpoint: "{{checkpoint}}" } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, with: { model: base, max_tokens: 2 } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: out.jsonl } }
            """);
    }

    private static readonly string[] Parts = ["config.json", "tokenizer.json", "model.safetensors"];

    [Fact]
    public async Task The_readmes_check_without_environment_passes()
    {
        const string Line = "dataflow check --no-environment pipelines/*.yaml";
        Assert.Contains(Line, File.ReadAllText(Path.Combine(DataflowCommand.Root, "README.md")), StringComparison.Ordinal);
        // As a shell expands it, the cases beside the pipelines included.
        string[] files = Directory.GetFiles(Path.Combine(DataflowCommand.Root, "pipelines"), "*.yaml");
        Assert.Contains(files, file => file.EndsWith("sft.yaml", StringComparison.Ordinal));
        Assert.Contains(files, file => file.EndsWith(".test.yaml", StringComparison.Ordinal));
        CommandResult result = await command.RunAsync(["check", "--no-environment", .. files]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task A_checkpoint_that_is_not_there_is_a_mistake_at_its_place_unless_this_machine_is_not_asked()
    {
        Write("nowhere");
        CommandResult check = await command.RunAsync("check", "p.yaml");
        Assert.Equal(2, check.ExitCode);
        Assert.Contains("p.yaml:3:3: error", check.Error, StringComparison.Ordinal);
        Assert.Contains($"there is no checkpoint folder '{Path.Combine(command.Folder, "nowhere")}'", check.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await command.RunAsync("check", "--no-environment", "p.yaml")).ExitCode);
        Write("${run:folder}/artifacts/later");
        CommandResult later = await command.RunAsync("check", "p.yaml");
        Assert.True(later.ExitCode == 0, later.All);
    }

    [Fact]
    public async Task A_checkpoint_is_opened_by_check_and_what_is_broken_names_the_folder()
    {
        string folder = TinyServer.Save(command);
        Write("model");
        CommandResult good = await command.RunAsync("check", "p.yaml");
        Assert.True(good.ExitCode == 0, good.All);
        foreach (string part in Parts)
        {
            string path = Path.Combine(folder, part);
            byte[] whole = File.ReadAllBytes(path);
            foreach (byte[]? broken in new[] { null, whole[..(whole.Length / 2)], "{}"u8.ToArray() })
            {
                File.Delete(path);
                if (broken is not null)
                {
                    File.WriteAllBytes(path, broken);
                }

                CommandResult check = await command.RunAsync("check", "p.yaml");
                Assert.True(check.ExitCode == 2, $"{part}: {check.All}");
                Assert.Contains("p.yaml:3:3: error", check.Error, StringComparison.Ordinal);
                Assert.Contains(folder, check.Error, StringComparison.Ordinal);
                Assert.DoesNotContain("check of the machine failed", check.Error, StringComparison.Ordinal);
            }

            File.WriteAllBytes(path, whole);
        }
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public async Task What_cannot_be_served_names_the_folder_and_the_file(string part)
    {
        string folder = TinyServer.Save(command);
        File.WriteAllText(Path.Combine(folder, part), "{ \"model_type\": ");
        CommandResult result = await command.RunAsync("serve", folder, "--port", "0");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"{folder}: {part}: ", result.Error, StringComparison.Ordinal);
    }
}
