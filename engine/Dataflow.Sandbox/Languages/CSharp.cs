using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// C# by the SDK's compiler and the .NET that runs us. A source may be types, top-level statements with local functions, or
/// members without a type around them, which are given one; calls stand where they see what it declares.
/// </summary>
public sealed partial class CSharp : Language
{
    // File of ToParse of which something is told exactly if all others parse.
    private const string ParseProbe = "probe.cs";

    private const string Wrapper = "DataflowCandidate";
    private const string Usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Text; global using System.Threading; global using System.Threading.Tasks;\n";

    // What the runtime needs besides its heap.
    private const long OverheadBytes = 64_000_000;

    private static readonly LiteralForms Forms = new("null", "true", "false")
    {
        Number = number => LiteralForms.Sized(number, digits => $"System.Numerics.BigInteger.Parse({digits})"),
        List = (items, array) => JsonShape.Of(array)?.Item is { Kind: not (ShapeKind.Any or ShapeKind.Null or ShapeKind.List or ShapeKind.Dictionary) } ? $"new[] {{ {string.Join(", ", items)} }}" : $"new object[] {{ {string.Join(", ", items)} }}",
        Dictionary = (pairs, _) => $"new Dictionary<string, object> {{ {string.Join(", ", pairs.Select(pair => $"[{pair.Key}] = {pair.Value}"))} }}",
    };

    private readonly DotnetToolchain toolchain = new();

    private enum Form
    {
        Types,
        Statements,
        Members,
    }

    public override string Name => "csharp";

    public override string Title => "C#";

    public override IReadOnlyList<string> Aliases => ["c#", "cs"];

    public override IReadOnlyList<string> Extensions => [".cs"];

    public override IReadOnlyList<LanguageTool> Tools => [new(toolchain.Compiler, "dotnet-sdk-10.0"), new(toolchain.Host, "dotnet-sdk-10.0")];

    public override long LeastMemoryBytes => 128_000_000;

    public override IReadOnlyList<string> ReadOnlyPaths => toolchain.Root.StartsWith("/usr/", StringComparison.Ordinal) ? [] : [toolchain.Root];

