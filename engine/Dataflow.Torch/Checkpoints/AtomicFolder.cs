using System.Text;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Checkpoints;

/// <summary>What becomes of a folder that is not empty where another is to be written.</summary>
public enum ExistingFolder
{
    /// <summary>It stays, and writing is refused.</summary>
    Keep,

    /// <summary>It is replaced if it holds a checkpoint and nothing but files; anything else stays, and writing is refused.</summary>
    ReplaceCheckpoint,
}

/// <summary>Folders that are there whole or not at all.</summary>
public static class AtomicFolder
{
    // Tells a folder that a killed writer left from one that somebody keeps under the same name.
    private const string PartialMark = ".dataflow-partial";

    /// <summary>Lets <paramref name="fill"/> write a temporary folder beside the target, then puts it in the target's place.</summary>
    /// <exception cref="CheckpointException">Something is there that must not be replaced.</exception>
    public static void Write(string folder, Action<string> fill, ExistingFolder existing = ExistingFolder.ReplaceCheckpoint)
    {
        string target = OutputPath.Resolve(folder);
        RequireReplaceable(folder, target, existing);
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.partial");
        ClearPartial(temporary);
        Directory.CreateDirectory(temporary);
        WriteText(Path.Combine(temporary, PartialMark), "");
        try
        {
            fill(temporary);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }

        // What came meanwhile is looked at like what was there before.
        RequireReplaceable(folder, target, existing);
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        Directory.Move(temporary, target);
        File.Delete(Path.Combine(target, PartialMark));
    }

    /// <summary>Refuses a target that writing there would destroy, before anything is computed for it.</summary>
    /// <exception cref="CheckpointException">A file, or a folder that is not empty and must not be replaced.</exception>
    public static void RequireReplaceable(string folder, ExistingFolder existing) => RequireReplaceable(folder, OutputPath.Resolve(folder), existing);

    /// <summary>Writes a text file and flushes it to disk.</summary>
    public static void WriteText(string path, string text)
    {
        using FileStream file = File.Create(path);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    private static void RequireReplaceable(string named, string target, ExistingFolder existing)
    {
        if (File.Exists(target))
        {
            throw new CheckpointException($"{named}: a file is there already; name a folder");
        }

        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any())
        {
            return;
        }

        if (existing == ExistingFolder.Keep)
        {
            throw new CheckpointException($"{named}: the folder is there already and not empty; name another, or allow that it is overwritten (--overwrite)");
        }

        if (Directory.EnumerateDirectories(target).Any() || !HoldsCheckpoint(target))
        {
            throw new CheckpointException($"{named}: the folder holds something else than a checkpoint's files, so it is not overwritten; name another");
        }
    }

    private static bool HoldsCheckpoint(string folder) => File.Exists(Path.Combine(folder, "config.json"))
        && new[] { CheckpointWeights.SingleFile, CheckpointWeights.IndexFile }.Any(name => File.Exists(Path.Combine(folder, name)));

    private static void ClearPartial(string temporary)
    {
        if (!Directory.Exists(temporary))
        {
            return;
        }

        if (!File.Exists(Path.Combine(temporary, PartialMark)) && Directory.EnumerateFileSystemEntries(temporary).Any())
        {
            throw new CheckpointException($"{temporary}: in the way of a temporary folder; move it");
        }

        Directory.Delete(temporary, recursive: true);
    }
}
