using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Calls as C#: each a case of a switch, where it sees what the candidate declares.</summary>
internal static partial class CSharpCalls
{
    /// <summary>File and, from 1, line in which a compiler's message is to place a call.</summary>
    public const string FileName = "calls.cs";

    private const string Task = "global::System.Threading.Tasks.Task";

    /// <summary>A statement that gives the value of call <c>i</c>.</summary>
    /// <param name="otherwise">What it gives of a call that is not among them.</param>
    public static string Switch(IEnumerable<(int Index, string Call)> calls, string otherwise = "null")
    {
        var cases = new StringBuilder("switch (i) {\n");
        foreach ((int index, string call) in calls)
        {
            cases.Append(CultureInfo.InvariantCulture, $"#line {index + 1} \"{FileName}\"\ncase {index}: return {call};\n");
        }

        return cases.Append("#line default\ndefault: return ").Append(otherwise).Append("; }").ToString();
    }

    /// <summary>A method that gives it.</summary>
    public static string Member(IEnumerable<(int Index, string Call)> calls, string otherwise = "null") =>
        $"internal async {Task}<object> DataflowCall(int i) {{ {Switch(calls, otherwise)} }}\n";

    /// <summary>The class to start.</summary>
    /// <param name="member">What it holds besides.</param>
    /// <param name="type">The class that has <see cref="Member"/>.</param>
    public static string Main(string member, string type, int count) =>
        $"class DataflowMain {{ {member} static {Task} Main() => DataflowDriving.DataflowDriver.RunAsync({count.ToString(CultureInfo.InvariantCulture)}, new {type}().DataflowCall); }}";

    /// <summary>
    /// The class to start, for a source of types. A call sees a type by its own name, as within the first namespace that is
    /// declared; one that names a type by its namespace stands outside, where a type of the namespace's name cannot hide it.
    /// </summary>
    public static string InNamespaces(string source, IReadOnlyList<(int Index, string Call)> calls)
    {
        string[] namespaces = Namespace().Matches(source).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal).ToArray();
        if (namespaces.Length == 0)
        {
            return Main(Member(calls), "DataflowMain", calls.Count);
        }

        string types = string.Join('|', TypeName().Matches(source).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal));
        var qualified = new Regex($@"(?<![\w.])(?:{string.Join('|', namespaces.Select(Regex.Escape))})\.(?:{types})\b");
        ILookup<bool, (int, string)> outside = calls.ToLookup(call => qualified.IsMatch(call.Call));
        // Some may lie in the first. All are declared once more, so that each is there even if only a comment or a text names it.
        string[] all = [.. namespaces, .. namespaces.Skip(1).Select(name => $"{namespaces[0]}.{name}")];
        string usings = string.Concat(all.Select(name => $"using global::{name}; "));
        string declared = string.Concat(all.Select(name => $"namespace {name} {{ }} "));
        string within = $"namespace {namespaces[0]} {{ class DataflowWithin {{ {Member(outside[false])} }} }}\n";
        return usings + declared + within + Main(Member(outside[true], $"await new global::{namespaces[0]}.DataflowWithin().DataflowCall(i)"), "DataflowMain", calls.Count);
    }

    [GeneratedRegex(@"(?<=(?:^|[{};])\s*)namespace\s+((?:\w+\.)*\w+)\s*[;{]", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record|delegate\s+[\w<>\[\],.?]+)\s+(\w+)")]
    private static partial Regex TypeName();
}
