using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// What a program had of the processors. A busy machine must not decide a verdict: time in which a program could have run
/// and was not let is no time of its own.
/// </summary>
/// <param name="Used">User and system time of its processes, with that of children that they waited for.</param>
/// <param name="Waited">How long its processes stood ready to run, each by the thread that did longest: one starts the next, so they wait in turn.</param>
internal readonly record struct ProcessorUse(TimeSpan Used, TimeSpan Waited)
{
    // Of clock ticks, in which /proc tells time: sysconf(_SC_CLK_TCK) is 100 on every Linux that .NET runs on.
    private const long TicksPerSecond = 100;

    // In /proc/PID/stat, counted from behind the name, which may hold anything: utime, stime, cutime, cstime.
    private const int FirstTime = 11;
    private const int Times = 4;

    /// <summary>That of the process and all below it; zero where the kernel does not tell.</summary>
    /// <param name="waited">What is known of the waiting of each process, also of those that have ended; brought up to date.</param>
    public static ProcessorUse Of(int pid, Dictionary<int, TimeSpan> waited)
    {
        TimeSpan used = TimeSpan.Zero;
        foreach (int process in ProcessTree.Below(pid).Append(pid))
        {
            used += UsedBy(process);
            TimeSpan now = WaitedBy(process);
            waited[process] = waited.TryGetValue(process, out TimeSpan before) && before > now ? before : now;
        }

        return new ProcessorUse(used, waited.Values.Aggregate(TimeSpan.Zero, (sum, one) => sum + one));
    }

    private static TimeSpan UsedBy(int pid)
    {
        string stat = Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return TimeSpan.FromSeconds(fields.Skip(FirstTime).Take(Times).Sum(Number) / (double)TicksPerSecond);
    }

    // schedstat: nanoseconds on a processor, nanoseconds ready to run and waiting, time slices.
    private static TimeSpan WaitedBy(int pid)
    {
        try
        {
            return Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"))
                .Select(task => TimeSpan.FromMicroseconds(Read(task + "/schedstat").Split(' ').Skip(1).Take(1).Sum(Number) / 1000)).DefaultIfEmpty().Max();
        }
        catch (IOException)
        {
            return TimeSpan.Zero;
        }
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;

    // Processes end while they are looked at.
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