    public override IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["DOTNET_EnableDiagnostics"] = "0",
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
    };

    protected override LanguageProgram MakeAlone(string source) => Build("exe", [(SourceName, FormOf(source) == Form.Members ? Wrapped(source, "") : source)], "");

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        (int, string)[] all = calls.Select((call, i) => (i, OneLine(call))).ToArray();
        Form form = FormOf(source);
        (string, string)[] files = form switch
        {
            Form.Types => [(SourceName, source), ("main.cs", CSharpCalls.InNamespaces(source, all))],
            Form.Members => [(SourceName, Wrapped(source, CSharpCalls.Member(all))), ("main.cs", CSharpCalls.Main("", Wrapper, all.Length))],
            _ => [(SourceName, Inserted(source, $"await DataflowDriving.DataflowDriver.RunAsync({all.Length}, async i => {{ {CSharpCalls.Switch(all)} }});"))],
        };
        return Build("exe", [.. files, ("driver.cs", Driver("csharp.txt"))], form == Form.Statements ? "" : "-main:DataflowMain") with { CallFile = CSharpCalls.FileName, FirstCallLine = 1 };
    }

    protected override LanguageProgram MakeCheck(string source) =>
        FormOf(source) == Form.Statements ? Alone(source) : Build("library", [(SourceName, FormOf(source) == Form.Members ? Wrapped(source, "") : source)], "");

    /// <summary>
    /// The compiler stops after parsing if anything does not parse; so a file of ours with a mistake in meaning tells, by
    /// its mistake being told or not, whether all others were parsed.
    /// </summary>
    protected override LanguageProgram MakeParse(IReadOnlyList<string> sources) => Build(
        "library", [.. sources.Select((source, i) => (SourceNameOf(i), FormOf(source) == Form.Members ? Wrapped(source, "") : source)), (ParseProbe, "class DataflowProbe : DataflowNoSuchType { }")], "");

    public override IReadOnlyList<bool>? Parsed(int sources, IReadOnlyList<Finding> findings)
    {
        HashSet<string> wrong = findings.Where(finding => finding.Severity == Severity.Error).Select(finding => finding.File).ToHashSet(StringComparer.Ordinal);
        return wrong.Count == 0 ? null : Enumerable.Range(0, sources).Select(i => wrong.Contains(ParseProbe) || !wrong.Contains(SourceNameOf(i))).ToArray();
    }

    public override string SourceNameOf(int index) => $"source{index.ToString(CultureInfo.InvariantCulture)}.cs";

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.ReadParenthesised(result);

    public override bool IsOutOfMemory(string complaint) =>
        complaint.Contains("OutOfMemoryException", StringComparison.Ordinal) || complaint.Contains("Out of memory", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => result.Outcome == SandboxOutcome.Signaled && IsOutOfMemory(stderr);

    public override bool RefusedMemory(string error) =>
        error is "System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown." or "System.OutOfMemoryException: Array dimensions exceeded supported range.";

    public override string Complaint(string stderr) => stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "";

    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (256L << 30) };

    public override SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits)
    {
        SandboxRequest request = base.ToRun(program, files, stdin, limits);
        long heap = Math.Max(24_000_000, limits.MemoryBytes - OverheadBytes);
        return request with { Environment = new Dictionary<string, string>(request.Environment) { ["DOTNET_GCHeapHardLimit"] = heap.ToString("x", CultureInfo.InvariantCulture) } };
    }

    public override bool TryReadLiteral(string text, out CanonicalValue value) =>
        text.Trim() == "null" ? (value = CanonicalValue.OfJson(null)) == value : SimpleLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    private LanguageProgram Build(string target, (string Name, string Text)[] files, string more)
    {
        string configuration = $$$"""{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "{{{toolchain.Version}}}" } } }""";
        string references = string.Join('\n', toolchain.References.Select(file => $"-r:\"{file}\""));
        (string, string)[] all = [.. files, ("usings.cs", Usings), ("references.rsp", references), ("program.runtimeconfig.json", configuration)];
        string sources = string.Join(' ', files.Select(file => file.Name).Append("usings.cs"));
        return new(LanguageProgram.Texts(all), [toolchain.Host, "/job/program.dll"])
        {
            Compile = $"cd /job && {toolchain.Host} exec {toolchain.Compiler} -nologo -noconfig -nostdlib -utf8output -target:{target} -optimize+ -debug- -unsafe+ -langversion:latest -nowarn:1998,8632,1701,1702 "
                + $"{more} -out:{LanguageProgram.OutputFolder}/program.dll @references.rsp {sources} && cp program.runtimeconfig.json {LanguageProgram.OutputFolder}/",
        };
    }

    private static Form FormOf(string source)
    {
        string rest = source[Leading().Match(source).Length..].TrimStart();
        return rest.Length == 0 || TypeDeclaration().Match(rest) is { Success: true, Index: 0 } ? Form.Types
            : Member().IsMatch(rest) ? Form.Members
            : Form.Statements;
    }

    // Lines keep their numbers by #line directives.
    private string Wrapped(string source, string members)
    {
        int start = Leading().Match(source).Length;
        return $"{source[..start]}\nclass {Wrapper} {{\n#line {Lines(source[..start]) + 1} \"{SourceName}\"\n{source[start..]}\n{members}}}\n";
    }

    // Statements come before all types.
    private string Inserted(string source, string statements)
    {
        int at = TypeDeclaration().Match(source) is { Success: true } match ? match.Index : source.Length;
        return $"{source[..at]}\n{statements}\n#line {Lines(source[..at]) + 1} \"{SourceName}\"\n{source[at..]}";
    }

    [GeneratedRegex(@"\A(?:\s*(?:(?:global\s+)?using\s+(?:static\s+)?(?:\w+\s*=\s*)?[\w.<>,]+\s*;|//[^\n]*\n|/\*.*?\*/|\[[^\]\n]*\]|#\w+[^\n]*\n))*[ \t]*\n?", RegexOptions.Singleline)]
    private static partial Regex Leading();

    [GeneratedRegex(@"^(?:(?:public|internal|static|sealed|abstract|partial|file|readonly|ref|unsafe)\s+)*(?:class|struct|interface|enum|record|delegate|namespace)\s+\w", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\A(?:public|private|protected|internal)\s")]
    private static partial Regex Member();
}
