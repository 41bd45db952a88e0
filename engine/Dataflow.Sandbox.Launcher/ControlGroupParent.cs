namespace Dataflow.Sandbox.Launcher;

/// <summary>A folder of the control group file system in which this process may perhaps make groups.</summary>
/// <param name="Unified">Version 2.</param>
internal sealed record ControlGroupParent(string Folder, bool Unified)
{
    /// <summary>
    /// The group that this process is in, in the hierarchy of a controller: version 1's own if there is one, then version
    /// 2's; there a delegated group named by DATAFLOW_CGROUP goes first, since a process cannot stay in a group whose
    /// children have limits.
    /// </summary>
    public static IReadOnlyList<ControlGroupParent> Find(string controller)
    {
        var found = new List<ControlGroupParent>();
        string[] own = ReadLines("/proc/self/cgroup");
        if (Environment.GetEnvironmentVariable("DATAFLOW_CGROUP") is { Length: > 0 } delegated)
        {
            found.Add(new ControlGroupParent(delegated, Unified: true));
        }

        foreach (string line in ReadLines("/proc/self/mountinfo"))
        {
            // id parent device root mountpoint options [tags] - type source superoptions
            string[] halves = line.Split(" - ", 2);
            string[] mount = halves[0].Split(' ');
            string[] type = halves[1].Split(' ');
            bool unified = type[0] == "cgroup2";
            if (unified || (type[0] == "cgroup" && type[2].Split(',').Contains(controller)))
            {
                string? path = own.Select(entry => entry.Split(':', 3))
                    .FirstOrDefault(entry => unified ? entry[0] == "0" : entry[1].Split(',').Contains(controller))?[2];
                if (path is not null && Below(mount[3], path) is string below)
                {
                    found.Add(new ControlGroupParent(mount[4] + below, unified));
                }
            }
        }

        return found.Where(parent => Directory.Exists(parent.Folder)).OrderBy(parent => parent.Unified).ToArray();
    }

    /// <summary>Version 2 limits children only by controllers that their parent passes on; refused while it has processes of its own.</summary>
    public void EnableControllers()
    {
        string path = Path.Combine(Folder, "cgroup.subtree_control");
        foreach (string controller in new[] { "+memory", "+pids" })
        {
            try
            {
                File.WriteAllText(path, controller);
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                // It may be on already; whether the child has the limit's file decides.
            }
        }
    }

    // A mount may show only the part of the hierarchy below its root.
    private static string? Below(string root, string path)
    {
        if (root == "/")
        {
            return path == "/" ? "" : path;
        }

        return path == root ? "" : path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : null;
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
