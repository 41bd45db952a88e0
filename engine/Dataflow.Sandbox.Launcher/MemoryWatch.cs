using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Adds up what a program's processes hold, for machines without a writable control group. It looks every few
/// milliseconds, so a fast program can pass the limit for that long; what each process may map is limited besides.
/// </summary>
internal static class MemoryWatch
{
    public const int EveryMilliseconds = 20;

    /// <summary>Bytes of memory of the process and all below it, apart from files.</summary>
    public static long Held(int pid) => ProcessTree.Below(pid).Append(pid).Sum(Private);

    // Proportional: what forked processes share counts once. Pages of files can be had again, so they are not counted.
    private static long Private(int pid)
    {
        try
        {
            long kilobytes = 0;
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps_rollup")))
            {
                if (line.StartsWith("Pss_Anon:", StringComparison.Ordinal) || line.StartsWith("Pss_Shmem:", StringComparison.Ordinal))
                {
                    kilobytes += long.Parse(line.AsSpan(line.IndexOf(':') + 1).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
                }
            }

            return kilobytes * 1024;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
