using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Dataflow.Torch.Tests.Checkpoints;

/// <summary>Another implementation in a process of its own; its files are in Peers.</summary>
internal static class Peer
{
    public static string Folder(string name) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "Peers", name));

    /// <summary>Runs a program in a peer's folder; a failure shows what it said.</summary>
    public static void Run(string peer, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder(peer), RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> told = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, told.Result);
    }

    /// <summary>Logits that a peer computes for sequences: <c>program script… SEQUENCES OUT</c>.</summary>
    public static float[] Logits(string peer, string program, string[] script, int[][] sequences)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        (string ids, string output) = (Path.Combine(folder, "ids.json"), Path.Combine(folder, "logits.bin"));
        File.WriteAllText(ids, JsonSerializer.Serialize(sequences));
        Run(peer, program, [.. script, ids, output]);
        return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray();
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
