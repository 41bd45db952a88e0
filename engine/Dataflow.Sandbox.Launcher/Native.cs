using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Launcher;

/// <summary>The few libc calls that the launcher needs; .NET's own process class cannot reap what it did not start.</summary>
internal static partial class Native
{
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int Kill = 9;
    public const short PollIn = 1;
    public const int AnyChild = 0;
    public const int Exited = 4;
    public const int LeaveZombie = 0x1000000;
    public const int SetDescriptorFlags = 2;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(Span<int> fds, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int fd, Span<byte> buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, ReadOnlySpan<byte> buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(Span<PollDescriptor> descriptors, ulong count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mount(string source, string target, string type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int umount2(string target, int flags);

    /// <param name="limit">Soft and hard limit.</param>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int prlimit64(int pid, int resource, ReadOnlySpan<ulong> limit, nint old);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long syscall(long number, nint a, nint b, nint c);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rmdir(string path);

    /// <summary>With <see cref="LeaveZombie"/>: tells that a child has ended without reaping it.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int idType, int id, Span<int> information, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int wait4(int pid, out int status, int options, Span<long> usage);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn(out int pid, string path, nint actions, nint attributes, nint argv, nint envp);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(nint actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(nint actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(nint actions, int from, int to);
}

[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public int Fd;
    public short Events;
    public short Returned;
}
