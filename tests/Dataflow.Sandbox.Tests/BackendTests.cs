using System.Text;

namespace Dataflow.Sandbox.Tests;

/// <summary>The backends that are an option; skipped with the reason where they are not installed or need root.</summary>
public sealed class BackendTests
{
    [Theory]
    [InlineData(SandboxBackend.Podman)]
    [InlineData(SandboxBackend.Runsc)]
    public async Task A_container_backend_runs_limits_and_isolates_as_bubblewrap_does(SandboxBackend backend)
    {
        SandboxStatus status = await SandboxProbe.CheckAsync(backend, CancellationToken.None);
        Assert.SkipWhen(status.Problem is not null && (status.Problem.Contains("not installed", StringComparison.Ordinal) || status.Problem.Contains("needs root", StringComparison.Ordinal)), status.Problem ?? "");
        Assert.True(status.Problem is null, status.Problem);
        await using SandboxPool pool = SandboxPool.Create(1, backend);
        SandboxResult said = await RunAsync(pool, "import os, sys\nos.write(8, b'value')\nprint(sys.stdin.read().upper(), sorted(os.listdir('/job')), os.getcwd())\nsys.exit(3)");
        Assert.Equal((SandboxOutcome.Exited, 3, "ABC ['main.py'] /tmp\n", "value"), (said.Outcome, said.ExitCode, Encoding.UTF8.GetString(said.Stdout), Encoding.UTF8.GetString(said.Result)));
        string[] forbidden =
        [
            "import socket; socket.create_connection(('127.0.0.1', 22), 2)", "open('/etc/shadow').read()", "open('/usr/x', 'w')", "open('/job/x', 'w')", "import os; os.listdir('/root')", "import os; os.setuid(0)",
        ];
        foreach (string program in forbidden)
        {
            SandboxResult refused = await RunAsync(pool, program);
            Assert.True(refused is { Outcome: SandboxOutcome.Exited, ExitCode: 1 }, $"{program}: {refused.Outcome} {refused.ExitCode}");
        }

        Assert.Equal(SandboxOutcome.TimedOut, (await RunAsync(pool, "while True: pass")).Outcome);
        Assert.Equal(SandboxOutcome.OutputExceeded, (await RunAsync(pool, "while True: print('x' * 10000)")).Outcome);
        Assert.Contains((await RunAsync(pool, "x = [bytes(bytearray(1 << 20) + b'x') for _ in range(4000)]")).Outcome, new[] { SandboxOutcome.MemoryExceeded, SandboxOutcome.Exited });
        Assert.Equal("1\n", Encoding.UTF8.GetString((await RunAsync(pool, "print(1)")).Stdout));
    }

    private static Task<SandboxResult> RunAsync(SandboxPool pool, string python) => pool.RunAsync(
        new SandboxRequest(
            ["/usr/bin/python3", "-I", "-S", "/job/main.py"], new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(python) }, "abc"u8.ToArray(),
            new SandboxLimits { WallTime = TimeSpan.FromSeconds(3), MemoryBytes = 256_000_000, OutputBytes = 100_000 }),
        CancellationToken.None);
}
