using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// The control groups that the launcher and all it starts live in, version 1 or 2, where they are writable. It joins
/// them once, since moving each program would cost more than the rest of its start; so a limit is what the launcher
/// itself uses plus what the program may.
/// </summary>
internal sealed class ControlGroups
{
    private const string Prefix = "dataflow-";
    private const int MostJoins = 10;

    private readonly string? memory;
    private readonly string? pids;
    private readonly bool unified;

    private ControlGroups(string? memory, bool unified, string? pids)
    {
        this.memory = memory;
        this.pids = pids;
        this.unified = unified;
    }

    public bool LimitMemory => memory is not null;

    public string MemoryDescription => $"control group v{(unified ? 2 : 1)}";

    public bool LimitProcesses => pids is not null;

    public string[] Folders => new[] { memory, pids }.OfType<string>().Distinct(StringComparer.Ordinal).ToArray();

    /// <summary>Makes and joins what can be made; what cannot is absent.</summary>
    public static ControlGroups Join()
    {
        string name = $"{Prefix}{Guid.NewGuid():N}";
        IReadOnlyList<ControlGroupParent> memories = ControlGroupParent.Find("memory");
        IReadOnlyList<ControlGroupParent> counts = ControlGroupParent.Find("pids");
        foreach (ControlGroupParent parent in memories.Concat(counts).DistinctBy(parent => parent.Folder))
        {
            RemoveOrphans(parent.Folder);
        }

        (string? memory, bool unified) = memories
            .Select(parent => (Folder: Enter(parent, name, parent.Unified ? "memory.max" : "memory.limit_in_bytes"), parent.Unified))
            .FirstOrDefault(entered => entered.Folder is not null);
        string? pids = counts.Select(parent => Enter(parent, name, "pids.max")).FirstOrDefault(folder => folder is not null);
        return new ControlGroups(memory, unified, pids);
    }

    /// <summary>Allows the next program this much beyond what the launcher itself has.</summary>
    /// <exception cref="IOException">The kernel refuses the limit: nothing may run without it.</exception>
    public void Limit(long memoryBytes, int processes)
    {
        if (memory is not null)
        {
            string usage = Path.Combine(memory, unified ? "memory.current" : "memory.usage_in_bytes");
            long limit = Number(usage) + memoryBytes;
            if (unified)
            {
                WriteIfThere(Path.Combine(memory, "memory.swap.max"), 0);
                File.WriteAllText(Path.Combine(memory, "memory.max"), Text(limit));
            }
            else
            {
                // The limit with swap may never be below the one without, whichever of them moves.
                string swapped = Path.Combine(memory, "memory.memsw.limit_in_bytes");
                WriteIfThere(swapped, -1);
                File.WriteAllText(Path.Combine(memory, "memory.limit_in_bytes"), Text(limit));
                WriteIfThere(swapped, limit);
            }
        }

        if (pids is not null)
        {
            // bwrap's own two processes, or a runtime's few.
            const int Chain = 4;
            File.WriteAllText(Path.Combine(pids, "pids.max"), Text(Number(Path.Combine(pids, "pids.current")) + processes + Chain));
        }
    }

    /// <summary>How many processes the kernel has killed for want of memory so far.</summary>
    public long MemoryKills()
    {
        if (memory is null)
        {
            return 0;
        }

        string path = Path.Combine(memory, unified ? "memory.events" : "memory.oom_control");
        string? line = File.ReadLines(path).FirstOrDefault(text => text.StartsWith("oom_kill ", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan("oom_kill ".Length), CultureInfo.InvariantCulture);
    }

    private static string? Enter(ControlGroupParent parent, string name, string limitFile)
    {
        string folder = Path.Combine(parent.Folder, name);
        try
        {
            if (parent.Unified)
            {
                parent.EnableControllers();
            }

            Join(folder);
            if (File.Exists(Path.Combine(folder, limitFile)))
            {
                return folder;
            }

            File.WriteAllText(Path.Combine(parent.Folder, "cgroup.procs"), Text(Environment.ProcessId));
            TryRemove(folder);
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            TryRemove(folder);
            return null;
        }
    }

    private static void Join(string folder)
    {
        for (int attempt = 0; ; attempt++)
        {
            Directory.CreateDirectory(folder);
            try
            {
                File.WriteAllText(Path.Combine(folder, "cgroup.procs"), Text(Environment.ProcessId));
                return;
            }
            catch (IOException) when (attempt < MostJoins && !Directory.Exists(folder))
            {
                // Another launcher took it, still empty, for an orphan.
            }
        }
    }

    // A launcher that was killed leaves its empty groups. One with processes in it is not removed: its launcher is in it.
    private static void RemoveOrphans(string parent)
    {
        foreach (string folder in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            TryRemove(folder);
        }
    }

    private static void TryRemove(string folder) => _ = Native.rmdir(folder);

    private static void WriteIfThere(string path, long value)
    {
        if (File.Exists(path))
        {
            File.WriteAllText(path, Text(value));
        }
    }

    private static long Number(string path) => long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
