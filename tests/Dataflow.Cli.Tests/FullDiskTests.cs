using System.Diagnostics;
using System.Runtime.InteropServices;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed partial class FullDiskTests : IDisposable
{
    private const string Pipeline = """
        name: big
        stages:
          rows:  { uses: io.jsonl, with: { path: rows.jsonl } }
          short: { uses: text.length, from: rows, with: { max: 60 } }
          once:  { uses: data.dedup, from: short.kept, with: { by: [text] } }
          mixed: { uses: data.shuffle, from: short.kept }
          long:  { uses: io.jsonl_sink, from: short.rejected, with: { path: "${run:folder}/long.jsonl" } }
          a:     { uses: io.jsonl_sink, from: once, with: { path: "${run:folder}/once.jsonl" } }
          b:     { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/mixed.jsonl" } }
        """;

    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    // The sizes end a run in its journal, in a sink, and in a spill.
    [Theory]
    [InlineData("16k")]
    [InlineData("128k")]
    [InlineData("1m")]
    [InlineData("5m")]
    public async Task A_full_disk_fails_the_run_in_order_and_a_larger_one_lets_it_go_on(string size)
    {
        string disk = Directory.CreateDirectory(Path.Combine(command.Folder, "disk")).FullName;
        Assert.SkipUnless(GetUserId() == 0 && await SucceedsAsync("mount", "-t", "tmpfs", "-o", "size=" + size, "none", disk), "file systems cannot be mounted here");
        try
        {
            WriteInput();
            CommandResult full = await RunAsync("run", "big.yaml", "--runs", disk, "--run-id", "r", "--no-environment", "--no-cache");
            Assert.True(full.ExitCode == 1, full.All);
            Assert.Matches("(?m)^failed: .*(No space left|SQLite Error)", full.Error);
            Assert.Equal("after mending the cause, go on with: --resume r", full.Error.TrimEnd().Split('\n')[1]);
            Assert.DoesNotContain("   at ", full.All, StringComparison.Ordinal);
            Assert.True(await SucceedsAsync("mount", "-o", "remount,size=100m", disk));
            CommandResult resumed = await RunAsync("run", "--runs", disk, "--resume", "r", "--no-environment", "--no-cache");
            Assert.True(resumed.ExitCode == 0, resumed.All);
            CommandResult undisturbed = await RunAsync("run", "big.yaml", "--run-id", "u", "--no-cache", "--no-environment");
            Assert.True(undisturbed.ExitCode == 0, undisturbed.All);
            foreach (string file in new[] { "long.jsonl", "once.jsonl", "mixed.jsonl" })
            {
                Assert.Equal(command.Read("runs/u/" + file), command.Read("disk/r/" + file));
            }
        }
        finally
        {
            await SucceedsAsync("umount", "-l", disk);
        }
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_told_in_one_line()
    {
        WriteInput();
        Directory.CreateDirectory(Path.Combine(command.Folder, "runs/r/report.html.tmp"));
        CommandResult result = await RunAsync("run", "big.yaml", "--run-id", "r", "--no-environment");
        Assert.True(result.ExitCode == 1, result.All);
        Assert.Matches("(?m)^failed: the report could not be written: ", result.Error);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    private void WriteInput()
    {
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 100_000).Select(i => $$"""{"id": {{i}}, "text": "{{new string('x', 1 + (i % 120))}}"}""" + "\n")));
        command.Write("big.yaml", Pipeline);
    }

    private async Task<CommandResult> RunAsync(params string[] arguments)
    {
        Task<CommandResult> run = command.RunAsync(arguments);
        return await run.WaitAsync(TimeSpan.FromSeconds(120));
    }

    private static async Task<bool> SucceedsAsync(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUserId();
}
