using System.Globalization;
using System.Text.Json;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>
/// A program under a container runtime (OCI). It is given the launcher's file systems, no network and no capability;
/// the slot's control group, which the launcher and so the runtime are in, bounds its memory and processes. Such a
/// runtime passes no descriptor on, so a shell inside opens the file of results.
/// </summary>
internal sealed class Containers(SandboxBackend backend, string runtime) : IProgramIsolation
{
    private const string Script = "printf S > /out/started; exec 8> /out/result; exec \"$@\"";

    public bool IsContainer => true;

    public string Description => backend == SandboxBackend.Runsc ? "a kernel in user space (gVisor)" : "a container by podman, its seccomp profile";

    public LaunchRequest Compose(long id, SandboxRequest request, int? user)
    {
        string[] command = ["/bin/sh", "-c", Script, "sh", .. request.Command];
        Dictionary<string, string> environment = new(request.Environment, StringComparer.Ordinal) { ["PATH"] = "/usr/bin:/bin", ["HOME"] = "/tmp", ["LANG"] = "C.UTF-8" };
        string name = string.Create(CultureInfo.InvariantCulture, $"dataflow-{Environment.ProcessId}-{user}-{id}");
        string[] line = backend == SandboxBackend.Runsc
            ? [runtime, "--root", "/dev/shm/bundle/state", "--platform=ptrace", "--network=none", "--ignore-cgroups", "run", "-bundle", WorkspacePaths.Bundle, name]
            : [runtime, .. Podman(request, user, name, environment), .. command];
        return new LaunchRequest(
            id, line, ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"], request.Stdin, [], LaunchParts.Files(request), LaunchParts.Limits(request.Limits),
            JsonSerializer.SerializeToUtf8Bytes(Bundle(request, user, command, environment)));
    }

    private static IEnumerable<(string Source, string Target, bool Writable)> Mounts(SandboxRequest request)
    {
        yield return (SystemPaths.Usr, SystemPaths.Usr, false);
        foreach (string path in request.ReadOnlyPaths.Concat([SystemPaths.Alternatives, SystemPaths.LinkerCache]).Where(path => Directory.Exists(path) || File.Exists(path)))
        {
            yield return (path, path, false);
        }

        foreach (string path in request.Hidden.FilesLeft(withoutFolders: false))
        {
            yield return ("/dev/null", path, false);
        }

        yield return (WorkspacePaths.Job, SandboxRequest.JobFolder, false);
        yield return (WorkspacePaths.Temporary, "/tmp", true);
        yield return (WorkspacePaths.Out, "/out", true);
    }

    private static (string Name, long Value)[] ResourceLimits(SandboxLimits limits) =>
    [
        ("cpu", LaunchParts.CpuSeconds(limits)), ("fsize", limits.FileBytes), ("data", limits.MemoryBytes + limits.MappingBytes), ("nproc", limits.Processes), ("nofile", limits.OpenFiles), ("core", 0),
    ];

    private static List<string> Podman(SandboxRequest request, int? user, string name, Dictionary<string, string> environment)
    {
        List<string> line =
        [
            // What it keeps of a container that had to be killed goes with the launcher.
            "--root", WorkspacePaths.Bundle + "/storage", "--runroot", WorkspacePaths.Bundle + "/run", "--storage-driver", "vfs",
            "run", "--rm", "-i", "--name", name, "--network", "none", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges",
            "--cgroups=disabled", "--log-driver=none", "--hostname", "sandbox", "--workdir", "/tmp", "--user", string.Create(CultureInfo.InvariantCulture, $"{user}:{user}"), "--no-hosts",
        ];
        foreach ((string limit, long value) in ResourceLimits(request.Limits))
        {
            line.AddRange(["--ulimit", string.Create(CultureInfo.InvariantCulture, $"{limit}={value}:{value}")]);
        }

        foreach ((string variable, string value) in environment)
        {
            line.AddRange(["--env", $"{variable}={value}"]);
        }

        foreach ((string source, string target, bool writable) in Mounts(request))
        {
            line.AddRange(["--volume", $"{source}:{target}:{(writable ? "rw" : "ro")}"]);
        }

        line.AddRange(["--rootfs", WorkspacePaths.Bundle + "/rootfs"]);
        return line;
    }

    // https://github.com/opencontainers/runtime-spec/blob/main/config.md
    private static Dictionary<string, object> Bundle(SandboxRequest request, int? user, string[] command, Dictionary<string, string> environment) => new()
    {
        ["ociVersion"] = "1.0.0",
        ["process"] = new Dictionary<string, object>
        {
            ["terminal"] = false, ["user"] = new { uid = user ?? 0, gid = user ?? 0 }, ["args"] = command, ["env"] = environment.Select(pair => $"{pair.Key}={pair.Value}").ToArray(), ["cwd"] = "/tmp",
            ["capabilities"] = new Dictionary<string, object>(), ["noNewPrivileges"] = true,
            ["rlimits"] = ResourceLimits(request.Limits).Select(limit => new { type = "RLIMIT_" + limit.Name.ToUpperInvariant(), soft = limit.Value, hard = limit.Value }).ToArray(),
        },
        ["root"] = new Dictionary<string, object> { ["path"] = "rootfs", ["readonly"] = true },
        ["hostname"] = "sandbox",
        ["mounts"] = new[] { (object)new { destination = "/proc", type = "proc" } }.Concat(Mounts(request).Select(mount => (object)new
        {
            destination = mount.Target, type = "bind", source = mount.Source, options = new[] { "rbind", mount.Writable ? "rw" : "ro" },
        })).ToArray(),
        ["linux"] = new Dictionary<string, object> { ["namespaces"] = new[] { "pid", "network", "ipc", "uts", "mount" }.Select(type => new { type }).ToArray() },
    };
}
