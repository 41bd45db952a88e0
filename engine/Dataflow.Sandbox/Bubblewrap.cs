using System.Globalization;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>
/// The bubblewrap command line: all namespaces new, read-only system, private /tmp, /dev/shm and /proc, no capability,
/// no network but an empty one of its own, seccomp. The launcher sets the limits while bubblewrap waits for it.
/// </summary>
internal sealed class Bubblewrap(string bwrap)
{
    // Who a program seems to be inside; outside it is its slot's user.
    private const string InnerUser = "1000";

    private readonly byte[] seccomp = SeccompFilter.Build();

    public LaunchRequest Compose(long id, SandboxRequest request)
    {
        SandboxLimits limits = request.Limits;
        return new LaunchRequest(
            id, [.. CommandLine(request)], ["PATH=/usr/bin:/bin"], request.Stdin, new Dictionary<int, byte[]> { [LaunchDescriptors.Seccomp] = seccomp },
            request.Files.Select(file => new LaunchFile(Checked(file.Key), file.Value.Content, file.Value.Executable)).ToArray(),
            new LaunchLimits(
                (int)limits.WallTime.TotalMilliseconds, Math.Max(1, (int)Math.Ceiling(limits.CpuTime.TotalSeconds)), limits.OutputBytes, limits.MemoryBytes, limits.MemoryBytes + limits.MappingBytes,
                limits.Processes, limits.OpenFiles, limits.FileBytes, limits.TemporaryBytes, limits.TemporaryFiles));
    }

    private List<string> CommandLine(SandboxRequest request)
    {
        List<string> line =
        [
            bwrap, "--json-status-fd", Text(LaunchDescriptors.Status), "--block-fd", Text(LaunchDescriptors.Go), "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--disable-userns",
            "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--uid", InnerUser, "--gid", InnerUser,
            "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8",
        ];
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
            "--chdir", "/tmp", "--remount-ro", "/", "--seccomp", Text(LaunchDescriptors.Seccomp), "--",
        ]);
        line.AddRange(request.Command);
        return line;
    }

    private static string Checked(string name) =>
        name.Split('/').All(part => part is not ("" or "." or "..")) ? name : throw new ArgumentException($"'{name}' is not a relative path of plain names");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
