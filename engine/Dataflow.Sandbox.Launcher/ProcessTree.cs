using System.Globalization;

namespace Dataflow.Sandbox.Launcher;

/// <summary>Who started whom.</summary>
internal static class ProcessTree
{
    /// <summary>Processes started by any thread of the process; empty if it is gone.</summary>
    public static int[] Children(int pid)
    {
        try
        {
            return Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"))
                .SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(id => int.Parse(id, CultureInfo.InvariantCulture))
                .ToArray();
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>All below the process, parents before their children.</summary>
    public static IReadOnlyList<int> Below(int pid)
    {
        var found = new List<int>();
        var pending = new Queue<int>([pid]);
        while (pending.TryDequeue(out int next))
        {
            foreach (int child in Children(next))
            {
                found.Add(child);
                pending.Enqueue(child);
            }
        }

        return found;
    }
}
