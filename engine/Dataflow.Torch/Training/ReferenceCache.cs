using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Dataflow.Torch.Checkpoints;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Reference log-probabilities kept in a file. Its name is a hash of all that can change them: the reference's weights,
/// every token id (and so template and rows), and which tokens count.
/// </summary>
public sealed class ReferenceCache(string folder)
{
    // To be raised when the arithmetic changes.
    private const string Version = "1";

    /// <summary>What was computed for the same key before, or <paramref name="compute"/>'s result, kept.</summary>
    /// <param name="modelHash">Content hash of the reference's checkpoint.</param>
    public ReferenceLogProbabilities GetOrCompute(string modelHash, IReadOnlyList<PreferencePair> pairs, Func<ReferenceLogProbabilities> compute)
    {
        string path = Path.Combine(folder, $"reference-{Key(modelHash, pairs)}.safetensors");
        if (File.Exists(path))
        {
            Dictionary<string, Tensor> stored = Safetensors.Read(path);
            using Tensor chosen = stored["chosen"];
            using Tensor rejected = stored["rejected"];
            return new ReferenceLogProbabilities(chosen.data<double>().ToArray(), rejected.data<double>().ToArray());
        }

        ReferenceLogProbabilities computed = compute();
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        Safetensors.Write(path + ".tmp", new Dictionary<string, Tensor> { ["chosen"] = tensor(computed.Chosen), ["rejected"] = tensor(computed.Rejected) });
        File.Move(path + ".tmp", path, overwrite: true);
        return computed;
    }

    public static string Key(string modelHash, IReadOnlyList<PreferencePair> pairs)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Version}/{modelHash}/{pairs.Count}"));
        foreach (PreferencePair pair in pairs)
        {
            Append(pair.Chosen.Ids, pair.ChosenCounted);
            Append(pair.Rejected.Ids, pair.RejectedCounted);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Append(int[] ids, bool[] counted)
        {
            hash.AppendData(BitConverter.GetBytes(ids.Length));
            hash.AppendData(MemoryMarshal.AsBytes<int>(ids));
            hash.AppendData(MemoryMarshal.AsBytes<bool>(counted));
        }
    }
}
