using Dataflow.Torch.Models;

namespace Dataflow.Torch.Checkpoints;

/// <summary>What a file of a checkpoint must be before it is opened.</summary>
internal static class CheckpointFile
{
    /// <summary>Refuses what would keep its reader waiting for ever, such as a pipe: only a plain file has a length.</summary>
    /// <exception cref="CheckpointException">It is empty, or no plain file.</exception>
    public static void RequirePlain(string path)
    {
        string target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if (File.Exists(target) && new FileInfo(target).Length == 0)
        {
            throw new CheckpointException($"{path}: empty, or no plain file");
        }
    }
}
