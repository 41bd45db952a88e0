using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>PHP by its command line. A source without an opening tag is taken as code.</summary>
public sealed partial class Php : Language
{
    private const string Interpreter = "/usr/bin/php";

    private static readonly LiteralForms Forms = new("null", "true", "false")
    {
        Text = text => LiteralForms.QuoteRunes(text, point => "\\u{" + point.ToString("x", CultureInfo.InvariantCulture) + "}").Replace("$", "\\$", StringComparison.Ordinal),
        Number = number => LiteralForms.Within64Bits(number, "php"),
        List = (items, _) => $"[{string.Join(", ", items)}]",
        Dictionary = (pairs, _) => $"[{string.Join(", ", pairs.Select(pair => $"{pair.Key} => {pair.Value}"))}]",
    };

    private readonly PhpExtensions extensions = new();

    public override string Name => "php";

    public override string Title => "PHP";

    public override IReadOnlyList<string> Extensions => [".php"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Interpreter, "php-cli"), extensions.Multibyte];

    protected override LanguageProgram MakeAlone(string source) => Scripts(SourceName, (SourceName, Tagged(source)));

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) =>
        Scripts("driver.php", (SourceName, Tagged(source)), ("driver.php", Driver("php.php")), ("calls.json", JsonSerializer.Serialize(calls)));

    protected override LanguageProgram MakeCheck(string source) => Alone(source) with { Compile = $"{Interpreter} -n -d display_errors=stderr -d log_errors=0 -l /job/{SourceName} > /dev/null" };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.Read(CompilerMessages.All(result), Message());

    public override bool MayBeCompileError(string complaint) =>
        complaint.Contains("Parse error", StringComparison.Ordinal) || complaint.Contains("ParseError", StringComparison.Ordinal) || complaint.Contains("Fatal error", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) =>
        complaint.Contains("Allowed memory size of", StringComparison.Ordinal) || complaint.Contains("Out of memory", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => Exhausted().IsMatch(stderr);

    public override string Complaint(string stderr) =>
        stderr.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase))?.Trim() ?? base.Complaint(stderr);

    // PHP has one kind of array: nothing in it is empty, and whole numbers from 0 on as keys make a list.
    public override CanonicalValue ExpectedJson(JsonNode? value) => CanonicalValue.OfJson(AsArrays(value));

    public override bool TryReadLiteral(string text, out CanonicalValue value) => SimpleLiteral.TryRead(text, out value, SimpleLiteral.DigitsOf64Bits);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    public override SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits)
    {
        SandboxRequest request = base.ToRun(program, files, stdin, limits);
        string memory = string.Create(CultureInfo.InvariantCulture, $"memory_limit={limits.MemoryBytes}");
        return request with { Command = [Interpreter, "-n", "-d", "display_errors=stderr", "-d", "log_errors=0", "-d", "html_errors=0", "-d", memory, .. extensions.Options, .. program.Run.Skip(1)] };
    }

    private static JsonNode? AsArrays(JsonNode? value) => value switch
    {
        JsonArray items => new JsonArray(items.Select(AsArrays).ToArray()),
        JsonObject record when record.Select((pair, i) => pair.Key == i.ToString(CultureInfo.InvariantCulture)).All(same => same) => new JsonArray(record.Select(pair => AsArrays(pair.Value)).ToArray()),
        JsonObject record => new JsonObject(record.Select(pair => KeyValuePair.Create(pair.Key, AsArrays(pair.Value)))),
        _ => value?.DeepClone(),
    };

    private static LanguageProgram Scripts(string main, params (string, string)[] files) => new(LanguageProgram.Texts(files), [Interpreter, "/job/" + main]);

    private static string Tagged(string source) => IsTemplate(source) ? source : "<?php " + source;

    // Read as code, a template comes to its opening tag before anything else ends the code. Text that no code could be, such as
    // with an apostrophe, may hide the tag.
    private static bool IsTemplate(string source)
    {
        Match? first = Token().Matches(source).FirstOrDefault(token => token.Groups["tag"].Success || token.Groups["open"].Success);
        return first is not null && (first.Groups["open"].Success ? source.Contains("<?", StringComparison.Ordinal) : first.Value == "<?");
    }

    [GeneratedRegex("""(?<tag><\?|\?>)|(?:#(?!\[)|//)(?:(?!\?>)[^\n])*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|<<<[ \t]*(["']?)(?<end>\w+)\1\r?\n.*?^[ \t]*\k<end>\b|(?<open>['"`]|/\*|<<<)""", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Token();

    [GeneratedRegex(@"^(?:PHP )?Fatal error: +(?:Allowed memory size of \d+ bytes exhausted|Out of memory \()|^mmap\(\) failed: \[12\] [^\n]*\n+Out of memory$", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    [GeneratedRegex(@"^(?:PHP )?(?<severity>\w+(?: \w+)?):\s+(?<message>.*) in /job/(?<file>[\w.]+) on line (?<line>\d+)$")]
    private static partial Regex Message();
}
