using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>C++20 by g++.</summary>
public sealed class Cpp : Language
{
    private const string Compiler = "/usr/bin/g++";
    private const string Options = "-std=c++20 -O1 -fdiagnostics-color=never -fmax-errors=20";

    public override string Name => "cpp";

    public override string Title => "C++";

    public override IReadOnlyList<string> Aliases => ["c++", "cc", "cxx"];

    public override IReadOnlyList<string> Extensions => [".cpp", ".cc", ".cxx"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Compiler, "g++"), new("/usr/bin/as", "binutils"), new("/usr/bin/ld", "binutils"), new("/usr/include/stdio.h", "libc6-dev")];

    protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source)), ["/job/program"])
    {
        Compile = $"cd /job && {Compiler} {Options} -s -o {LanguageProgram.OutputFolder}/program {SourceName}",
    };

    // The candidate's macros must not reach the driver, so only the calls come after it.
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        var text = new StringBuilder("#include \"driver.hpp\"\n#define main dataflow_candidate_main\n#include \"").Append(SourceName).Append("\"\n#undef main\nvoid dataflow_calls() {\n");
        // What is expected is written as the candidate would write it, who often uses the namespace.
        text.Append(source.Length == 0 ? "using namespace std;\n" : "");
        int first = Lines(text.ToString()) + 1;
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"dataflow::call({i}, [&] {{ return {OneLine(calls[i])}; }});\n");
        }

        return new(LanguageProgram.Texts((SourceName, source), ("driver.hpp", Driver("cpp.hpp")), ("calls.cpp", text.Append("}\n").ToString())), ["/job/program"])
        {
            Compile = $"cd /job && {Compiler} {Options} -s -o {LanguageProgram.OutputFolder}/program calls.cpp",
            CallFile = "calls.cpp",
            FirstCallLine = first,
        };
    }

    protected override LanguageProgram MakeCheck(string source) => Alone(source) with { Compile = $"cd /job && {Compiler} {Options} -fsyntax-only {SourceName}" };

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources) =>
        Alone(sources[0]) with { Compile = $"cd /job && {Compiler} {Options} -Wall -Wextra -fsyntax-only {SourceName}" };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.ReadGcc(result);

    public override bool IsOutOfMemory(string complaint) => complaint.Contains("std::bad_alloc", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) =>
        result.Outcome == SandboxOutcome.Signaled && stderr.Contains("terminate called after throwing an instance of 'std::bad_alloc'", StringComparison.Ordinal);

    public override bool RefusedMemory(string error) => error == "std::bad_alloc: std::bad_alloc";

    // 'terminate called after throwing an instance of …' comes before 'what():'.
    public override string Complaint(string stderr) => string.Join(' ', stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (64L << 30) };

    public override string Literal(JsonNode? value)
    {
        if (JsonShape.Of(value) is not JsonShape)
        {
            return LiteralForms.None(Name, "a list of values of several types");
        }

        return Write(value, JsonShape.Of(value)!);
    }

    private static string Write(JsonNode? value, JsonShape shape) => value switch
    {
        JsonArray items => $"{Type(shape)}{{{string.Join(", ", items.Select(item => Write(item, shape.Item!)))}}}",
        JsonObject record => $"{Type(shape)}{{{string.Join(", ", record.Select(pair => $"{{{Quote(pair.Key)}, {Write(pair.Value, shape.Item!)}}}"))}}}",
        null => "nullptr",
        _ => shape.Kind switch
        {
            ShapeKind.Text => Quote(value.GetValue<string>()),
            ShapeKind.Long or ShapeKind.Wide => LiteralForms.LongLong(value, "cpp"),
            ShapeKind.Float when LiteralForms.IsWhole(value) => value.ToJsonString() + ".0",
            _ => value.ToJsonString(),
        },
    };

    private static string Type(JsonShape shape) => shape.Kind switch
    {
        ShapeKind.Null => "std::nullptr_t",
        ShapeKind.Boolean => "bool",
        ShapeKind.Long => "long long",
        ShapeKind.Wide => "unsigned long long",
        ShapeKind.Float => "double",
        ShapeKind.Text => "std::string",
        ShapeKind.List => $"std::vector<{Type(shape.Item!)}>",
        ShapeKind.Dictionary => $"std::map<std::string, {Type(shape.Item!)}>",
        _ => "int",
    };

    private static string Quote(string text) => $"std::string({CQuote.Write(text)}, {Encoding.UTF8.GetByteCount(text)})";
}
