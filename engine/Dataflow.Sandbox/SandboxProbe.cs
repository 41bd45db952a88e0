namespace Dataflow.Sandbox;

/// <summary>Programs of this machine that a sandbox is made of.</summary>
internal sealed record SandboxParts(IProgramIsolation Isolation, string Unshare);

/// <summary>What a sandbox can use on this machine.</summary>
/// <param name="Problem">Why there can be none, and how to mend it; null if there can.</param>
/// <param name="Enforced">What is enforced here and how, for people.</param>
public sealed record SandboxStatus(string? Problem, IReadOnlyList<string> Enforced);

/// <summary>Looks for the sandbox's parts and tries a program in it.</summary>
public static class SandboxProbe
{
    /// <summary>Looks for the parts without running anything.</summary>
    internal static (SandboxParts? Parts, string? Problem) Find(SandboxBackend backend)
    {
        (string program, string package) = backend switch
        {
            SandboxBackend.Podman => ("podman", "podman crun"),
            SandboxBackend.Runsc => ("runsc", "runsc"),
            _ => ("bwrap", "bubblewrap"),
        };
        string? found = Locate(program);
        string? unshare = Locate("unshare");
        return !OperatingSystem.IsLinux() ? (null, "no sandbox: it needs Linux")
            : found is null ? (null, $"no sandbox: {program} is not installed; install it with 'apt-get install {package}'")
            : unshare is null ? (null, "no sandbox: unshare is not installed; install it with 'apt-get install util-linux'")
            : backend != SandboxBackend.Bubblewrap && !Environment.IsPrivilegedProcess ? (null, $"no sandbox: {program} needs root here; use bubblewrap as an ordinary user")
            : (new SandboxParts(backend == SandboxBackend.Bubblewrap ? new Bubblewrap(found) : new Containers(backend, found), unshare), null);
    }

    /// <summary>Runs a program that does nothing; the status says what came of it.</summary>
    public static async Task<SandboxStatus> CheckAsync(SandboxBackend backend, CancellationToken cancellationToken)
    {
        try
        {
            await using SandboxPool pool = SandboxPool.Create(1, backend);
            SandboxResult result = await pool.RunAsync(new SandboxRequest(["/bin/true"], new Dictionary<string, SandboxFile>(), [], new SandboxLimits()), cancellationToken);
            return result is { Outcome: SandboxOutcome.Exited, ExitCode: 0 }
                ? new SandboxStatus(null, await pool.EnforcedAsync(cancellationToken))
                : new SandboxStatus($"no sandbox: a program that does nothing ended with {result.Outcome} {result.ExitCode}", []);
        }
        catch (SandboxException failure)
        {
            bool namespaces = failure.Message.Contains("namespace", StringComparison.OrdinalIgnoreCase) || failure.Message.Contains("Operation not permitted", StringComparison.Ordinal)
                || failure.Message.Contains("unshare", StringComparison.Ordinal);
            string hint = namespaces ? "; unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone=1)" : "";
            string start = failure.Message.StartsWith("no sandbox", StringComparison.Ordinal) ? "" : "no sandbox: ";
            return new SandboxStatus(start + failure.Message + hint, []);
        }
    }

    /// <summary>Path of a program in the system's folders; null if it is not there.</summary>
    public static string? Locate(string program) =>
        new[] { "/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
