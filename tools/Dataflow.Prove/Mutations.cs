using System.Text;

namespace Dataflow.Prove;

/// <summary>Small random damage to a file, from a seed.</summary>
internal static class Mutations
{
    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ":", ": ", "- ", "\n", "\t", "&a ", "*a", "!!str ", "|\n", ">-\n", "\"", "'", "#", "---\n", "${var:x}", "${env:", "$${", "{{ x }}", "{% for %}", "null", "~",
        "1e999", "-1", "99999999999999999999", "0x", "yes", "<<: *a", "? ", "@", "`", "%", "\0", "\uFEFF", "\u2028", "é", "💥",
    ];

    public static byte[] Apply(byte[] source, Random random)
    {
        List<byte> bytes = [.. source];
        int count = 1 + random.Next(4);
        for (int i = 0; i < count && bytes.Count > 0; i++)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(1 + random.Next(40), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]));
                    break;
                case 3:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    SwapLines(bytes, random);
                    break;
                default:
                    int from = random.Next(bytes.Count);
                    bytes.InsertRange(at, bytes.GetRange(from, Math.Min(length, bytes.Count - from)));
                    break;
            }
        }

        return [.. bytes];
    }

    private static void SwapLines(List<byte> bytes, Random random)
    {
        string[] lines = Encoding.Latin1.GetString([.. bytes]).Split('\n');
        int a = random.Next(lines.Length);
        int b = random.Next(lines.Length);
        (lines[a], lines[b]) = (lines[b], lines[a]);
        bytes.Clear();
        bytes.AddRange(Encoding.Latin1.GetBytes(string.Join('\n', lines)));
    }
}
