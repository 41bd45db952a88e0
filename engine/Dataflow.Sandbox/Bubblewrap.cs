using System.Globalization;

namespace Dataflow.Sandbox;

/// <summary>
/// The bubblewrap command line: all namespaces new, read-only system, private /tmp, /dev/shm and /proc, no capability,
/// no network but an empty one of its own, seccomp. Limits are set by the shell inside, just before the program.
/// </summary>
internal sealed class Bubblewrap(string bwrap, string? setpriv)
{
    private const int SeccompDescriptor = 10;
    private const int FirstFileDescriptor = 11;

    // -u is not in every shell; dash and bash both have -v -n -f -t -c, and dash -p, bash -u for processes.
    private const string LimitScript =
        "ulimit -c 0 && ulimit -v $1 && ulimit -n $2 && ulimit -f $3 && ulimit -t $4 && { ulimit -p $5 2>/dev/null || ulimit -u $5; } || exit 126; "
        + "shift 5; printf S >&9; exec \"$@\" 9>&-";

    private readonly byte[] seccomp = SeccompFilter.Build();

    /// <param name="uid">User the sandbox runs as, where we are root and may choose.</param>
    /// <returns>Command line and the contents of the descriptors it names.</returns>
    public (string[] Arguments, Dictionary<int, byte[]> Files) Compose(SandboxRequest request, int uid)
    {
        SandboxLimits limits = request.Limits;
        var files = new Dictionary<int, byte[]> { [SeccompDescriptor] = seccomp };
        var line = new List<string>();
        if (setpriv is not null)
        {
            line.AddRange([setpriv, $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--"]);
        }

        line.AddRange(
        [
            bwrap, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--disable-userns",
            "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox",
            "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
            "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
            "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/dev/shm", "--remount-ro", "/dev",
            "--size", limits.TemporaryBytes.ToString(CultureInfo.InvariantCulture), "--tmpfs", "/tmp",
        ]);
        int descriptor = FirstFileDescriptor;
        foreach ((string name, byte[] content) in request.Files)
        {
            if (name.Contains('/', StringComparison.Ordinal) || name is "" or "." or "..")
            {
                throw new ArgumentException($"'{name}' is not a plain file name");
            }

            files[descriptor] = content;
            line.AddRange(["--ro-bind-data", descriptor.ToString(CultureInfo.InvariantCulture), "/tmp/" + name]);
            descriptor++;
        }

        line.AddRange(["--chdir", "/tmp", "--remount-ro", "/", "--seccomp", SeccompDescriptor.ToString(CultureInfo.InvariantCulture), "--", "/bin/sh", "-c", LimitScript, "sh"]);
        line.AddRange(new long[]
        {
            limits.MemoryBytes / 1024, limits.OpenFiles, limits.FileBytes / 512, Math.Max(1, (long)Math.Ceiling(limits.CpuTime.TotalSeconds)), limits.Processes,
        }.Select(number => number.ToString(CultureInfo.InvariantCulture)));
        line.AddRange(request.Command);
        return ([.. line], files);
    }
}
