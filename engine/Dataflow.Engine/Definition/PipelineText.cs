using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>A YAML file's bytes as text. What is no UTF-8 is a mistake with a place: replaced, it would change names and prompts unseen.</summary>
internal static class PipelineText
{
    /// <summary>The text; null if it is none (the bag says where).</summary>
    public static string? Read(string path, DiagnosticBag diagnostics)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            // A byte order mark that says UTF-16 or UTF-32.
            using var reader = new StreamReader(new MemoryStream(bytes), detectEncodingFromByteOrderMarks: true);
            return reader.ReadToEnd();
        }

        ReadOnlySpan<byte> content = bytes.AsSpan(bytes is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0);
        if (Utf8.IsValid(content))
        {
            return Encoding.UTF8.GetString(content);
        }

        int at = FirstInvalid(content);
        ReadOnlySpan<byte> before = content[..at];
        int line = before.Count((byte)'\n') + 1;
        int column = Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1;
        diagnostics.Error(
            DiagnosticCodes.BadYaml, new SourceSpan(path, line, column), $"the byte 0x{content[at]:X2} is not UTF-8", "save the file in the encoding UTF-8");
        return null;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> content)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(content[at..], out _, out int length) == OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }
}
