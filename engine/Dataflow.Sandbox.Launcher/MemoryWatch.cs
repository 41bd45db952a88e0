using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Adds up what a program's processes hold, for machines without a writable control group. It looks every few
/// milliseconds, so a fast program can pass the limit for that long; what each process may map is limited besides.
/// </summary>
internal static class MemoryWatch
{
    public const int EveryMilliseconds = 20;

    /// <summary>Bytes of private memory of the process and all below it.</summary>
    public static long Held(int pid)
    {
        long total = 0;
        var pending = new Stack<int>([pid]);
        while (pending.TryPop(out int next))
        {
            total += Private(next);
            foreach (int child in Reaper.Children(next))
            {
                pending.Push(child);
            }
        }

        return total;
    }

    // statm: size resident shared …, in pages.
    private static long Private(int pid)
    {
        try
        {
            string[] numbers = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/statm")).Split(' ');
            return (long.Parse(numbers[1], CultureInfo.InvariantCulture) - long.Parse(numbers[2], CultureInfo.InvariantCulture)) * Environment.SystemPageSize;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            return 0;
        }
    }
}
