using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Bash. A call is a command line, and its value is what it prints, without the newlines at its end.</summary>
public sealed partial class Bash : Language
{
    private const string Interpreter = "/usr/bin/bash";

    private static readonly LanguageTool Linter = new("/usr/bin/shellcheck", "shellcheck");

    private static readonly LiteralForms Forms = new("''", "true", "false")
    {
        Text = Quote,
        List = (items, _) => string.Join(' ', items),
        Dictionary = (_, _) => LiteralForms.None("bash", "a dictionary"),
    };

    public override string Name => "bash";

    public override string Title => "Bash";

    public override string LineComment => "#";

    public override IReadOnlyList<string> Aliases => ["sh", "shell"];

    public override IReadOnlyList<string> Extensions => [".sh", ".bash"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Interpreter, "bash")];

    protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source)), [Interpreter, "/job/" + SourceName]);

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) => new(
        LanguageProgram.Texts([(SourceName, source), ("driver.sh", Driver("bash.sh")), .. calls.Select((call, i) => ("calls/" + i.ToString(CultureInfo.InvariantCulture), call))]),
        [Interpreter, "/job/driver.sh"]);

    protected override LanguageProgram MakeCheck(string source) => Alone(source) with { Compile = $"{Interpreter} {(source.Contains("extglob", StringComparison.Ordinal) ? "-O extglob " : "")}-n /job/{SourceName}" };

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources) =>
        WithLinter(ToCheck(sources[0]), Linter, $"{Linter.Path} -s bash -f gcc /job/{SourceName}");

    public override IReadOnlyList<Finding> AnalysisFindings(LanguageProgram program, SandboxResult result) =>
        result.ExitCode == 0 ? CompilerMessages.Read(result) : Findings(program, result);

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.Read(CompilerMessages.All(result), Message());

    public override bool MayBeCompileError(string complaint) =>
        complaint.Contains("syntax error", StringComparison.Ordinal) || complaint.Contains("unexpected EOF", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) =>
        complaint.Contains("cannot allocate", StringComparison.OrdinalIgnoreCase);

    public override bool EndedForMemory(SandboxResult result, string stderr) => Exhausted().IsMatch(stderr);

    // What is expected is the text itself: a command line in its place would have to be run to mean something.
    public override bool TryReadLiteral(string text, out CanonicalValue value)
    {
        value = CanonicalValue.OfText(text.TrimEnd('\n'));
        return true;
    }

    public override CanonicalValue ExpectedJson(JsonNode? value) => CanonicalValue.OfText(Printed(value).TrimEnd('\n'));

    public override string Literal(JsonNode? value) => Forms.Write(value);

    private static string Printed(JsonNode? value) => value switch
    {
        null => "",
        JsonArray items => string.Join('\n', items.Select(Printed)),
        _ when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => value.ToJsonString(),
    };

    private static string Quote(string text) => text.Contains('\0', StringComparison.Ordinal)
        ? LiteralForms.None("bash", "a text with a zero character")
        : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    [GeneratedRegex(@"^/\S+: (?:line \d+: )?(?:\w+: cannot allocate \d+ bytes|(?:\S+: )+Cannot allocate memory)", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    [GeneratedRegex(@"^/job/(?<file>[\w.]+): line (?<line>\d+): (?<severity>)(?<message>.*)$")]
    private static partial Regex Message();
}
