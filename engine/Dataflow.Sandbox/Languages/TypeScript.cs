using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>TypeScript, transpiled by the compiler's library and run by Node.js.</summary>
public sealed class TypeScript : Language
{
    private const string Node = NodeRuntime.Program;
    private const string Transpiled = "candidate.js";

    private const string TypeChecker = "/usr/bin/tsc";

    private readonly JavaScript javaScript = new();

    public override string Name => "typescript";

    public override string Title => "TypeScript";

    public override IReadOnlyList<string> Aliases => ["ts"];

    public override IReadOnlyList<string> Extensions => [".ts", ".mts", ".cts"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Node, "nodejs"), new("/usr/share/nodejs/typescript/lib/typescript.js", "node-typescript")];

    public override long LeastMemoryBytes => javaScript.LeastMemoryBytes;

    protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source), ("transpile.cjs", Driver("typescript.cjs"))), [Node, "/job/" + Transpiled])
    {
        Compile = $"{Node} /job/transpile.cjs",
    };

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) => new(
        LanguageProgram.Texts((SourceName, source), ("transpile.cjs", Driver("typescript.cjs")), ("driver.cjs", Driver("javascript.cjs")), ("calls.json", JsonSerializer.Serialize(calls))),
        [Node, "--require", "/job/driver.cjs", "/job/" + Transpiled])
    {
        Compile = $"{Node} /job/transpile.cjs '{JavaScript.WithHook("")}' && cp /job/driver.cjs {LanguageProgram.OutputFolder}/",
    };

    // Transpiling looks at form alone; types are the linter's business here.
    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources) =>
        WithLinter(Alone(sources[0]), new(TypeChecker, "node-typescript"), $"cd /job && {TypeChecker} --noEmit --pretty false --strict --target ES2020 --moduleResolution node {SourceName}");

    // Which packages of types are installed here is no matter of the source, nor that tsc takes none for a module that awaits.
    public override IReadOnlyList<Finding> AnalysisFindings(LanguageProgram program, SandboxResult result) =>
        Findings(program, result).Where(finding => !finding.Message.Contains("@types/node", StringComparison.Ordinal) && finding.Code is not ("TS1375" or "TS1378" or "TS1431" or "TS1432")).ToArray();

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.ReadParenthesised(result);

    public override bool MayBeCompileError(string complaint) => javaScript.MayBeCompileError(complaint);

    public override bool IsOutOfMemory(string complaint) => NodeMessages.IsOutOfMemory(complaint);

    public override bool EndedForMemory(SandboxResult result, string stderr) => NodeMessages.EndedForMemory(result, stderr);

    public override bool RefusedMemory(string error) => NodeMessages.RefusedMemory(error);

    public override string Complaint(string stderr) => NodeMessages.Complaint(stderr);

    public override SandboxLimits RunLimits(SandboxLimits limits) => NodeMessages.RunLimits(limits);

    public override bool TryReadLiteral(string text, out CanonicalValue value) => SimpleLiteral.TryRead(text, out value, NodeRuntime.ExactDigits);

    public override string Literal(JsonNode? value) => javaScript.Literal(value);
}
