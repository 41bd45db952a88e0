namespace Dataflow.Plugins.Liquid;

/// <summary>The code in a model's answer.</summary>
internal static class CodeBlock
{
    /// <summary>The first fenced block's content; an unclosed one runs to the end; the whole text if there is none.</summary>
    public static string First(string text) => FencedBlocks.Find(text) is [FencedBlock first, ..] ? first.Content : text;
}
