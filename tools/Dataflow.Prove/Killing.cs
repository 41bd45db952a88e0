using System.Diagnostics;
using System.Security.Cryptography;

namespace Dataflow.Prove;

/// <summary>Kills runs (-9), resumes them, and compares what they leave.</summary>
internal static class Killing
{
    /// <summary>Starts the run again and again, each time killing it after a while, then lets it end.</summary>
    /// <param name="run">Its id.</param>
    /// <param name="start">Arguments that begin it; afterwards it is resumed.</param>
    /// <param name="life">Seconds that an attempt may live.</param>
    /// <param name="killed">Told after each kill.</param>
    /// <returns>How often it was killed, and how the last attempt ended.</returns>
    public static async Task<(int Kills, CommandResult Last)> KillAndResumeAsync(
        DataflowCommand command, string run, string[] start, int most, Func<double> life, Action<int, double> killed)
    {
        string[] arguments = start;
        for (int kill = 1; kill <= most; kill++)
        {
            using Process process = command.Start(arguments);
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            double seconds = life();
            if (process.WaitForExit(TimeSpan.FromSeconds(seconds)))
            {
                return (kill - 1, await command.RunAsync(Resume(command, run, start)));
            }

            process.Kill();
            await process.WaitForExitAsync();
            killed(kill, seconds);
            arguments = Resume(command, run, start);
        }

        return (most, await command.RunAsync(arguments));
    }

    /// <summary>Compares the files of two runs byte for byte, below the given folders of each.</summary>
    public static bool Same(string left, string right, IReadOnlyList<string> folders, TextWriter output)
    {
        string[] Files(string run) => folders.Where(folder => Directory.Exists(Path.Combine(run, folder)))
            .SelectMany(folder => Directory.GetFiles(Path.Combine(run, folder), "*", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(run, file)).Order(StringComparer.Ordinal).ToArray();
        string[] files = Files(left);
        bool same = files.Length > 0 && files.SequenceEqual(Files(right));
        foreach (string file in files)
        {
            byte[] hash = SHA256.HashData(File.ReadAllBytes(Path.Combine(left, file)));
            bool equal = File.Exists(Path.Combine(right, file)) && hash.SequenceEqual(SHA256.HashData(File.ReadAllBytes(Path.Combine(right, file))));
            same &= equal;
            if (!equal)
            {
                output.WriteLine($"{file} DIFFERS{FirstDifference(Path.Combine(left, file), Path.Combine(right, file))}");
            }
        }

        output.WriteLine($"{files.Length} files compared byte for byte: {(same ? "equal" : "DIFFERENT")}");
        return same;
    }

    private static string FirstDifference(string left, string right)
    {
        if (!left.EndsWith(".jsonl", StringComparison.Ordinal) || !File.Exists(right))
        {
            return "";
        }

        (string[] a, string[] b) = (File.ReadAllLines(left), File.ReadAllLines(right));
        int line = Enumerable.Range(0, Math.Max(a.Length, b.Length)).First(i => i >= a.Length || i >= b.Length || a[i] != b[i]);
        return $" at line {line + 1} of {a.Length} and {b.Length}:\n  {a.ElementAtOrDefault(line)}\n  {b.ElementAtOrDefault(line)}";
    }

    // An attempt that was killed before it had a manifest has begun nothing.
    private static string[] Resume(DataflowCommand command, string run, string[] start) =>
        File.Exists(Path.Combine(command.Folder, "runs", run, "manifest.json")) ? ["run", "--resume", run, .. start.Where(argument => argument == "--no-cache")] : start;
}
