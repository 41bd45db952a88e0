using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Python 3, with its standard library and nothing else.</summary>
public sealed partial class Python : Language
{
    private const string Interpreter = "/usr/bin/python3";

    private static readonly LanguageTool Linter = new("/usr/bin/pyflakes3", "pyflakes3");

    // A name that no program gives a module of its own.
    private const string Start = "dataflow_start.py";

    private static readonly LiteralForms Forms = new("None", "True", "False")
    {
        Text = text => LiteralForms.QuoteRunes(text, point => "\\U" + point.ToString("x8", CultureInfo.InvariantCulture)),
        List = (items, _) => $"[{string.Join(", ", items)}]",
        Dictionary = (pairs, _) => $"{{{string.Join(", ", pairs.Select(pair => $"{pair.Key}: {pair.Value}"))}}}",
    };

    public override string Name => "python";

    public override string Title => "Python";

    public override string LineComment => "#";

    public override IReadOnlyList<string> Aliases => ["py", "python3"];

    public override IReadOnlyList<string> Extensions => [".py"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Interpreter, "python3")];

    protected override LanguageProgram MakeAlone(string source) => Scripts(Start, (SourceName, source), (Start, Driver("python_start.py")));

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) =>
        Scripts("driver.py", (SourceName, source), (Start, Driver("python_start.py")), ("driver.py", Driver("python.py")), ("calls.json", JsonSerializer.Serialize(calls)));

    protected override LanguageProgram MakeCheck(string source) =>
        Scripts("check.py", (SourceName, source), ("check.py", Driver("python_check.py"))) with { Compile = $"{Interpreter} -I -S /job/check.py" };

    public override int SourcesPerAnalysis => 100;

    public override string SourceNameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{index}.py");

    // pyflakes parses too, so it comes for all sources, whatever the check says.
    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources)
    {
        string[] names = sources.Count == 1 ? [SourceName] : sources.Select((_, i) => SourceNameOf(i)).ToArray();
        LanguageProgram check = Scripts("check.py", [.. names.Zip(sources), ("check.py", Driver("python_check.py"))]) with { Compile = $"cd /job && {{ {Interpreter} -I -S check.py {string.Join(' ', names)}; }}" };
        return Linter.IsThere ? check with { Compile = $"{{ {Linter.Path} /job/*.py || true; }} && {check.Compile}" } : check;
    }

    // What pyflakes cannot parse the check has told already, and better.
    public override IReadOnlyList<Finding> AnalysisFindings(LanguageProgram program, SandboxResult result)
    {
        IReadOnlyList<Finding> all = CompilerMessages.ReadLinted(result);
        HashSet<string> broken = all.Where(finding => finding.Severity == Severity.Error).Select(finding => finding.File).ToHashSet(StringComparer.Ordinal);
        return all.Where(finding => finding.Severity == Severity.Error || !broken.Contains(finding.File)).ToArray();
    }

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.Read(result);

    public override bool MayBeCompileError(string complaint) =>
        complaint.Contains("SyntaxError", StringComparison.Ordinal) || complaint.Contains("IndentationError", StringComparison.Ordinal)
        || complaint.Contains("TabError", StringComparison.Ordinal) || complaint.Contains("null bytes", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) => Complaint(complaint).StartsWith("MemoryError", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => Exhausted().Match(stderr) is { Success: true } match && !Raising().IsMatch(match.Groups["last"].Value);

    // The driver says so if the program raised it.
    public override bool RefusedMemory(string error) => error == "MemoryError: ";

    public override bool TryReadLiteral(string text, out CanonicalValue value) => PythonLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    // Compiled once, and forked for each input.
    public override (string Driver, IReadOnlyList<string> Command) ToBatch(IReadOnlyList<string> command, IReadOnlyList<string> arguments) =>
        ("python_batch.py", [Interpreter, "-I", "-S", "/job/python_batch.py", .. arguments]);

    private static LanguageProgram Scripts(string main, params (string, string)[] files) =>
        new(LanguageProgram.Texts(files), [Interpreter, "-I", "-S", "/job/" + main]);

    [GeneratedRegex(@"^Traceback \(most recent call last\):\n(?:(?:  File |  \[)[^\n]*\n(?<last>(?:    [^\n]*\n)*))*MemoryError(?:: [^\n]*)?\s*\z", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    // A statement of the program's own, where want of memory would be told at an expression.
    [GeneratedRegex(@"^    (?:[^'""\n]*[:;])?\s*raise\b")]
    private static partial Regex Raising();
}
