namespace Dataflow.Sandbox.Languages;

/// <summary>A file that a language needs on this machine, and the Debian package that brings it.</summary>
public sealed record LanguageTool(string Path, string Package)
{
    // As many as the kernel follows.
    private const int MostLinks = 40;

    public bool IsThere => Problem([]) is null;

    /// <summary>
    /// Why a program in the sandbox does not find it; null if it does. Each link on the way to it must be one that can be
    /// followed in there: a tool that works out here need not be seen inside.
    /// </summary>
    /// <param name="readOnlyPaths">What the sandbox shows besides the system's own folders.</param>
    internal string? Problem(IReadOnlyList<string> readOnlyPaths)
    {
        string[] shown = [SystemPaths.Usr, SystemPaths.Alternatives, .. readOnlyPaths.Select(System.IO.Path.TrimEndingDirectorySeparator)];
        string at = Path;
        for (int links = 0; links < MostLinks; links++)
        {
            at = AsInside(System.IO.Path.GetFullPath(at));
            if (Array.Find(shown, folder => at == folder || at.StartsWith(folder + "/", StringComparison.Ordinal)) is not string within)
            {
                return File.Exists(at) ? $"{Led(at)}, where the sandbox does not see it (it sees {string.Join(", ", shown)})" : Absent(at);
            }

            if (Link(at, within) is not (string link, string target))
            {
                return File.Exists(at) ? null : Absent(at);
            }

            at = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(link)!, target) + at[link.Length..];
        }

        return $"{Path} leads round in a circle";
    }

    private string Absent(string at) => at == Path ? $"{Path} is not there" : $"{Led(at)}, which is not there";

    private string Led(string at) => at == Path ? Path : $"{Path} leads to {at}";

    // The first link below a folder that the sandbox shows; what lies above it is shown as what it leads to.
    private static (string Link, string Target)? Link(string path, string within)
    {
        for (int end = within.Length; end < path.Length;)
        {
            int next = path.IndexOf('/', end + 1);
            end = next < 0 ? path.Length : next;
            if (new FileInfo(path[..end]).LinkTarget is string target)
            {
                return (path[..end], target);
            }
        }

        return null;
    }

    private static string AsInside(string path)
    {
        string first = path.Split('/') is [_, string name, _, ..] ? name : "";
        return SystemPaths.IntoUsr.Contains(first) ? SystemPaths.Usr + path : path;
    }
}
