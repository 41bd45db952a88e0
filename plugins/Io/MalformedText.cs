using System.Text;

namespace Dataflow.Plugins.Io;

/// <summary>
/// Bytes of a file that are no UTF-8. Readers decode far ahead of the row they are at, so such bytes are marked in the
/// text, by two of the code points that Unicode keeps for a program's own use, and found when the row comes.
/// </summary>
internal static class MalformedText
{
    public const string Code = "bad_utf8";
    public const string Problem = "its bytes are not UTF-8";

    private const string Mark = "\uFDD0\uFDEF";

    /// <summary>UTF-8, with a mark in place of what is none.</summary>
    public static Encoding MarkingEncoding { get; } = Create();

    public static bool IsIn(string text) => text.Contains(Mark, StringComparison.Ordinal);

    /// <summary>The text as others show it.</summary>
    public static string Shown(string text) => text.Replace(Mark, "\uFFFD", StringComparison.Ordinal);

    private static UTF8Encoding Create()
    {
        // With the byte order mark, so that a reader that meets one keeps this encoding.
        var encoding = (UTF8Encoding)new UTF8Encoding(encoderShouldEmitUTF8Identifier: true).Clone();
        encoding.DecoderFallback = new DecoderReplacementFallback(Mark);
        return encoding;
    }
}
