using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>JavaScript in Node.js: a CommonJS script, or a module where it imports or exports.</summary>
public sealed partial class JavaScript : Language
{
    private const string Node = "/usr/bin/node";

    private static readonly LiteralForms Forms = new("null", "true", "false")
    {
        Number = number => LiteralForms.IsWhole(number) && number.ToJsonString().Length > 15 ? number.ToJsonString() + "n" : number.ToJsonString(),
        List = (items, _) => $"[{string.Join(", ", items)}]",
        Dictionary = (pairs, _) => $"({{{string.Join(", ", pairs.Select(pair => $"[{pair.Key}]: {pair.Value}"))}}})",
    };

    public override string Name => "javascript";

    public override string Title => "JavaScript";

    public override IReadOnlyList<string> Aliases => ["js", "node"];

    public override IReadOnlyList<string> Extensions => [".js", ".mjs", ".cjs"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Node, "nodejs")];

    public override long LeastMemoryBytes => 128_000_000;

    public override LanguageProgram Alone(string source)
    {
        string name = FileName(source);
        return new(LanguageProgram.Texts((name, source)), [Node, "/job/" + name]);
    }

    public override LanguageProgram WithCalls(string source, IReadOnlyList<string> calls) => Compose(FileName(source), source, calls);

    public override LanguageProgram ToCheck(string source) => Alone(source) with { Compile = $"{Node} --check /job/{FileName(source)}" };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => NodeMessages.Read(result, SourceName);

    public override bool MayBeCompileError(string complaint) => complaint.Contains("SyntaxError", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) => NodeMessages.IsOutOfMemory(complaint);

    public override string Complaint(string stderr) => NodeMessages.Complaint(stderr);

    public override SandboxLimits RunLimits(SandboxLimits limits) => NodeMessages.RunLimits(limits);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    /// <summary>The script, the driver, and a last line that lets the driver evaluate in the script's scope.</summary>
    internal static LanguageProgram Compose(string name, string source, IReadOnlyList<string> calls) => new(
        LanguageProgram.Texts((name, WithHook(source)), ("driver.cjs", Driver("javascript.cjs")), ("calls.json", JsonSerializer.Serialize(calls))),
        [Node, "--require", "/job/driver.cjs", "/job/" + name]);

    internal static string WithHook(string source) => source + "\n;globalThis.dataflow_evaluate((code) => eval(code));\n";

    internal static string FileName(string source) => Module().IsMatch(source) ? "candidate.mjs" : "candidate.cjs";

    [GeneratedRegex(@"^(?:import\s+[\w{*'""]|export\s+[\w{*])", RegexOptions.Multiline)]
    private static partial Regex Module();
}
