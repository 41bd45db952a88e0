using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>C17 by gcc. Calls give numbers and texts; C has no other values that can be told by their type.</summary>
public sealed partial class C : Language
{
    private const string Compiler = "/usr/bin/gcc";
    private const string Options = "-std=gnu17 -O1 -fdiagnostics-color=never -fmax-errors=20 -Werror=implicit-function-declaration";

    private static readonly LiteralForms Forms = new("NULL", "1", "0")
    {
        Text = text => text.Contains('\0', StringComparison.Ordinal) ? LiteralForms.None("c", "a text with a zero character") : CQuote.Write(text),
        Number = number => !LiteralForms.IsWhole(number) || int.TryParse(number.ToJsonString(), out _) ? number.ToJsonString() : LiteralForms.LongLong(number, "c"),
        List = (_, _) => LiteralForms.None("c", "a list"),
        Dictionary = (_, _) => LiteralForms.None("c", "a dictionary"),
    };

    // What a call may say without a declaration of the candidate's.
    private const string Words = "#ifndef NULL\n#define NULL ((void*)0)\n#endif\n#ifndef true\n#define true 1\n#define false 0\n#endif\n";
    private const string Headers = "#include <limits.h>\n#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n";

    public override string Name => "c";

    public override string Title => "C";

    public override IReadOnlyList<string> Extensions => [".c"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Compiler, "gcc"), new("/usr/bin/as", "binutils"), new("/usr/bin/ld", "binutils"), new("/usr/include/stdio.h", "libc6-dev")];

    protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source)), ["/job/program"])
    {
        Compile = $"cd /job && {Compiler} {Options} -s -o {LanguageProgram.OutputFolder}/program {SourceName} -lm",
    };

    // The candidate's macros must not reach the driver, so only the calls come after it.
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        var text = new StringBuilder("#include \"driver.h\"\n#define main dataflow_candidate_main\n#include \"").Append(SourceName).Append("\"\n#undef main\n").Append(source.Length == 0 ? Headers : Words + Declarations(source, calls)).Append("void dataflow_calls(void) {\n");
        int first = Lines(text.ToString()) + 1;
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"DATAFLOW_CALL({i}, {OneLine(calls[i])});\n");
        }

        return new(LanguageProgram.Texts((SourceName, source), ("driver.h", Driver("c.h")), ("driver.c", Driver("c.c")), ("calls.c", text.Append("}\n").ToString())), ["/job/program"])
        {
            Compile = $"cd /job && {Compiler} {Options} -s -o {LanguageProgram.OutputFolder}/program calls.c driver.c -lm",
            CallFile = "calls.c",
            FirstCallLine = first,
        };
    }

    // Of the standard library's, what the calls use and the candidate has no word of, neither as its own nor by a header.
    private static string Declarations(string source, IReadOnlyList<string> calls) => string.Concat(
        calls.SelectMany(call => Standard().Matches(call)).Select(match => match.Value).Distinct(StringComparer.Ordinal)
            .Where(name => !Regex.IsMatch(source, $@"\b{name}\b")).Select(name => $"__typeof__(__builtin_{name}) {name};\n"));

    protected override LanguageProgram MakeCheck(string source) => Alone(source) with { Compile = $"cd /job && {Compiler} {Options} -fsyntax-only {SourceName}" };

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources) =>
        Alone(sources[0]) with { Compile = $"cd /job && {Compiler} {Options} -Wall -Wextra -fsyntax-only {SourceName}" };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.ReadGcc(result);

    // malloc says nothing to stderr; the sandbox sees what is used.
    public override bool IsOutOfMemory(string complaint) => false;

    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (64L << 30) };

    public override CanonicalValue ExpectedJson(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.True => CanonicalValue.OfJson(1),
        JsonValueKind.False => CanonicalValue.OfJson(0),
        _ => CanonicalValue.OfJson(value),
    };

    public override bool TryReadLiteral(string text, out CanonicalValue value)
    {
        bool simple = SimpleLiteral.TryRead(text, out value);
        value = value.Text switch
        {
            "true" => CanonicalValue.OfJson(1),
            "false" => CanonicalValue.OfJson(0),
            _ => value,
        };
        return simple;
    }

    public override string Literal(JsonNode? value) => Forms.Write(value);

    [GeneratedRegex(@"\b(?:strlen|strcmp|strncmp|strcpy|strcat|strchr|strrchr|strstr|memcmp|memcpy|abs|labs|llabs|fabs|pow|sqrt|floor|ceil|round|fmod|malloc|calloc|isalpha|isdigit|toupper|tolower)\b(?=\s*\()")]
    private static partial Regex Standard();
}
