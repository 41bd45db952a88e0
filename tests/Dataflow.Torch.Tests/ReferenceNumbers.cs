using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

/// <summary>Numbers computed once in float64 outside this project, in Fixtures/reference-numbers.json.</summary>
internal static class ReferenceNumbers
{
    private static readonly JsonNode Root = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference-numbers.json")))!;

    public static JsonNode At(string section, string name) => Root[section]![name] ?? throw new KeyNotFoundException($"{section}.{name}");

    public static double Number(string section, string name) => (double)At(section, name);

    /// <summary>All numbers of an array, nested ones flattened.</summary>
    public static double[] Numbers(JsonNode node) => node is JsonArray array ? array.SelectMany(item => Numbers(item!)).ToArray() : [(double)node];

    public static double[] Numbers(string section, string name) => Numbers(At(section, name));

    public static int[] Ids(string section, string name) => Numbers(section, name).Select(number => (int)number).ToArray();

    public static double[] Values(this Tensor tensor)
    {
        using Tensor plain = tensor.detach().to(ScalarType.Float64);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(plain.Bits()).ToArray();
    }

    /// <summary>All bytes of a tensor, row-major, from whatever device.</summary>
    public static byte[] Bits(this Tensor tensor)
    {
        using Tensor here = tensor.detach().cpu().contiguous();
        return here.bytes.ToArray();
    }

    public static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"[{i}]: {expected[i]} expected, {actual[i]} found");
        }
    }

    public static void AssertClose(double expected, Tensor actual, double tolerance = 1e-5) => AssertClose([expected], actual.reshape(-1).Values(), tolerance);

    /// <summary>The gradient of a loss of one fp64 tensor equals its central differences (fourth order) to 1e-9.</summary>
    public static void AssertGradient(Func<Tensor, Tensor> loss, double[] at)
    {
        using var scope = NewDisposeScope();
        Tensor x = tensor(at).requires_grad_(true);
        loss(x).backward();
        double[] found = x.grad!.Values();
        const double Step = 2e-3;
        for (int i = 0; i < at.Length; i++)
        {
            double Shifted(double by)
            {
                double[] moved = [.. at];
                moved[i] += by;
                return loss(tensor(moved)).item<double>();
            }

            double slope = ((8 * (Shifted(Step) - Shifted(-Step))) - (Shifted(2 * Step) - Shifted(-2 * Step))) / (12 * Step);
            Assert.True(Math.Abs(slope - found[i]) <= 1e-9 * Math.Max(1, Math.Abs(slope)), $"[{i}]: slope {slope:R}, gradient {found[i]:R}");
        }
    }
}
