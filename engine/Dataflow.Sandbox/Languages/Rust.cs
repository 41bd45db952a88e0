using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>Rust, edition 2021, by rustc without crates.</summary>
public sealed class Rust : Language
{
    private const string Compiler = "/usr/bin/rustc";
    private const string Options = "--edition 2021 --error-format=short --color=never";
    private const string Link = "-C opt-level=1 -C strip=symbols";

    public override string Name => "rust";

    public override string Title => "Rust";

    public override IReadOnlyList<string> Aliases => ["rs"];

    public override IReadOnlyList<string> Extensions => [".rs"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Compiler, "rustc"), new("/usr/bin/cc", "gcc"), new("/usr/bin/ld", "binutils")];

    protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source)), ["/job/program"])
    {
        Compile = $"cd /job && {Compiler} {Options} {Link} --crate-name program -o {LanguageProgram.OutputFolder}/program {SourceName}",
    };

    // A module within the candidate's file sees what is private to it.
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        var text = new StringBuilder(source).Append("\npub mod dataflow_calls { use super::*; ").Append(Collections(source)).Append("use crate::dataflow::{ViaNothing as _, ViaRender as _}; pub fn dataflow_run() {\n");
        int first = Lines(text.ToString()) + 1;
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"crate::dataflow::call({i}, |dataflow_out| match ({OneLine(calls[i])}) {{ ref value => (&crate::dataflow::Wrap(value)).dataflow_render(dataflow_out) }});\n");
        }

        const string Root = "#![allow(warnings)]\n#[path = \"candidate.rs\"]\nmod candidate;\nmod dataflow;\nfn main() { candidate::dataflow_calls::dataflow_run(); std::process::exit(0); }\n";
        return new(LanguageProgram.Texts((SourceName, text.Append("}}\n").ToString()), ("dataflow.rs", Driver("rust.rs")), ("main.rs", Root)), ["/job/program"])
        {
            Compile = $"cd /job && {Compiler} {Options} {Link} --crate-name program -o {LanguageProgram.OutputFolder}/program main.rs",
            CallFile = SourceName,
            FirstCallLine = first,
        };
    }

    // What is expected may name collections without importing them; beside a candidate they could be mistaken for its own.
    private static string Collections(string source) => source.Length == 0 ? "use std::collections::*; " : "";

    protected override LanguageProgram MakeCheck(string source) => Alone(source) with
    {
        Compile = $"cd /job && {Compiler} {Options} --crate-type lib --crate-name program --emit=metadata -A dead_code --out-dir {LanguageProgram.OutputFolder} {SourceName}",
    };

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources)
    {
        LanguageProgram check = ToCheck(sources[0]);
        // As a program, if it is one: what only its main function uses is used.
        return sources[0].Contains("fn main", StringComparison.Ordinal) ? check with { Compile = check.Compile!.Replace("--crate-type lib", "--crate-type bin", StringComparison.Ordinal) } : check;
    }

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => CompilerMessages.Read(result);

    public override bool IsOutOfMemory(string complaint) => complaint.Contains("memory allocation of", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => result.Outcome == SandboxOutcome.Signaled && IsOutOfMemory(stderr);

    public override string Complaint(string stderr) => string.Join(' ', stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("note:", StringComparison.Ordinal)));

    public override bool TryReadLiteral(string text, out CanonicalValue value) =>
        text.Trim() == "None" ? (value = CanonicalValue.OfJson(null)) == value : SimpleLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => JsonShape.Of(value) is JsonShape shape ? Write(value, shape) : LiteralForms.None(Name, "a list of values of several types");

    private static string Write(JsonNode? value, JsonShape shape) => value switch
    {
        null => "None::<i32>",
        JsonArray { Count: 0 } => $"Vec::<{Type(shape.Item!)}>::new()",
        JsonArray items => $"vec![{string.Join(", ", items.Select(item => Write(item, shape.Item!)))}]",
        JsonObject record => $"std::collections::BTreeMap::<String, {Type(shape.Item!)}>::from([{string.Join(", ", record.Select(pair => $"({Quote(pair.Key)}, {Write(pair.Value, shape.Item!)})"))}])",
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => Quote(value.GetValue<string>()),
            JsonValueKind.Number when shape.Kind == ShapeKind.Float => value.ToJsonString() + "f64",
            JsonValueKind.Number when shape.Kind == ShapeKind.Long => value.ToJsonString() + "i64",
            JsonValueKind.Number when shape.Kind == ShapeKind.Wide => Int128.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out _) ? value.ToJsonString() + "i128" : LiteralForms.None("rust", "a whole number of more than 128 bits"),
            _ => value.ToJsonString(),
        },
    };

    private static string Type(JsonShape shape) => shape.Kind switch
    {
        ShapeKind.Null => "Option<i32>",
        ShapeKind.Boolean => "bool",
        ShapeKind.Long => "i64",
        ShapeKind.Wide => "i128",
        ShapeKind.Float => "f64",
        ShapeKind.Text => "String",
        ShapeKind.List => $"Vec<{Type(shape.Item!)}>",
        ShapeKind.Dictionary => $"std::collections::BTreeMap<String, {Type(shape.Item!)}>",
        _ => "i32",
    };

    private static string Quote(string text) => $"String::from({LiteralForms.QuoteRunes(text, point => "\\u{" + point.ToString("x", CultureInfo.InvariantCulture) + "}")})";
}
