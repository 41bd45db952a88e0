using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Go with its standard library. What is called stands in package main; several results of a function make a list.</summary>
public sealed partial class Go : Language
{
    private const string Tool = "/usr/bin/go";
    private const string EmptyMain = "package main\n\nfunc main() {}\n";

    public override string Name => "go";

    public override string Title => "Go";

    public override IReadOnlyList<string> Aliases => ["golang"];

    public override IReadOnlyList<string> Extensions => [".go"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Tool, "golang-go")];

    public override IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["GOCACHE"] = "/tmp/gocache",
        ["GOPATH"] = "/tmp/gopath",
        ["GO111MODULE"] = "off",
        ["CGO_ENABLED"] = "0",
        ["GOTOOLCHAIN"] = "local",
        ["GOTELEMETRY"] = "off",
        ["GOTRACEBACK"] = "none",
    };

    protected override LanguageProgram MakeAlone(string source) => Build(source, [(SourceName, InMain(source))]);

    // The driver runs in an init function: a main function of the candidate's is there but never reached.
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        // In the candidate's own file, since imports are of a file.
        var text = new StringBuilder(InMain(source)).Append("\nfunc dataflowCalls() {\n");
        int first = Lines(text.ToString()) + 1;
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"dataflowCall({i}, func() []interface{{}} {{ return dataflowPack({OneLine(calls[i])}) }})\n");
        }

        return Build(source, [(SourceName, text.Append("}\n").ToString()), ("driver.go", Driver("go.txt")), .. MainFor(source)]) with { CallFile = SourceName, FirstCallLine = first };
    }

    protected override LanguageProgram MakeCheck(string source) => Build(source, [(SourceName, InMain(source)), .. MainFor(source)]);

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources)
    {
        LanguageProgram check = ToCheck(sources[0]);
        return WithLinter(check, Tools[0], $"{Tool} vet {string.Join(' ', check.Files.Keys)}");
    }

    // What the build says are errors, and it is silent where vet comes to speak.
    public override IReadOnlyList<Finding> AnalysisFindings(LanguageProgram program, SandboxResult result) =>
        result.ExitCode == 0 ? CompilerMessages.ReadLinted(result) : CompilerMessages.Read(result);

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.Read(result);

    public override bool IsOutOfMemory(string complaint) =>
        complaint.Contains("out of memory", StringComparison.Ordinal) || complaint.Contains("cannot allocate memory", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => result.ExitCode == 2 && Exhausted().IsMatch(stderr);

    public override string Complaint(string stderr) => stderr.Split('\n')[0].Trim();

    // The runtime reserves its arenas ahead.
    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (1L << 30) };

    public override bool TryReadLiteral(string text, out CanonicalValue value) =>
        text.Trim() == "nil" ? (value = CanonicalValue.OfJson(null)) == value : SimpleLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => Write(value, JsonShape.Of(value));

    private static string Write(JsonNode? value, JsonShape? shape) => value switch
    {
        null => "nil",
        JsonArray items => $"{Type(shape ?? new(ShapeKind.List))}{{{string.Join(", ", items.Select(item => Write(item, shape?.Item ?? JsonShape.Of(item))))}}}",
        JsonObject record => $"{Type(shape ?? new(ShapeKind.Dictionary))}{{{string.Join(", ", record.Select(pair => $"{Quote(pair.Key)}: {Write(pair.Value, shape?.Item ?? JsonShape.Of(pair.Value))}"))}}}",
        _ when value.GetValueKind() == System.Text.Json.JsonValueKind.String => Quote(value.GetValue<string>()),
        _ when shape?.Kind == ShapeKind.Wide => ulong.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out _) ? $"uint64({value.ToJsonString()})" : LiteralForms.None("go", "a whole number of more than 64 bits"),
        _ => value.ToJsonString(),
    };

    private static string Type(JsonShape? shape) => shape?.Kind switch
    {
        ShapeKind.Boolean => "bool",
        ShapeKind.Integer or ShapeKind.Long => "int",
        ShapeKind.Wide => "uint64",
        ShapeKind.Float => "float64",
        ShapeKind.Text => "string",
        ShapeKind.List => $"[]{Type(shape.Item)}",
        ShapeKind.Dictionary => $"map[string]{Type(shape.Item)}",
        _ => "interface{}",
    };

    private static string Quote(string text) => LiteralForms.QuoteRunes(text, point => "\\U" + point.ToString("x8", CultureInfo.InvariantCulture));

    private static LanguageProgram Build(string source, (string Name, string Text)[] files) => new(LanguageProgram.Texts(files), ["/job/program"])
    {
        Compile = $"cd /job && {Tool} build -ldflags='-s -w' -o {LanguageProgram.OutputFolder}/program {string.Join(' ', files.Select(file => file.Name))}",
    };

    private static string InMain(string source) => Package().IsMatch(source)
        ? Package().Replace(source, "package main", 1)
        : "package main\n//line candidate.go:1\n" + source;

    private static (string Name, string Text)[] MainFor(string source) => Main().IsMatch(source) ? [] : [("main.go", EmptyMain)];

    [GeneratedRegex("^(?:fatal error|runtime): .*(?:out of memory|cannot allocate memory)", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    [GeneratedRegex(@"^package\s+\w+", RegexOptions.Multiline)]
    private static partial Regex Package();

    [GeneratedRegex(@"^func\s+main\s*\(\s*\)", RegexOptions.Multiline)]
    private static partial Regex Main();
}
