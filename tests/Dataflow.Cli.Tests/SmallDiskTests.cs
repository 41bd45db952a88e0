using System.Diagnostics;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed class SmallDiskTests : IDisposable
{
    private readonly DataflowCommand command = new();
    private readonly string disk;

    public SmallDiskTests() => disk = Path.Combine(command.Folder, "small");

    public void Dispose()
    {
        Mount("umount", disk);
        command.Dispose();
    }

    // From no room for the manifest, over the journal and the report, to the spills and the outputs.
    [Theory]
    [InlineData("4k")]
    [InlineData("64k")]
    [InlineData("256k")]
    [InlineData("3m")]
    [InlineData("1m")]
    public async Task A_full_disk_fails_the_run_with_its_cause_in_one_line_and_a_resume_gives_the_right_rows(string size)
    {
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(Mount("mount", "-t", "tmpfs", "-o", "size=" + size, "none", disk), "a small disk can be made by root only");
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 30_000).Select(i => $$"""{"value": {{i}}, "text": "{{new string('a', i % 97)}} {{i}}"}""" + "\n")));
        string pipeline = command.Write("p.yaml", """
            name: small
            stages:
              rows:     { uses: io.jsonl, with: { path: rows.jsonl } }
              length:   { uses: text.length, from: rows, with: { column: text, max: 60 } }
              distinct: { uses: data.dedup, from: length.kept, with: { by: [text] } }
              mixed:    { uses: data.shuffle, from: length.kept }
              first:    { uses: io.jsonl_sink, from: distinct.kept, with: { path: "${run:folder}/first.jsonl" } }
              second:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/second.jsonl" } }
              third:    { uses: io.jsonl_sink, from: length.rejected, with: { path: "${run:folder}/third.jsonl" } }
            """);
        CommandResult full = await command.RunAsync("run", pipeline, "--runs", "small", "--run-id", "r", "--no-environment", "--plain");
        Assert.True(full.ExitCode == 1, full.All);
        Assert.Single(full.Error.Split('\n'), line => line.StartsWith("failed: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", full.All, StringComparison.Ordinal);

        Assert.True(Mount("mount", "-o", "remount,size=200m", disk));
        CommandResult resumed = await command.RunAsync("run", "--resume", "r", "--runs", "small", "--no-environment", "--plain");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        CommandResult other = await command.RunAsync("run", pipeline, "--runs", "large", "--run-id", "r", "--no-environment", "--plain");
        Assert.True(other.ExitCode == 0, other.All);
        foreach (string file in new[] { "first", "second", "third" })
        {
            Assert.Equal(command.Read($"large/r/{file}.jsonl"), command.Read($"small/r/{file}.jsonl"));
        }
    }

    private static bool Mount(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
