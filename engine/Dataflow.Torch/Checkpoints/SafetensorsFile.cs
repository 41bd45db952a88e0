using Dataflow.Torch.Models;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>
/// A safetensors file, read tensor by tensor straight into the tensor's own memory. Positional reads rather than a
/// memory map: they copy as little, and a file that is cut short under our hands is an error, not a signal.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    // A span counts bytes in an int, so a tensor is filled in pieces.
    private const long PieceElements = 1 << 26;

    private readonly SafeFileHandle handle;
    private readonly string path;
    private readonly long dataStart;

    /// <exception cref="CheckpointException">The file is missing, or its header is not what it should be.</exception>
    public SafetensorsFile(string path)
    {
        this.path = path;
        try
        {
            CheckpointFile.RequirePlain(path);
            using FileStream stream = File.OpenRead(path);
            Entries = Safetensors.ReadHeader(stream, path, out dataStart);
            handle = File.OpenHandle(path);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: {failure.Message}", failure);
        }
    }

    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>One tensor on the CPU, as stored; it belongs to the caller and to no dispose scope.</summary>
    public Tensor Load(SafetensorsEntry entry)
    {
        Tensor result = empty(entry.Shape, entry.Dtype, CPU).DetachFromDisposeScope();
        using Tensor flat = result.view(-1);
        long count = flat.numel();
        int size = Safetensors.ElementSize(entry.Dtype);
        for (long at = 0; at < count; at += PieceElements)
        {
            using Tensor piece = flat.narrow(0, at, Math.Min(PieceElements, count - at));
            Read(piece.bytes, dataStart + entry.Start + (at * size));
        }

        return result;
    }

    public void Dispose() => handle.Dispose();

    private void Read(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(handle, target, offset);
            if (read == 0)
            {
                throw new CheckpointException($"{path}: ends at byte {offset}, in the middle of a tensor");
            }

            target = target[read..];
            offset += read;
        }
    }
}
