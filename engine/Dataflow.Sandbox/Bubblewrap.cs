using System.Globalization;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>
/// The bubblewrap command line: all namespaces new, read-only system, private /tmp, /dev/shm and /proc, no capability,
/// no network but an empty one of its own, seccomp. Limits are set by the shell inside, just before the program.
/// </summary>
internal sealed class Bubblewrap(string bwrap, string? setpriv)
{
    private const int SeccompDescriptor = 10;

    // Who a program seems to be inside; outside it is its slot's user.
    private const string InnerUser = "1000";

    // -u is not in every shell; dash and bash both have -d -n -f -t -s -c, and dash -p, bash -u for processes. If memory
    // runs out the kernel is to end this program, not the launcher, which is in the same control group.
    private const string LimitScript =
        "ulimit -c 0 && ulimit -d $1 && ulimit -n $2 && ulimit -f $3 && ulimit -t $4 && ulimit -s 8192 && { ulimit -p $5 2>/dev/null || ulimit -u $5; } && echo 1000 > /proc/self/oom_score_adj || exit 126; "
        + "shift 5; printf S >&9; exec \"$@\" 9>&-";

    private readonly byte[] seccomp = SeccompFilter.Build();

    /// <summary>Whether a program runs as a user of its own on this machine, which only root can arrange.</summary>
    public bool UserPerSlot => setpriv is not null;

    /// <param name="user">User the sandbox runs as, where we are root and may choose.</param>
    public LaunchRequest Compose(long id, SandboxRequest request, int user)
    {
        SandboxLimits limits = request.Limits;
        return new LaunchRequest(
            id, [.. CommandLine(request, user)], ["PATH=/usr/bin:/bin"], request.Stdin, new Dictionary<int, byte[]> { [SeccompDescriptor] = seccomp },
            request.Files.Select(file => new LaunchFile(Checked(file.Key), file.Value.Content, file.Value.Executable)).ToArray(),
            new LaunchLimits((int)limits.WallTime.TotalMilliseconds, limits.OutputBytes, limits.MemoryBytes, limits.Processes, limits.TemporaryBytes, limits.TemporaryFiles),
            UserPerSlot ? user : null);
    }

    private List<string> CommandLine(SandboxRequest request, int user)
    {
        SandboxLimits limits = request.Limits;
        var line = new List<string>();
        if (setpriv is not null)
        {
            line.AddRange([setpriv, $"--reuid={user}", $"--regid={user}", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--"]);
        }

        line.AddRange(
        [
            bwrap, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--disable-userns",
            "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--uid", InnerUser, "--gid", InnerUser,
            "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
        ]);
        foreach ((string name, string value) in request.Environment)
        {
            line.AddRange(["--setenv", name, value]);
        }

        line.AddRange(
        [
            "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
        ]);
        foreach (string path in request.ReadOnlyPaths)
        {
            line.AddRange(["--ro-bind-try", path, path]);
        }

        line.AddRange(
        [
            "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/dev/shm", "--remount-ro", "/dev",
            "--ro-bind", WorkspacePaths.Job, SandboxRequest.JobFolder, "--bind", WorkspacePaths.Temporary, "/tmp",
            "--chdir", "/tmp", "--remount-ro", "/", "--seccomp", Text(SeccompDescriptor), "--", "/bin/sh", "-c", LimitScript, "sh",
            Text((limits.MemoryBytes + limits.MappingBytes) / 1024), Text(limits.OpenFiles), Text(limits.FileBytes / 512),
            Text(Math.Max(1, (long)Math.Ceiling(limits.CpuTime.TotalSeconds))), Text(limits.Processes),
        ]);
        line.AddRange(request.Command);
        return line;
    }

    private static string Checked(string name) =>
        name.Split('/').All(part => part is not ("" or "." or "..")) ? name : throw new ArgumentException($"'{name}' is not a relative path of plain names");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
