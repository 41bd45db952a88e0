namespace Dataflow.Sandbox;

/// <summary>What a program must not see of the system, since it could start or load it.</summary>
/// <param name="Files">Files that cannot be read; an absent one is left out.</param>
/// <param name="Folders">Folders that are empty. Only bubblewrap does this: a container starts its program by what lies there.</param>
/// <param name="Shown">What is there nevertheless: files and folders, links with what they lead to.</param>
public sealed record HiddenPaths(IReadOnlyList<string> Files, IReadOnlyList<string> Folders, IReadOnlyList<string> Shown)
{
    public static HiddenPaths None { get; } = new([], [], []);

    /// <summary>Those files that are there and not gone with a folder.</summary>
    public IEnumerable<string> FilesLeft(bool withoutFolders) => Files.Where(file => File.Exists(file) && !(withoutFolders && IsGone(file)));

    /// <summary>Paths in hidden folders that are to be seen: each link with where it points, and each file or folder with null.</summary>
    public IEnumerable<(string Path, string? LinkTo)> Steps()
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (string shown in Shown)
        {
            string? path = shown;
            while (path is not null && Path.Exists(path) && done.Add(path))
            {
                string? target = new FileInfo(path).LinkTarget;
                if (IsGone(path))
                {
                    yield return (path, target);
                }

                path = target is null ? null : Path.GetFullPath(target, Path.GetDirectoryName(path)!);
            }
        }
    }

    private bool IsGone(string path) => Folders.Any(folder => path.StartsWith(folder + "/", StringComparison.Ordinal));
}
