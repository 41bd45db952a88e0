using System.Text;

namespace Dataflow.Torch.Checkpoints;

/// <summary>Folders that are there whole or not at all.</summary>
public static class AtomicFolder
{
    /// <summary>Lets <paramref name="fill"/> write a temporary folder beside the target, then puts it in the target's place.</summary>
    public static void Write(string folder, Action<string> fill)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string temporary = target + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        try
        {
            fill(temporary);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }

        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        Directory.Move(temporary, target);
    }

    /// <summary>Writes a text file and flushes it to disk.</summary>
    public static void WriteText(string path, string text)
    {
        using FileStream file = File.Create(path);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }
}
