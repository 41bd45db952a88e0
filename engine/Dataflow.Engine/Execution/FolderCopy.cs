using System.Runtime.InteropServices;

namespace Dataflow.Engine.Execution;

/// <summary>Copies folders of files that nobody changes in place, sharing their content on disk where the file system can.</summary>
internal static partial class FolderCopy
{
    /// <summary>Makes <paramref name="target"/> a copy of <paramref name="source"/>: there whole or not at all.</summary>
    public static void Replace(string source, string target)
    {
        string temporary = target + ".tmp";
        Remove(temporary);
        foreach (string file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(temporary, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (HardLink(file, copy) != 0)
            {
                // Another file system, or one without links.
                File.Copy(file, copy);
            }
        }

        Remove(target);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        Directory.Move(temporary, target);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string existing, string created);
}
