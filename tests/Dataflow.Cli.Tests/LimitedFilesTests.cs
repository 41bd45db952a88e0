using System.Diagnostics;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>A limit on the size of files stands for a full disk: writes beyond it fail in the same way, without a disk to fill.</summary>
public sealed class LimitedFilesTests : IDisposable
{
    private const string Pipeline = """
        name: big
        run: { max_errors: 100% }
        stages:
          rows:   { uses: io.jsonl, with: { path: rows.jsonl } }
          sized:  { uses: text.length, from: rows, with: { column: text, min: 40 } }
          once:   { uses: data.dedup, from: sized.kept, with: { by: [text] } }
          mixed:  { uses: data.shuffle, from: once }
          kept:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/kept.jsonl" } }
          rest:   { uses: io.jsonl_sink, from: sized.rejected, with: { path: "${run:folder}/rest.jsonl" } }
        """;

    private readonly DataflowCommand command = new();

    public LimitedFilesTests()
    {
        command.Write("big.yaml", Pipeline);
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 60_000).Select(i => $$"""{"text":"{{i}} {{new string('x', i % 80)}}"}""" + "\n")));
    }

    public void Dispose() => command.Dispose();

    [Theory]
    [InlineData(8)]
    [InlineData(200)]
    [InlineData(1000)]
    public async Task A_disk_that_fills_up_ends_the_run_in_order_and_a_resume_gives_what_it_would_have_given(int kilobytes)
    {
        Assert.Equal(0, (await command.RunAsync("run", "big.yaml", "--run-id", "whole")).ExitCode);
        (int exit, string said) = await RunLimitedAsync(kilobytes);
        Assert.True(exit == 1, said);
        Assert.DoesNotContain("Unhandled", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        Assert.Contains("failed: ", said, StringComparison.Ordinal);

        string[] again = File.Exists(Path.Combine(command.Folder, "runs/small/manifest.json")) ? ["run", "--resume", "small"] : ["run", "big.yaml", "--run-id", "small"];
        CommandResult resumed = await command.RunAsync(again);
        Assert.True(resumed.ExitCode == 0, resumed.All);
        foreach (string file in new[] { "kept.jsonl", "rest.jsonl" })
        {
            Assert.Equal(command.Read($"runs/whole/{file}"), command.Read($"runs/small/{file}"));
        }
    }

    private async Task<(int Exit, string Said)> RunLimitedAsync(int kilobytes)
    {
        string dataflow = Path.Combine(DataflowCommand.Root, "artifacts/bin/Dataflow.Cli/release_linux-x64/dataflow");
        var start = new ProcessStartInfo("/bin/bash", ["-c", $"trap '' XFSZ; ulimit -f {kilobytes}; exec {dataflow} run big.yaml --run-id small"])
        {
            WorkingDirectory = command.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A double-mapped heap is a file, which would be limited too.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        return (process.ExitCode, await output + await error);
    }
}
