using System.Globalization;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Asking;

/// <summary>Reads a judge's mark: a word, a colon and a whole number. The last one counts, since a judge may quote the form, or go through the points, before it decides.</summary>
internal static class LastMark
{
    /// <exception cref="RowFailedException"><c>bad_verdict</c>: there is none, or the last is not a whole number within the bounds.</exception>
    public static int Read(string answer, string word, int lowest, int highest)
    {
        Match? last = Regex.Matches(answer, Regex.Escape(word) + @"\W{0,5}:[\s*_`'""(]{0,5}(?<mark>[-+]?\d+(?:[.,]\d+)?)(?:\s*/\s*(?<of>\d+))?", RegexOptions.IgnoreCase).LastOrDefault();
        bool taken = int.TryParse(last?.Groups["mark"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int mark) && mark >= lowest && mark <= highest
            && (!last!.Groups["of"].Success || last.Groups["of"].Value == highest.ToString(CultureInfo.InvariantCulture));
        return taken ? mark : throw new RowFailedException(
            "bad_verdict", $"the judge's answer has no line '{word}: N' with N from {lowest} to {highest}; it {(last is null ? $"ends with {answer[^Math.Min(answer.Length, 200)..]}" : $"says {last.Value}")}");
    }
}
