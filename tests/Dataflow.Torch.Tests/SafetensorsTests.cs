using System.Buffers.Binary;
using System.Text;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

public sealed class SafetensorsTests
{
    private static string Write(string header, int dataBytes, long? length = null)
    {
        string path = Path.GetTempFileName();
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, length ?? json.Length);
        json.CopyTo(file, 8);
        File.WriteAllBytes(path, file);
        return path;
    }

    [Fact]
    public void Tensors_of_every_dtype_survive()
    {
        using var scope = NewDisposeScope();
        string path = Path.GetTempFileName();
        var tensors = new Dictionary<string, Tensor>
        {
            ["a"] = randn(3, 4), ["b"] = randn(5).to(ScalarType.BFloat16), ["c"] = randn(2, 2).to(ScalarType.Float16), ["d"] = tensor(new[] { 1L, -2L }), ["e"] = zeros(0, 3),
        };
        Safetensors.Write(path, tensors);
        Dictionary<string, Tensor> read = Safetensors.Read(path);
        Assert.Equal(tensors.Keys, read.Keys);
        Assert.All(tensors, pair => Assert.True(pair.Value.dtype == read[pair.Key].dtype && pair.Value.shape.SequenceEqual(read[pair.Key].shape) && pair.Value.Bits().SequenceEqual(read[pair.Key].Bits())));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":"Q9","shape":[2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16)]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":8}}""", 8)]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8)]
    [InlineData("""{"a":""", 0)]
    [InlineData("""[1]""", 0)]
    public void A_hostile_header_is_an_error(string header, int data) => Assert.Throws<CheckpointException>(() => Safetensors.Read(Write(header, data)));

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1L << 40)]
    public void A_header_length_beyond_the_file_is_an_error(long length) => Assert.Throws<CheckpointException>(() => Safetensors.Read(Write("{}", 0, length)));

    [Fact]
    public void An_empty_file_is_an_error() => Assert.Throws<CheckpointException>(() => Safetensors.Read(Path.GetTempFileName()));
}
