namespace Dataflow.Sandbox;

/// <summary>What a sandbox can use on this machine.</summary>
/// <param name="Problem">Why there can be none, and how to mend it; null if there can.</param>
/// <param name="Enforced">What is enforced here, for people.</param>
public sealed record SandboxStatus(string? Problem, string? Bubblewrap, string? SetPrivileges, IReadOnlyList<string> Enforced);

/// <summary>Looks for the sandbox's parts and tries a program in it.</summary>
public static class SandboxProbe
{
    /// <summary>Looks for the parts without running anything.</summary>
    public static SandboxStatus Find()
    {
        string? bwrap = Locate("bwrap");
        if (!OperatingSystem.IsLinux() || bwrap is null)
        {
            return new SandboxStatus("no sandbox: bubblewrap is not installed; install it with 'apt-get install bubblewrap'", null, null, []);
        }

        bool root = Environment.IsPrivilegedProcess;
        string? setpriv = root ? Locate("setpriv") : null;
        if (root && setpriv is null)
        {
            return new SandboxStatus("no sandbox: setpriv is not installed; install it with 'apt-get install util-linux'", bwrap, null, []);
        }

        return new SandboxStatus(null, bwrap, setpriv,
        [
            "namespaces (user, pid, net, ipc, uts, cgroup, mount)", "seccomp", "read-only system, private /tmp", "wall and CPU time, address space, files, output",
            root ? "processes (a user id per slot)" : "processes (per user namespace)",
        ]);
    }

    /// <summary>Runs a program that does nothing; the status says what came of it.</summary>
    public static async Task<SandboxStatus> CheckAsync(CancellationToken cancellationToken)
    {
        SandboxStatus status = Find();
        if (status.Problem is not null)
        {
            return status;
        }

        try
        {
            await using SandboxPool pool = SandboxPool.Create(1);
            SandboxResult result = await pool.RunAsync(
                new SandboxRequest(["/bin/true"], new Dictionary<string, byte[]>(), [], new SandboxLimits()), cancellationToken);
            return result is { Outcome: SandboxOutcome.Exited, ExitCode: 0 }
                ? status
                : status with { Problem = $"no sandbox: a program that does nothing ended with {result.Outcome} {result.ExitCode}" };
        }
        catch (SandboxException failure)
        {
            string hint = failure.Message.Contains("namespace", StringComparison.OrdinalIgnoreCase) || failure.Message.Contains("Operation not permitted", StringComparison.Ordinal)
                ? "; unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone=1)"
                : "";
            return status with { Problem = "no sandbox: " + failure.Message + hint };
        }
    }

    /// <summary>Path of a program in the system's folders; null if it is not there.</summary>
    public static string? Locate(string program) =>
        new[] { "/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
