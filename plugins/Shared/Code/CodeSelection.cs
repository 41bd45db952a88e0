using System.Text.RegularExpressions;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Code;

/// <summary>Which of an answer's blocks are its program.</summary>
/// <param name="Code">The program; null if there is none.</param>
/// <param name="Blocks">How many blocks it was put together from.</param>
/// <param name="Problem">Why there is none.</param>
internal sealed record SelectedCode(string? Code, int Blocks, string? Problem);

/// <summary>
/// Chooses the program among an answer's fenced blocks: those in the language, without those that are not meant to be
/// run (marked so, transcripts, shown as wrong, as usage or as a test), without what a later one replaces; the rest joined.
/// </summary>
internal static partial class CodeSelection
{
    /// <param name="tags">Names by which fences call the language.</param>
    /// <param name="bare">Whether an answer without any fence is code as a whole.</param>
    public static SelectedCode From(string answer, IReadOnlyCollection<string> tags, bool bare)
    {
        answer = Thoughts().Replace(answer, "");
        IReadOnlyList<FencedBlock> all = FencedBlocks.Find(answer);
        if (all.Count == 0)
        {
            return bare && !string.IsNullOrWhiteSpace(answer) ? new SelectedCode(answer, 0, null) : new SelectedCode(null, 0, "the answer has no code block");
        }

        FencedBlock[] tagged = all.Where(block => tags.Contains(block.Tag) || tags.Contains(TagVersion().Replace(block.Tag, ""))).ToArray();
        FencedBlock[] own = tagged.Length > 0 ? tagged : all.Where(block => block.Tag.Length == 0).ToArray();
        FencedBlock[] run = own.Where(block => !string.IsNullOrWhiteSpace(block.Content) && !MarkedNotToRun().IsMatch(Attribute().Replace(block.Info, "")) && !Transcript().IsMatch(block.Content)).ToArray();
        // What the prose says is a hint: it decides only while another block is left.
        FencedBlock[] meant = run.Where(block => !SaidNotToRun().IsMatch(block.Before)).ToArray();
        string[] chosen = WithoutReplaced((meant.Length > 0 ? meant : run).Select(block => block.Content).ToArray(), tags.Contains("python"));
        return chosen.Length > 0 ? new SelectedCode(string.Join('\n', chosen), chosen.Length, null)
            : own.Length > 0 ? new SelectedCode(null, 0, "no code block is meant to be run")
            : new SelectedCode(null, 0, $"no code block is in the language; there are {string.Join(", ", all.Select(block => block.Tag).Distinct())}");
    }

    // An answer often improves on itself: what defines a name again stands for the earlier definition, and a block of
    // nothing but such definitions goes as a whole.
    private static string[] WithoutReplaced(string[] blocks, bool indented)
    {
        HashSet<string>[] names = blocks.Select(block => Names(block).ToHashSet(StringComparer.Ordinal)).ToArray();
        return blocks.Select((block, i) =>
        {
            HashSet<string> later = names.Skip(i + 1).SelectMany(each => each).ToHashSet(StringComparer.Ordinal);
            return names[i].Count > 0 && names[i].IsSubsetOf(later) ? "" : names[i].Overlaps(later) ? Without(block, later, indented) : block;
        }).Where(block => !string.IsNullOrWhiteSpace(block)).ToArray();
    }

    private static string Without(string block, HashSet<string> names, bool indented)
    {
        string[] lines = block.Split('\n');
        (int Start, int End)[] replaced = Definitions.Find(lines, indented).Where(place => Names(string.Join('\n', lines[place.Start..place.End])).FirstOrDefault() is string name && names.Contains(name)).ToArray();
        return string.Join('\n', lines.Where((_, i) => !replaced.Any(place => i >= place.Start && i < place.End)));
    }

    private static IEnumerable<string> Names(string code) => Definition().Matches(code).Select(match => match.Groups["name"].Value);

    // A model's thoughts hold drafts. Some chat templates open the tag in the prompt, so that only its end is in the answer.
    [GeneratedRegex(@"\A(?:(?!^[ \t]*<think(?:ing)?>).)*?^[ \t]*(?:[`~]{3,}[ \t]*)?</think(?:ing)?>[ \t\r]*$|^[ \t]*<think(?:ing)?>.*?(?:</think(?:ing)?>|\z)", RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Thoughts();

    // python3.11, c++20: the version is the writer's.
    [GeneratedRegex(@"[-\d.]+$")]
    private static partial Regex TagVersion();

    // title="example.py" names a file.
    [GeneratedRegex(@"[\w-]+=(?:""[^""]*""|'[^']*'|\S+)")]
    private static partial Regex Attribute();

    [GeneratedRegex(@"\b(no_run|norun|ignore|do-not-run|compile_fail|should_panic|example)\b", RegexOptions.IgnoreCase)]
    private static partial Regex MarkedNotToRun();

    // An interactive session: prompts, and outputs between them.
    [GeneratedRegex(@"\A\s*(>>> |In \[\d+\]:|\$ |irb\(|php > |> (?!=))")]
    private static partial Regex Transcript();

    [GeneratedRegex(@"^\W*(for )?(examples?|tests?|demo)( code)?\W*$|\b(do not run|don't run|not (meant|intended) to (be )?run|usage|how to (use|call|run)|(example|sample|expected) (output|call|input)|outputs?:|prints:|(wrong|incorrect|buggy|broken|naive|slow) (version|solution|code|attempt|approach)|instead of|examples? of (use|usage|calling)|(test|try|run|call|check|verify) (it|them|this|that|the (function|class|program|code|solution))( out)? (with|by|as|like|using|so)\b|(common|typical|frequent|easy) (mistake|error|bug|pitfall)|avoid (this|that|the following)\b|(do not|don't|never) (do|write|use) (it|this|that|the following)\b|\b(wrong|incorrect|bad)\W*$)", RegexOptions.IgnoreCase)]
    private static partial Regex SaidNotToRun();

    // At the left margin, where most languages define: a keyword and a name, or a C-like head that opens a body.
    [GeneratedRegex(@"^(?:(?:export |pub |public |static |async |abstract |final |internal )*(?:def|class|function|fn|func|struct|enum|interface|trait|record|CREATE TABLE|create table)\s+(?<name>\w+)|[A-Za-z_][\w\s\*&<>:,\[\]]*?\b(?<name>\w+)\s*\([^;{}]*\)\s*(?:const\s*)?\{|(?:export )?(?:const|let|var)\s+(?<name>\w+)\s*=\s*(?:async\s*)?(?:function\b|\([^)\n]*\)\s*=>|\w+\s*=>))", RegexOptions.Multiline)]
    private static partial Regex Definition();
}
