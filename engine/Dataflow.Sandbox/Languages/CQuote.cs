using System.Globalization;
using System.Text;

namespace Dataflow.Sandbox.Languages;

/// <summary>Writes texts as C and C++ read them, as UTF-8 bytes.</summary>
internal static class CQuote
{
    // Three octal digits end by themselves; a hexadecimal escape would take the next character with it. '?' could begin a trigraph.
    public static string Write(string text) => "\"" + string.Concat(Encoding.UTF8.GetBytes(text).Select(unit => unit switch
    {
        (byte)'"' => "\\\"",
        (byte)'\\' => "\\\\",
        (byte)'?' => "\\?",
        >= (byte)' ' and < 127 => ((char)unit).ToString(),
        _ => "\\" + Convert.ToString(unit, 8).PadLeft(3, '0'),
    })) + "\"";
}
