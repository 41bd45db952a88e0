using System.Globalization;
using System.Security.Cryptography;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Reporting;

/// <summary>Which files of what trainers and merges left differ in content between two runs.</summary>
internal static class ArtifactComparison
{
    public static IEnumerable<RunDifference> Compare(string folderA, string folderB)
    {
        (string a, string b) = (RunFolder.ArtifactsIn(folderA), RunFolder.ArtifactsIn(folderB));
        foreach (string path in Files(a).Union(Files(b), StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            (string? left, string? right) = (Show(Path.Combine(a, path)), Show(Path.Combine(b, path)));
            if (left != right)
            {
                string[] parts = path.Split(Path.DirectorySeparatorChar, 2);
                yield return new RunDifference("artifacts", "stage " + parts[0], parts[^1], left, right);
            }
        }
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)) : [];

    private static string? Show(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using FileStream file = File.OpenRead(path);
        return string.Create(CultureInfo.InvariantCulture, $"sha256 {Convert.ToHexStringLower(SHA256.HashData(file))[..16]} ({file.Length:N0} bytes)");
    }
}
