using System.Globalization;

namespace Dataflow.Torch.Text;

/// <summary>GPT-2's printable stand-ins for bytes, in which byte-level BPE writes its vocabulary.</summary>
internal static class ByteLevel
{
    /// <summary>Symbol of each byte: printable Latin-1 stands for itself, the rest is moved to U+0100 and up.</summary>
    public static IReadOnlyList<string> Symbols { get; } = Make();

    public static string Spell(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder(bytes.Length);
        foreach (byte b in bytes)
        {
            text.Append(Symbols[b]);
        }

        return text.ToString();
    }

    private static string[] Make()
    {
        var symbols = new string[256];
        int moved = 0;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
            symbols[b] = ((char)(printable ? b : 256 + moved++)).ToString(CultureInfo.InvariantCulture);
        }

        return symbols;
    }
}
