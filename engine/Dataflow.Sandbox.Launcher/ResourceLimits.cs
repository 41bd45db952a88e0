using System.Globalization;
using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Launcher;

/// <summary>Limits that the kernel keeps by process, inherited by all that it starts.</summary>
internal static class ResourceLimits
{
    private const int Cpu = 0;
    private const int FileSize = 1;
    private const int Data = 2;
    private const int Stack = 3;
    private const int Core = 4;
    private const int Processes = 6;
    private const int OpenFiles = 7;
    private const int LockedMemory = 8;
    private const int MessageQueues = 12;
    private const ulong StackBytes = 8 << 20;

    /// <summary>Puts the limits on a process that waits; returns its id.</summary>
    /// <exception cref="IOException">The kernel refuses one: the program may not go on.</exception>
    public static int Apply(int pid, LaunchLimits limits)
    {
        Set(pid, Cpu, (ulong)limits.CpuSeconds);
        Set(pid, FileSize, (ulong)limits.FileBytes);
        Set(pid, Data, (ulong)limits.DataBytes);
        Set(pid, Stack, StackBytes);
        Set(pid, Core, 0);
        Set(pid, Processes, (ulong)limits.Processes);
        Set(pid, OpenFiles, (ulong)limits.OpenFiles);
        Set(pid, LockedMemory, 65536);
        Set(pid, MessageQueues, 0);
        return pid;
    }

    /// <summary>If memory runs out the kernel is to end this process, not the launcher, which is in the same control group.</summary>
    public static void PreferForMemoryKill(int pid)
    {
        try
        {
            File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/oom_score_adj"), "1000");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Should the kernel then end the launcher, the program is run again and never judged by it.
        }
    }

    private static void Set(int pid, int resource, ulong value)
    {
        if (Native.prlimit64(pid, resource, [value, value], 0) != 0)
        {
            throw new IOException($"resource limit {resource} is refused: error {Marshal.GetLastPInvokeError()}");
        }
    }
}
