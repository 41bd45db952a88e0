namespace Dataflow.Sandbox.Languages;

/// <summary>The byte-order mark that some editors begin a file with. It is no part of the program, and not every language passes over it.</summary>
internal static class SourceMark
{
    private const char Mark = '\uFEFF';

    public static string Drop(string source) => source.StartsWith(Mark) ? source[1..] : source;
}
