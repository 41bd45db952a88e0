using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Dataflow.Sandbox.Tests;

public sealed partial class SandboxPoolTests : IAsyncDisposable
{
    private readonly SandboxPool pool = SandboxPool.Create(2);

    public ValueTask DisposeAsync() => pool.DisposeAsync();

    private Task<SandboxResult> RunAsync(string python, SandboxLimits? limits = null, string stdin = "") => pool.RunAsync(
        new SandboxRequest(["/usr/bin/python3", "-I", "-S", "/job/main.py"], new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(python) }, Encoding.UTF8.GetBytes(stdin), limits ?? new SandboxLimits()),
        CancellationToken.None);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    [Fact]
    public async Task A_program_reads_its_input_and_its_output_and_exit_code_come_back()
    {
        SandboxResult result = await RunAsync("import sys; print(sys.stdin.read().upper()); sys.stderr.write('e'); sys.exit(3)", stdin: "abc");
        Assert.Equal((SandboxOutcome.Exited, 3, "ABC\n", "e"), (result.Outcome, result.ExitCode, Text(result.Stdout), Text(result.Stderr)));
    }

    [Fact]
    public async Task A_program_that_ignores_signals_is_ended_at_its_wall_time()
    {
        SandboxResult result = await RunAsync(
            "import signal,time\nfor s in range(1,32):\n  try: signal.signal(s, signal.SIG_IGN)\n  except Exception: pass\ntime.sleep(60)",
            new SandboxLimits { WallTime = TimeSpan.FromSeconds(1) });
        Assert.Equal(SandboxOutcome.TimedOut, result.Outcome);
        Assert.InRange(result.WallTime.TotalSeconds, 0.9, 10);
    }

    [Theory]
    [InlineData("while True: pass", SandboxOutcome.TimedOut)]
    [InlineData("import os; os.kill(os.getpid(), 9)", SandboxOutcome.Signaled)]
    public async Task A_program_that_uses_up_its_processor_time_runs_out_of_time_and_no_other_that_is_killed(string python, SandboxOutcome outcome) =>
        Assert.Equal(outcome, (await RunAsync(python, new SandboxLimits { CpuTime = TimeSpan.FromSeconds(1), WallTime = TimeSpan.FromSeconds(20) })).Outcome);

    [Fact]
    public async Task The_processor_time_of_all_processes_is_told()
    {
        SandboxResult result = await RunAsync("import os, time\ndef burn():\n  while time.process_time() < 0.4: pass\nif os.fork() == 0:\n  burn()\n  os._exit(0)\nos.wait()\nburn()");
        Assert.InRange(result.CpuTime.TotalSeconds, 0.75, 2);
    }

    [Fact]
    public async Task Time_in_which_a_busy_machine_keeps_a_program_from_running_is_not_its_own()
    {
        await using var crowd = SandboxPool.Create(5 * Environment.ProcessorCount);
        var limits = new SandboxLimits { WallTime = TimeSpan.FromSeconds(2), CpuTime = TimeSpan.FromSeconds(2) };
        Task<SandboxResult> Of(string python) => crowd.RunAsync(
            new SandboxRequest(["/usr/bin/python3", "-I", "-S", "-c", python], new Dictionary<string, SandboxFile>(), [], limits), CancellationToken.None);
        Task<SandboxResult[]> working = Task.WhenAll(Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Of("import time\nwhile time.process_time() < 1: pass")));
        SandboxResult sleeping = await Of("import time; time.sleep(60)");
        Assert.Equal(SandboxOutcome.TimedOut, sleeping.Outcome);
        Assert.InRange(sleeping.WallTime.TotalSeconds, 1.9, 30);
        Assert.All(await working, result => Assert.Equal((SandboxOutcome.Exited, 0), (result.Outcome, result.ExitCode)));
        Assert.Contains(await working, result => result.WallTime > limits.WallTime);
    }

    [Fact]
    public async Task A_program_that_keeps_its_own_processes_waiting_is_lent_no_time()
    {
        var limits = new SandboxLimits { WallTime = TimeSpan.FromSeconds(2), CpuTime = TimeSpan.FromSeconds(2) };
        SandboxResult result = await RunAsync($"import os\nfor _ in range({Math.Min(15 * Environment.ProcessorCount, 50)}):\n  if os.fork() == 0:\n    while True: pass\nwhile True: pass", limits);
        Assert.Equal(SandboxOutcome.TimedOut, result.Outcome);
        // With what they wait for each other they would go on until each has used up its own, half a minute on two processors.
        Assert.InRange(result.WallTime.TotalSeconds, 1.9, 15);
    }

    [Fact]
    public async Task Programs_that_run_at_one_time_are_users_of_their_own_whatever_their_pool()
    {
        await using var other = SandboxPool.Create(2);
        string marker = Guid.NewGuid().ToString("N");
        SandboxRequest request = new(["/usr/bin/python3", "-I", "-S", "-c", "import time; time.sleep(4)", marker], new Dictionary<string, SandboxFile>(), [], new SandboxLimits());
        Task<SandboxResult[]> running = Task.WhenAll(new[] { pool, pool, other, other }.Select(each => each.RunAsync(request, CancellationToken.None)));
        var users = new Dictionary<string, string>();
        for (int attempt = 0; attempt < 300 && users.Count < 4; attempt++)
        {
            await Task.Delay(20);
            users = Processes.UsersOf("/usr/bin/python3", marker);
        }

        Assert.Equal(4, users.Count);
        // An ordinary user has no ids to give away.
        Assert.Equal(Environment.IsPrivilegedProcess ? 4 : 1, users.Values.Distinct().Count());
        Assert.All(await running, result => Assert.Equal(0, result.ExitCode));
    }

    [Theory]
    [InlineData("import socket; socket.create_connection(('127.0.0.1', 22), 2)")]
    [InlineData("open('/etc/shadow').read()")]
    [InlineData("import os; os.listdir('/root')")]
    [InlineData("open('/usr/x', 'w')")]
    [InlineData("open('/x', 'w')")]
    [InlineData("import socket; socket.socket(17, socket.SOCK_RAW)")]
    [InlineData("import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.unshare(0x10000000) == 0")]
    [InlineData("x = bytearray(4 << 30)")]
    [InlineData("import os; os.kill(os.getppid() + 100000, 9)")]
    [InlineData("import os; os.setuid(0)")]
    public async Task What_a_program_must_not_do_fails_inside_the_sandbox(string python)
    {
        SandboxResult result = await RunAsync(python);
        Assert.Equal(SandboxOutcome.Exited, result.Outcome);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Error", Text(result.Stderr), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_host_environment_is_not_visible()
    {
        Environment.SetEnvironmentVariable("DATAFLOW_TEST_SECRET", "hunter2-hunter2");
        SandboxResult result = await RunAsync(
            "import os\nprint(dict(os.environ))\nfor p in os.listdir('/proc'):\n  if p.isdigit():\n    try: print(open(f'/proc/{p}/environ').read())\n    except OSError: pass");
        Assert.DoesNotContain("hunter2", Text(result.Stdout), StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task A_fork_bomb_is_contained_and_leaves_nothing_behind()
    {
        SandboxResult result = await RunAsync("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", new SandboxLimits { WallTime = TimeSpan.FromSeconds(1) });
        Assert.Equal(SandboxOutcome.TimedOut, result.Outcome);
        SandboxResult next = await RunAsync("print(1)");
        Assert.Equal("1\n", Text(next.Stdout));
    }

    [Fact]
    public async Task Endless_output_is_cut_and_the_program_ended()
    {
        SandboxResult result = await RunAsync("while True: print('x' * 10000)", new SandboxLimits { OutputBytes = 100_000 });
        Assert.Equal(SandboxOutcome.OutputExceeded, result.Outcome);
        Assert.Equal(100_000, result.Stdout.Length);
    }

    [Fact]
    public async Task A_daemon_that_outlives_its_parent_dies_with_the_sandbox()
    {
        string marker = "dataflow-orphan-" + Guid.NewGuid().ToString("N");
        SandboxResult result = await RunAsync($"import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    os.execv('/usr/bin/python3', ['{marker}', '-c', 'import time; time.sleep(300)'])\n  os._exit(0)\nprint('done')");
        Assert.Equal("done\n", Text(result.Stdout));
        Assert.False(Processes.AnyWith(marker));
    }

    [Fact]
    public async Task Three_hundred_programs_lose_no_verdict()
    {
        SandboxResult[] results = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => RunAsync($"print({i})")));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}\n"), results.Select(result => Text(result.Stdout)));
    }

    [Fact]
    public async Task A_descriptor_that_the_engine_left_open_does_not_reach_the_program()
    {
        using SafeFileHandle leaked = Native.Open("/etc/hostname", 0, 0);
        Assert.False(leaked.IsInvalid);
        await using SandboxPool fresh = SandboxPool.Create(1);
        SandboxResult result = await fresh.RunAsync(
            new SandboxRequest(["/bin/sh", "-c", "ls -l /proc/self/fd"], new Dictionary<string, SandboxFile>(), [], new SandboxLimits()), CancellationToken.None);
        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("hostname", Text(result.Stdout), StringComparison.Ordinal);
        Assert.Equal(["0", "1", "2", "3", "8"], DescriptorLine().Matches(Text(result.Stdout)).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Cancelling_ends_the_program_before_its_slot_is_free_again()
    {
        string marker = "dataflow-cancelled-" + Guid.NewGuid().ToString("N");
        using var cancel = new CancellationTokenSource();
        Task<SandboxResult> running = pool.RunAsync(
            new SandboxRequest(["/bin/sh", "-c", $"sleep 300; echo {marker}"], new Dictionary<string, SandboxFile>(), [], new SandboxLimits { WallTime = TimeSpan.FromMinutes(5) }), cancel.Token);
        var waiting = Stopwatch.StartNew();
        while (!Processes.AnyWith(marker))
        {
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(60) && !running.IsCompleted, "the program never started");
            await Task.Delay(20);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(Processes.AnyWith(marker));
        Assert.Equal("1\n", Text((await RunAsync("print(1)")).Stdout));
    }

    [Fact]
    public async Task A_launcher_killed_at_any_moment_of_a_run_leaves_nothing_running_and_loses_no_verdict()
    {
        await using SandboxPool single = SandboxPool.Create(1);
        string marker = "dataflow-left-" + Guid.NewGuid().ToString("N");
        string daemon = $"import os\nif os.fork() == 0:\n  os.setsid()\n  os.execv('/usr/bin/python3', ['{marker}', '-c', 'import time; time.sleep(300)'])\nprint('done')";
        var request = new SandboxRequest(["/usr/bin/python3", "-I", "-S", "/job/main.py"], new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(daemon) }, [], new SandboxLimits());
        await single.RunAsync(request, CancellationToken.None);
        for (int delay = 0; delay < 25; delay++)
        {
            int launcher = single.Launchers[0];
            Task<SandboxResult> running = single.RunAsync(request, CancellationToken.None);
            // A run takes about 13 ms; the places in it are what counts, not the time.
            await Task.Delay(delay % 15);
            Process.GetProcessById(launcher).Kill();
            Assert.Equal("done\n", Text((await running).Stdout));
            Assert.False(Processes.AnyWith(marker), $"something was left running after {delay % 15} ms");
        }
    }

    [GeneratedRegex(@" (\d+) -> ")]
    private static partial Regex DescriptorLine();
}

internal static partial class Native
{
    // Without close-on-exec, as a careless host program would open it.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags, int mode);
}
