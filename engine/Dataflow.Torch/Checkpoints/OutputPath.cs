using Dataflow.Torch.Models;

namespace Dataflow.Torch.Checkpoints;

/// <summary>Where something is written: never onto what it is made from. Symbolic links are followed, so that two names of one place are one.</summary>
public static class OutputPath
{
    // As deep as Linux follows links.
    private const int MaxLinks = 40;

    /// <summary>Refuses an output that is an input, lies in one, or holds one.</summary>
    /// <param name="inputs">Checkpoint folders that are read.</param>
    /// <exception cref="CheckpointException">The output and an input overlap.</exception>
    public static void RequireApart(string output, IEnumerable<string> inputs)
    {
        string target = Resolve(output);
        foreach (string input in inputs)
        {
            string source = Resolve(input);
            string? how = target == source ? "is" : Holds(source, target) ? "lies in" : Holds(target, source) ? "holds" : null;
            if (how is not null)
            {
                throw new CheckpointException($"{output}: the output {how} the input {input}, which would be lost or changed; write to another place");
            }
        }
    }

    /// <summary>The full path with all symbolic links followed, also where its end is not there yet; without a separator at its end.</summary>
    /// <exception cref="CheckpointException">Links that lead round in a circle.</exception>
    public static string Resolve(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string root = Path.GetPathRoot(full)!;
        var left = new Stack<string>(full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        string at = root;
        int links = 0;
        while (left.TryPop(out string? part))
        {
            string next = Path.Combine(at, part);
            if (new FileInfo(next).LinkTarget is not string link)
            {
                at = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new CheckpointException($"{path}: symbolic links that lead round in a circle");
            }

            // What the link names may hold further links, so its parts are walked like any.
            string aim = Path.GetFullPath(link, at);
            foreach (string piece in aim[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                left.Push(piece);
            }

            at = root;
        }

        return at;
    }

    private static bool Holds(string folder, string path) =>
        path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
