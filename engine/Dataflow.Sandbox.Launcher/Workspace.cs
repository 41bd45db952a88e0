using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Where a program's files lie: memory file systems in the launcher's own mount namespace, made anew for each run
/// and gone with it. Bubblewrap can limit the bytes of a tmpfs but not its files, so this mounts them itself. They lie
/// under /dev/shm, which exists everywhere and holds nothing that the launcher needs; no other process sees them.
/// </summary>
internal sealed class Workspace
{
    private const ulong NoSetUserId = 2;
    private const ulong NoDevices = 4;
    private const ulong ReadOnly = 1;
    private const ulong Remount = 32;
    private const int Detach = 2;
    private const int BlockBytes = 4096;

    private readonly string owner;

    private Workspace(int? user) => owner = user is null ? "" : string.Create(CultureInfo.InvariantCulture, $",uid={user},gid={user}");

    /// <param name="user">Owner of /tmp, where it is not the launcher's own user.</param>
    /// <param name="container">Whether a container runtime needs a root to mount on and a place for what it keeps.</param>
    /// <exception cref="IOException">Nothing can be mounted: the launcher has no mount namespace of its own.</exception>
    public static Workspace Create(int? user, bool container)
    {
        Mount(WorkspacePaths.Root, NoSetUserId | NoDevices, container ? "size=64m,nr_inodes=10000,mode=0755" : "size=64k,nr_inodes=16,mode=0755");
        Directory.CreateDirectory(WorkspacePaths.Job);
        Directory.CreateDirectory(WorkspacePaths.Temporary);
        if (container)
        {
            Directory.CreateDirectory(WorkspacePaths.Out);
            ContainerRoot.Create();
        }

        return new Workspace(user);
    }

    /// <summary>Fills /job and empties /tmp; undone by disposing.</summary>
    public IDisposable Prepare(LaunchRequest request)
    {
        var mounted = new Mounted();
        try
        {
            if (request.Bundle is { Length: > 0 } bundle)
            {
                File.WriteAllBytes(Path.Combine(WorkspacePaths.Bundle, "config.json"), bundle);
                Mount(WorkspacePaths.Out, NoSetUserId | NoDevices, string.Create(CultureInfo.InvariantCulture, $"size={request.Limits.OutputBytes + (16 * BlockBytes)},nr_inodes=8,mode=0700{owner}"));
                mounted.Add(WorkspacePaths.Out);
            }

            long blocks = request.Files.Sum(file => (file.Content.Length / BlockBytes) + 1L) + 16;
            int folders = request.Files.Sum(file => file.Name.Count(c => c == '/'));
            Mount(WorkspacePaths.Job, NoSetUserId | NoDevices, string.Create(CultureInfo.InvariantCulture, $"size={blocks * BlockBytes},nr_inodes={request.Files.Length + folders + 4},mode=0755"));
            mounted.Add(WorkspacePaths.Job);
            foreach (LaunchFile file in request.Files)
            {
                Write(file);
            }

            Mount(WorkspacePaths.Job, NoSetUserId | NoDevices | ReadOnly | Remount, null);
            Mount(WorkspacePaths.Temporary, NoSetUserId | NoDevices, string.Create(CultureInfo.InvariantCulture, $"size={request.Limits.TemporaryBytes},nr_inodes={request.Limits.TemporaryFiles},mode=0700{owner}"));
            mounted.Add(WorkspacePaths.Temporary);
            return mounted;
        }
        catch
        {
            mounted.Dispose();
            throw;
        }
    }

    private static void Write(LaunchFile file)
    {
        string path = Path.Combine(WorkspacePaths.Job, file.Name);
        string folder = Path.GetDirectoryName(path)!;
        if (folder != WorkspacePaths.Job)
        {
            Directory.CreateDirectory(folder, (UnixFileMode)0b111_101_101);
        }

        File.WriteAllBytes(path, file.Content);
        File.SetUnixFileMode(path, (UnixFileMode)(file.Executable ? 0b101_101_101 : 0b100_100_100));
    }

    private static void Mount(string target, ulong flags, string? options)
    {
        if (Native.mount("tmpfs", target, "tmpfs", flags, options) != 0)
        {
            throw new IOException($"a private file system cannot be mounted: error {System.Runtime.InteropServices.Marshal.GetLastPInvokeError()}");
        }
    }

    private sealed class Mounted : IDisposable
    {
        private readonly Stack<string> targets = new();

        public void Add(string target) => targets.Push(target);

        public void Dispose()
        {
            while (targets.TryPop(out string? target))
            {
                _ = Native.umount2(target, Detach);
            }
        }
    }
}
