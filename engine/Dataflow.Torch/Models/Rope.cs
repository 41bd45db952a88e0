using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>
/// Rotary position embedding (Su et al. 2021) in Hugging Face's half-split layout, with Llama 3.1's frequency scaling.
/// </summary>
public sealed class Rope : IDisposable
{
    private readonly Tensor cosine;
    private readonly Tensor sine;

    /// <param name="positions">How many positions the tables cover.</param>
    public Rope(LlamaConfig config, int positions, Device device)
    {
        int half = config.HeadSize / 2;
        var cos = new float[positions * config.HeadSize];
        var sin = new float[cos.Length];
        double[] frequencies = Frequencies(config);
        for (int p = 0; p < positions; p++)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = p * frequencies[i];
                int at = (p * config.HeadSize) + i;
                cos[at] = cos[at + half] = (float)Math.Cos(angle);
                // The first half of the rotated vector is -x2, so its sine carries the sign.
                sin[at] = -(float)Math.Sin(angle);
                sin[at + half] = (float)Math.Sin(angle);
            }
        }

        cosine = tensor(cos, [positions, config.HeadSize]).to(device).DetachFromDisposeScope();
        sine = tensor(sin, [positions, config.HeadSize]).to(device).DetachFromDisposeScope();
        Positions = positions;
    }

    public int Positions { get; }

    /// <summary>Inverse frequencies θ^(-2i/d), i = 0 … d/2-1, scaled as in Llama 3.1 where the config says so.</summary>
    public static double[] Frequencies(LlamaConfig config)
    {
        int half = config.HeadSize / 2;
        var result = new double[half];
        for (int i = 0; i < half; i++)
        {
            double frequency = Math.Pow(config.RopeTheta, -2.0 * i / config.HeadSize);
            result[i] = config.RopeScaling is RopeScaling scaling ? Scale(frequency, scaling) : frequency;
        }

        return result;
    }

    /// <summary>Rotates <paramref name="x"/> [B, H, T, D] at positions <paramref name="start"/> … start+T-1.</summary>
    public Tensor Apply(Tensor x, int start, int length) =>
        Rotate(x, cosine.narrow(0, start, length), sine.narrow(0, start, length));

    /// <summary>Rotates <paramref name="x"/> [B, H, T, D] at <paramref name="positions"/> [B, T] (int64).</summary>
    public Tensor Apply(Tensor x, Tensor positions) =>
        Rotate(x, cosine.Rows(positions.flatten()).view(positions.shape[0], 1, positions.shape[1], -1),
            sine.Rows(positions.flatten()).view(positions.shape[0], 1, positions.shape[1], -1));

    public void Dispose()
    {
        cosine.Dispose();
        sine.Dispose();
    }

    private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        Tensor wide = x.Wide();
        return wide.mul(cos).PlusProduct(wide.HalvesSwapped(), sin).Narrowed(x.dtype);
    }

    private static double Scale(double frequency, RopeScaling scaling)
    {
        double wavelength = 2 * Math.PI / frequency;
        double longest = scaling.OriginalMaxPosition / scaling.LowFrequencyFactor;
        double shortest = scaling.OriginalMaxPosition / scaling.HighFrequencyFactor;
        if (wavelength < shortest)
        {
            return frequency;
        }

        if (wavelength > longest)
        {
            return frequency / scaling.Factor;
        }

        double smooth = ((scaling.OriginalMaxPosition / wavelength) - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return ((1 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }
}
