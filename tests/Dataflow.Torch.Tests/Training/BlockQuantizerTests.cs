using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class BlockQuantizerTests
{
    [Theory]
    [InlineData(true, -1f)]
    [InlineData(false, 0f)]
    public void The_map_has_256_values_up_to_1_in_rising_order(bool signed, float least)
    {
        float[] map = BlockQuantizer.Map(signed);
        Assert.Equal(256, map.Length);
        Assert.Equal((1f, 1), (map[^1], map.Count(value => value == 0)));
        Assert.True(map[0] >= least && map.Zip(map.Skip(1)).All(pair => pair.First < pair.Second));
        Assert.Equal(signed ? 127 : 0, map.Count(value => value < 0));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 3)]
    [InlineData(false, 4)]
    public void A_number_comes_back_as_near_as_its_decade_is_fine(bool signed, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var quantizer = new BlockQuantizer(signed, get_default_device());
        using Generator generator = new(seed);
        // Nine decades within a block.
        Tensor numbers = randn(4 * BlockQuantizer.BlockSize, device: CPU, generator: generator).mul(rand(4 * BlockQuantizer.BlockSize, device: CPU, generator: generator).Times(-20).exp());
        numbers = (signed ? numbers : numbers.abs()).to(get_default_device());
        QuantizedTensor stored = quantizer.Zeros(numbers.numel());
        quantizer.Narrow(numbers.clone(), stored, 0);
        float[] before = numbers.cpu().data<float>().ToArray();
        float[] after = quantizer.Widen(stored, 0, numbers.numel()).cpu().data<float>().ToArray();
        for (int i = 0; i < before.Length; i++)
        {
            float largest = before.Skip(i / 256 * 256).Take(256).Max(Math.Abs);
            double share = Math.Abs(before[i]) / largest;
            // Half a step: 0.9 of a decade's top over the number of its values; the highest value of a decade lies half a step under its top.
            int decade = Math.Clamp((int)Math.Floor(Math.Log10(share)) + 7, 0, 6);
            double step = Math.Pow(10, decade - 6) * 0.9 / (signed ? 1 << decade : 2 << decade);
            Assert.True(Math.Abs(after[i] - before[i]) <= 1.01 * step * largest, $"{before[i]} of {largest} came back as {after[i]}");
            Assert.True(signed || before[i] == 0 || after[i] > 0, "what is divided by must not become 0");
        }
    }

    [Fact]
    public void Zeros_stay_zeros_and_a_block_keeps_its_largest_number()
    {
        using var scope = NewDisposeScope();
        using var quantizer = new BlockQuantizer(true, get_default_device());
        QuantizedTensor stored = quantizer.Zeros(600);
        Assert.Equal(new float[768], quantizer.Widen(stored, 0, 600).cpu().data<float>().ToArray());
        Tensor numbers = zeros(768);
        numbers[300] = 3.25f;
        quantizer.Narrow(numbers, stored, 0);
        Assert.Equal(numbers.cpu().data<float>().ToArray(), quantizer.Widen(stored, 0, 600).cpu().data<float>().ToArray());
    }
}
