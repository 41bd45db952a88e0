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
/// run (marked so, transcripts, shown as wrong or as usage) and those that a later one replaces; the rest joined.
/// </summary>
internal static partial class CodeSelection
{
    /// <param name="tags">Names by which fences call the language.</param>
    /// <param name="bare">Whether an answer without any fence is code as a whole.</param>
    public static SelectedCode From(string answer, IReadOnlyCollection<string> tags, bool bare)
    {
        IReadOnlyList<FencedBlock> all = FencedBlocks.Find(answer);
        if (all.Count == 0)
        {
            return bare && !string.IsNullOrWhiteSpace(answer) ? new SelectedCode(answer, 0, null) : new SelectedCode(null, 0, "the answer has no code block");
        }

        FencedBlock[] tagged = all.Where(block => tags.Contains(block.Tag)).ToArray();
        FencedBlock[] own = tagged.Length > 0 ? tagged : all.Where(block => block.Tag.Length == 0).ToArray();
        FencedBlock[] run = own.Where(block => !string.IsNullOrWhiteSpace(block.Content) && !MarkedNotToRun().IsMatch(block.Info) && !Transcript().IsMatch(block.Content)).ToArray();
        // What the prose says is a hint: it decides only while another block is left.
        FencedBlock[] meant = run.Where(block => !SaidNotToRun().IsMatch(block.Before)).ToArray();
        FencedBlock[] chosen = WithoutReplaced(meant.Length > 0 ? meant : run);
        return chosen.Length > 0 ? new SelectedCode(string.Join('\n', chosen.Select(block => block.Content)), chosen.Length, null)
            : own.Length > 0 ? new SelectedCode(null, 0, "no code block is meant to be run")
            : new SelectedCode(null, 0, $"no code block is in the language; there are {string.Join(", ", all.Select(block => block.Tag).Distinct())}");
    }

    // An answer often improves on itself: a block that defines a name again stands for the earlier one.
    private static FencedBlock[] WithoutReplaced(FencedBlock[] blocks)
    {
        HashSet<string>[] names = blocks.Select(block => Definition().Matches(block.Content).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal)).ToArray();
        return blocks.Where((_, i) => !Enumerable.Range(i + 1, blocks.Length - i - 1).Any(later => names[i].Overlaps(names[later]))).ToArray();
    }

    [GeneratedRegex(@"\b(no_run|norun|ignore|do-not-run|compile_fail|should_panic|example)\b", RegexOptions.IgnoreCase)]
    private static partial Regex MarkedNotToRun();

    // An interactive session: prompts, and outputs between them.
    [GeneratedRegex(@"\A\s*(>>> |In \[\d+\]:|\$ |irb\(|php > |> (?!=))")]
    private static partial Regex Transcript();

    [GeneratedRegex(@"\b(do not run|don't run|not (meant|intended) to (be )?run|usage|how to (use|call|run)|(example|sample|expected) (output|call|input)|outputs?:|prints:|(wrong|incorrect|buggy|broken|naive|slow) (version|solution|code|attempt|approach)|instead of)", RegexOptions.IgnoreCase)]
    private static partial Regex SaidNotToRun();

    // At the left margin, where most languages define: a keyword and a name, or a C-like head that opens a body.
    [GeneratedRegex(@"^(?:(?:export |pub |public |static |async |abstract |final |internal )*(?:def|class|function|fn|func|struct|enum|interface|trait|record|CREATE TABLE|create table)\s+(?<name>\w+)|[A-Za-z_][\w\s\*&<>:,\[\]]*?\b(?<name>\w+)\s*\([^;{}]*\)\s*(?:const\s*)?\{)", RegexOptions.Multiline)]
    private static partial Regex Definition();
}
