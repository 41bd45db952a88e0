namespace Dataflow.Sandbox.Tests;

/// <summary>Launchers that come up, or do not.</summary>
public sealed class LauncherProcessTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("dataflow-launcher-");

    public void Dispose() => folder.Delete(recursive: true);

    // In place of unshare: ends as told for so many times, then does its work.
    private SandboxParts Parts(int times, string ending)
    {
        (SandboxParts? parts, string? problem) = SandboxProbe.Find(SandboxBackend.Bubblewrap);
        Assert.Null(problem);
        string script = Path.Combine(folder.FullName, "unshare");
        File.WriteAllText(script, $"#!/bin/sh\necho >> {folder.FullName}/started\nif [ $(wc -l < {folder.FullName}/started) -le {times} ]; then {ending}; fi\nexec {parts!.Unshare} \"$@\"\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return parts with { Unshare = script };
    }

    private int Started => File.ReadAllLines(Path.Combine(folder.FullName, "started")).Length;

    [Fact]
    public async Task A_launcher_killed_as_it_comes_up_is_started_again()
    {
        (LauncherProcess process, _) = await LauncherProcess.StartAsync(Parts(2, "kill -9 $$"), null, false, CancellationToken.None);
        await process.DisposeAsync();
        Assert.Equal(3, Started);
    }

    [Fact]
    public async Task Whoever_kills_every_launcher_ends_the_trying()
    {
        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => LauncherProcess.StartAsync(Parts(100, "kill -9 $$"), null, false, CancellationToken.None));
        Assert.Contains("ended 6 times without a word", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_launcher_complains_of_is_told_at_once()
    {
        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => LauncherProcess.StartAsync(Parts(100, "echo 'no namespaces left' >&2; exit 1"), null, false, CancellationToken.None));
        Assert.EndsWith("did not come up: no namespaces left", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, Started);
    }
}
