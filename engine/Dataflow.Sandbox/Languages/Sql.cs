using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// SQL by sqlite3, in an empty database in memory. A candidate is a script, a call is a query and its value its rows, a list
/// of lists; what a program reads from stdin is SQL that is run before it.
/// </summary>
public sealed partial class Sql : Language
{
    private static readonly LiteralForms Forms = new("NULL", "1", "0")
    {
        Text = text => text.Contains('\0', StringComparison.Ordinal) ? LiteralForms.None("sql", "a text with a zero character") : "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'",
        Number = number => LiteralForms.Within64Bits(number, "sql"),
        List = (_, _) => LiteralForms.None("sql", "a list"),
        Dictionary = (_, _) => LiteralForms.None("sql", "a dictionary"),
    };

    public override string Name => "sql";

    public override string Title => "SQL (SQLite)";

    public override string LineComment => "--";

    public override IReadOnlyList<string> Aliases => ["sqlite", "sqlite3"];

    public override IReadOnlyList<string> Extensions => [".sql"];

    public override IReadOnlyList<LanguageTool> Tools => [new(SqliteShell.Program, "sqlite3")];

    protected override LanguageProgram MakeAlone(string source) => new(
        LanguageProgram.Texts((SourceName, SqliteShell.Prelude + source)), new SqliteShell().Run(".read /dev/stdin", $".read /job/{SourceName}"));

    // A line that begins with '#' is no JSON, so what stands between two of them are the rows of one query.
    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        var script = new StringBuilder(SqliteShell.Prelude).Append(".mode json\n");
        foreach (string call in calls)
        {
            script.Append(Query(call)).Append("\n;\n.print #\n");
        }

        return new(
            LanguageProgram.Texts((SourceName, SqliteShell.Prelude + source), ("calls.sql", script.ToString())),
            ["/bin/sh", "-c", $"exec {new SqliteShell().Line(".output /dev/null", $".read /job/{SourceName}", ".output stdout", ".read /job/calls.sql")} >&8"]);
    }

    protected override LanguageProgram MakeCheck(string source) =>
        MakeAlone(source) with { Compile = $"{new SqliteShell().Line($".read /job/{SourceName}")} > /dev/null" };

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => SqliteMessages.Read(CompilerMessages.All(result), SourceName, Encoding.UTF8.GetString(program.Files[SourceName].Content)[SqliteShell.Prelude.Length..]);

    public override bool MayBeCompileError(string complaint) => complaint.Contains("Parse error", StringComparison.Ordinal);

    public override bool IsOutOfMemory(string complaint) => complaint.Contains("out of memory", StringComparison.Ordinal);

    public override bool EndedForMemory(SandboxResult result, string stderr) => Exhausted().IsMatch(stderr);

    public override string Complaint(string stderr) => SqliteMessages.InSource(stderr.Split('\n')[0].Trim());

    // The shell reads a statement when its turn comes, so it ends with the first call that it cannot read.
    public override string? CallProblem(SandboxResult result) => SqliteMessages.ParseError(Encoding.UTF8.GetString(result.Stderr));

    public override SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits) =>
        base.ToRun(program, files, [.. Encoding.ASCII.GetBytes(SqliteShell.Prelude), .. stdin], limits);

    public override (string Driver, IReadOnlyList<string> Command) ToBatch(IReadOnlyList<string> command, IReadOnlyList<string> arguments) =>
        base.ToBatch(["/bin/sh", "-c", $"{{ echo '{SqliteShell.Prelude.TrimEnd()}'; cat; }} | \"$@\"", "sh", .. command], arguments);

    public override Answers ReadAnswers(SandboxResult result, string token)
    {
        var given = new List<Answer>();
        var rows = new StringBuilder();
        foreach (string line in Encoding.UTF8.GetString(result.Result).Split('\n'))
        {
            if (line != "#")
            {
                rows.Append(line);
                continue;
            }

            if (!TryRows(rows.ToString(), out CanonicalValue value))
            {
                return new Answers(given, true);
            }

            given.Add(new Answer(value, null));
            rows.Clear();
        }

        return new Answers(given, false);
    }

    /// <summary>One value stands for one row of it, a list of values for rows of one column.</summary>
    public override CanonicalValue ExpectedJson(JsonNode? value) => CanonicalValue.OfJson(value switch
    {
        JsonArray rows => new JsonArray(rows.Select(row => row is JsonArray columns ? new JsonArray(columns.Select(Column).ToArray()) : (JsonNode)new JsonArray(Column(row))).ToArray()),
        _ => new JsonArray(new JsonArray(Column(value))),
    });

    public override bool TryReadLiteral(string text, out CanonicalValue value)
    {
        bool simple = SimpleLiteral.TryRead(text, out value, SimpleLiteral.DigitsOf64Bits) && !text.TrimStart().StartsWith('"');
        value = simple ? ExpectedJson(JsonNode.Parse(value.Text)) : default;
        return simple;
    }

    public override string Literal(JsonNode? value) => Forms.Write(value);

    // SQLite has no booleans.
    private static JsonNode? Column(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => value?.DeepClone(),
    };

    private static string Query(string call)
    {
        string text = call.Trim().TrimEnd(';');
        return Statement().IsMatch(text) ? text : $"SELECT {text}";
    }

    private static bool TryRows(string json, out CanonicalValue value)
    {
        value = default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.Length == 0 ? "[]" : json);
            var text = new StringBuilder("[");
            foreach (JsonElement row in document.RootElement.EnumerateArray())
            {
                text.Append(text.Length > 1 ? ", [" : "[").AppendJoin(", ", row.EnumerateObject().Select(column => CanonicalValue.Read(column.Value).Text)).Append(']');
            }

            value = new CanonicalValue(text.Append(']').ToString(), true);
            return true;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^(?:(?:Runtime|Parse) error near line \d+|Error[^:\n]*): out of memory(?: \(7\))?\r?$", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    [GeneratedRegex(@"^(?:select|values|with|pragma|explain|insert|update|delete|create|drop|alter)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Statement();
}
