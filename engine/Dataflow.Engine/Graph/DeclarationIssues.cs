using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>What stages and models say of their options, turned into diagnostics.</summary>
internal static class DeclarationIssues
{
    /// <summary>
    /// What is said of options that are right while others are wrong: asked under every value that may stand in a wrong
    /// one's place, since what is said under all of them hangs on none.
    /// </summary>
    /// <param name="places">The options that were given, where only what is said of these counts; null for all.</param>
    public static IEnumerable<DeclarationIssue> Agreed(
        Func<IReadOnlyList<DeclarationIssue>> ask, IReadOnlyList<BadOption> wrong, IReadOnlyDictionary<string, SourceSpan>? places)
    {
        DeclarationIssue[] agreed = ask().Where(issue => places is null || places.ContainsKey(issue.Option)).ToArray();
        for (int i = 1; i < BadOption.StandIns && wrong.Count > 0; i++)
        {
            foreach (BadOption option in wrong)
            {
                option.StandIn(i);
            }

            IReadOnlyList<DeclarationIssue> other = ask();
            agreed = agreed.Where(issue => other.Any(same => same.Option == issue.Option && same.Message == issue.Message)).ToArray();
        }

        foreach (BadOption option in wrong)
        {
            option.StandIn(0);
        }

        return agreed.Where(issue => !wrong.Any(option => option.Concerns(issue.Option)));
    }

    public static void Report(IEnumerable<DeclarationIssue> issues, Func<string, SourceSpan> placeOf, DiagnosticBag diagnostics)
    {
        foreach (DeclarationIssue issue in issues)
        {
            SourceSpan place = placeOf(issue.Option);
            if (issue.IsWarning)
            {
                diagnostics.Warning(DiagnosticCodes.OptionRejected, place, issue.Message);
                continue;
            }

            string code = issue.Wanted is null ? DiagnosticCodes.OptionRejected : DiagnosticCodes.Column;
            diagnostics.Error(code, place, issue.Message, issue.Wanted is null ? null : Suggest.DidYouMean(issue.Wanted, issue.Candidates));
        }
    }
}
