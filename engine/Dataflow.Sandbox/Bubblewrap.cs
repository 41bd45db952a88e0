using System.Globalization;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>
/// The bubblewrap command line: all namespaces new, read-only system, private /tmp, /dev/shm and /proc, no capability,
/// no network but an empty one of its own, seccomp. The launcher sets the limits while bubblewrap waits for it.
/// </summary>
internal sealed class Bubblewrap(string bwrap) : IProgramIsolation
{
    // Who a program seems to be inside; outside it is its slot's user.
    private const string InnerUser = "1000";

    private readonly byte[] seccomp = SeccompFilter.Build();

    public bool IsContainer => false;

    public string Description => "namespaces (user, pid, net, ipc, uts, cgroup, mount) by bubblewrap, seccomp";

    public LaunchRequest Compose(long id, SandboxRequest request, int? user)
    {
        return new LaunchRequest(
            id, [.. CommandLine(request)], ["PATH=/usr/bin:/bin"], request.Stdin, new Dictionary<int, byte[]> { [LaunchDescriptors.Seccomp] = seccomp },
            LaunchParts.Files(request), LaunchParts.Limits(request.Limits));
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
            "--ro-bind", SystemPaths.Usr, SystemPaths.Usr, .. SystemPaths.IntoUsr.SelectMany(name => new[] { "--symlink", "usr/" + name, "/" + name }),
            "--ro-bind-try", SystemPaths.Alternatives, SystemPaths.Alternatives, "--ro-bind-try", SystemPaths.LinkerCache, SystemPaths.LinkerCache,
        ]);
        foreach (string path in request.ReadOnlyPaths)
        {
            line.AddRange(["--ro-bind-try", path, path]);
        }

        line.AddRange(Hiding(request.Hidden));

        line.AddRange(
        [
            "--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/dev/shm", "--remount-ro", "/dev",
            "--ro-bind", WorkspacePaths.Job, SandboxRequest.JobFolder, "--bind", WorkspacePaths.Temporary, "/tmp",
            "--chdir", "/tmp", "--remount-ro", "/", "--seccomp", Text(LaunchDescriptors.Seccomp), "--",
        ]);
        line.AddRange(request.Command);
        return line;
    }

    private static IEnumerable<string> Hiding(HiddenPaths hidden)
    {
        string[] folders = hidden.Folders.Where(Directory.Exists).ToArray();
        return folders.SelectMany(folder => new[] { "--size", "65536", "--tmpfs", folder })
            .Concat(hidden.Steps().SelectMany(step => step.LinkTo is string target ? new[] { "--symlink", target, step.Path } : ["--ro-bind", step.Path, step.Path]))
            .Concat(folders.SelectMany(folder => new[] { "--remount-ro", folder }))
            // What cannot be read cannot be started either.
            .Concat(hidden.FilesLeft(withoutFolders: true).SelectMany(path => new[] { "--ro-bind", "/dev/null", path }));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
