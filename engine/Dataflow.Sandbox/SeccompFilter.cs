using System.Runtime.InteropServices;

namespace Dataflow.Sandbox;

/// <summary>
/// A seccomp-BPF program that refuses what no graded program needs: tracing, mounting, namespaces, kernel modules,
/// keyrings, bpf, io_uring, unmapped memory, exotic sockets, terminal injection. Everything else is left to the namespaces.
/// </summary>
internal static class SeccompFilter
{
    private const ushort LoadWord = 0x20;
    private const ushort JumpEqual = 0x15;
    private const ushort JumpGreaterEqual = 0x35;
    private const ushort JumpSet = 0x45;
    private const ushort Return = 0x06;
    private const uint Allow = 0x7fff0000;
    private const uint KillProcess = 0x80000000;
    private const uint NotPermitted = 0x00050000 | 1;
    private const uint NotImplemented = 0x00050000 | 38;
    private const uint NoSuchFamily = 0x00050000 | 97;

    // New user, mount, pid, net, ipc, uts and cgroup namespaces.
    private const uint NamespaceFlags = 0x10000000 | 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000;

    /// <summary>The filter for this machine's architecture, as an array of sock_filter.</summary>
    /// <exception cref="SandboxException">No table for the architecture.</exception>
    public static byte[] Build() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Build(0xC000003E, X64Denied, clone: 56, clone3: 435, ioctl: 16, socket: 41, x32Bit: 0x40000000),
        Architecture.Arm64 => Build(0xC00000B7, Arm64Denied, clone: 220, clone3: 435, ioctl: 29, socket: 198, x32Bit: null),
        var other => throw new SandboxException($"no seccomp table for {other}"),
    };

    private static byte[] Build(uint architecture, uint[] denied, uint clone, uint clone3, uint ioctl, uint socket, uint? x32Bit)
    {
        var code = new List<byte>();
        void Add(ushort operation, byte whenTrue, byte whenFalse, uint value)
        {
            code.AddRange(BitConverter.GetBytes(operation));
            code.Add(whenTrue);
            code.Add(whenFalse);
            code.AddRange(BitConverter.GetBytes(value));
        }

        Add(LoadWord, 0, 0, 4);
        Add(JumpEqual, 1, 0, architecture);
        Add(Return, 0, 0, KillProcess);
        Add(LoadWord, 0, 0, 0);
        if (x32Bit is uint bit)
        {
            // The x32 numbering of the same calls would slip past the table.
            Add(JumpGreaterEqual, 0, 1, bit);
            Add(Return, 0, 0, NotPermitted);
        }

        foreach (uint call in denied)
        {
            Add(JumpEqual, 0, 1, call);
            Add(Return, 0, 0, NotPermitted);
        }

        // clone3's flags lie in memory, where a filter cannot look: callers fall back to clone.
        Add(JumpEqual, 0, 1, clone3);
        Add(Return, 0, 0, NotImplemented);
        Add(JumpEqual, 0, 4, clone);
        Add(LoadWord, 0, 0, 16);
        Add(JumpSet, 0, 1, NamespaceFlags);
        Add(Return, 0, 0, NotPermitted);
        Add(Return, 0, 0, Allow);
        // TIOCSTI pushes characters into a terminal.
        Add(JumpEqual, 0, 4, ioctl);
        Add(LoadWord, 0, 0, 24);
        Add(JumpEqual, 0, 1, 0x5412);
        Add(Return, 0, 0, NotPermitted);
        Add(Return, 0, 0, Allow);
        // Sockets: AF_UNIX, AF_INET, AF_INET6, which see only the sandbox's own empty network.
        Add(JumpEqual, 0, 6, socket);
        Add(LoadWord, 0, 0, 16);
        Add(JumpEqual, 3, 0, 1);
        Add(JumpEqual, 2, 0, 2);
        Add(JumpEqual, 1, 0, 10);
        Add(Return, 0, 0, NoSuchFamily);
        Add(Return, 0, 0, Allow);
        Add(Return, 0, 0, Allow);
        return [.. code];
    }

    // ptrace process_vm_readv process_vm_writev mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig
    // fsmount fspick mount_setattr unshare setns bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load
    // kexec_file_load init_module finit_module delete_module open_by_handle_at name_to_handle_at io_uring_setup
    // io_uring_enter io_uring_register acct swapon swapoff reboot quotactl personality syslog iopl ioperm settimeofday
    // clock_settime adjtimex clock_adjtime sethostname setdomainname vhangup pidfd_getfd fanotify_init kcmp
    // migrate_pages move_pages mbind set_mempolicy quotactl_fd; and what holds memory that no process maps, which only a
    // control group could count: memfd_create memfd_secret shmget msgget
    private static readonly uint[] X64Denied =
    [
        101, 310, 311, 165, 166, 155, 161, 429, 428, 430, 431, 432, 433, 442, 272, 308, 321, 298, 323, 250, 248, 249, 246, 320, 175, 313, 176,
        304, 303, 425, 426, 427, 163, 167, 168, 169, 179, 135, 103, 172, 173, 164, 227, 159, 305, 170, 171, 153, 438, 300, 312, 256, 279, 237, 238, 443,
        319, 447, 29, 68,
    ];

    private static readonly uint[] Arm64Denied =
    [
        117, 270, 271, 40, 39, 41, 51, 429, 428, 430, 431, 432, 433, 442, 97, 268, 280, 241, 282, 219, 217, 218, 104, 294, 105, 273, 106,
        265, 264, 425, 426, 427, 89, 224, 225, 142, 60, 92, 116, 170, 112, 171, 266, 161, 162, 58, 438, 262, 272, 238, 239, 235, 237, 443,
        279, 447, 194, 186,
    ];
}
