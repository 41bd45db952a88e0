using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>JavaScript in Node.js: a CommonJS script where it can be read so, and else an ES module.</summary>
public sealed partial class JavaScript : Language
{
    private const string Node = NodeRuntime.Program;
    private const string SourceFile = "candidate.js";
    private const string ScriptFile = "candidate.cjs";
    private const string ModuleFile = "candidate.mjs";

    private static readonly LiteralForms Forms = new("null", "true", "false")
    {
        Number = number => LiteralForms.IsWhole(number) && number.ToJsonString().Length > NodeRuntime.ExactDigits ? number.ToJsonString() + "n" : number.ToJsonString(),
        List = (items, _) => $"[{string.Join(", ", items)}]",
        Dictionary = (pairs, _) => $"({{{string.Join(", ", pairs.Select(pair => $"[{pair.Key}]: {pair.Value}"))}}})",
    };

    private readonly NodeRuntime runtime = new();

    public override string Name => "javascript";

    public override string Title => "JavaScript";

    public override IReadOnlyList<string> Aliases => ["js", "node"];

    public override IReadOnlyList<string> Extensions => [".js", ".mjs", ".cjs"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Node, "nodejs")];

    public override long LeastMemoryBytes => 128_000_000;

    protected override LanguageProgram MakeAlone(string source)
    {
        string name = FileName(source);
        return new(LanguageProgram.Texts((name, source)), [Node, "/job/" + name]);
    }

    /// <summary>The script, the driver, and a last line that lets the driver evaluate in the script's scope.</summary>
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        string name = FileName(source);
        return new(
            LanguageProgram.Texts((name, WithHook(source)), ("driver.cjs", Driver("javascript.cjs")), ("calls.json", JsonSerializer.Serialize(calls))),
            [Node, "--require", "/job/driver.cjs", "/job/" + name]);
    }

    // Once it takes a file for a module, a check of Node.js reads it no further, so that is checked under a module's name.
    protected override LanguageProgram MakeCheck(string source) => FileName(source) is not SourceFile and string name
        ? Alone(source) with { Compile = $"{Node} --check /job/{name}" }
        : Alone(source) with
        {
            Files = LanguageProgram.Texts((SourceFile, source), (ScriptFile, source), (ModuleFile, source)),
            Compile = $"{{ {Node} --check /job/{ScriptFile} 2> /dev/null || {{ {Node} --check /job/{SourceFile} && {Node} --check /job/{ModuleFile}; }}; }}",
        };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => NodeMessages.Read(result, SourceName);

    public override bool MayBeCompileError(string complaint) => complaint.Contains("SyntaxError", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) => NodeMessages.IsOutOfMemory(complaint);

    public override bool EndedForMemory(SandboxResult result, string stderr) => NodeMessages.EndedForMemory(result, stderr);

    public override bool RefusedMemory(string error) => NodeMessages.RefusedMemory(error);

    public override string Complaint(string stderr) => NodeMessages.Complaint(stderr);

    public override SandboxLimits RunLimits(SandboxLimits limits) => NodeMessages.RunLimits(limits);

    public override bool TryReadLiteral(string text, out CanonicalValue value) => SimpleLiteral.TryRead(text, out value, NodeRuntime.ExactDigits);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    internal static string WithHook(string source) => source + "\n;globalThis.dataflow_evaluate((code) => eval(code));\n";

    private string FileName(string source) => runtime.DetectsModules ? SourceFile : Module().IsMatch(source) ? ModuleFile : ScriptFile;

    [GeneratedRegex(@"^(?:import\s+[\w{*'""]|export\s+[\w{*])", RegexOptions.Multiline)]
    private static partial Regex Module();
}
