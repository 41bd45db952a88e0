using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Java by javac and the JVM. Methods without a class around them are given one, and calls stand in it.</summary>
public sealed partial class Java : Language
{
    private const string Compiler = "/usr/bin/javac";
    private const string Runtime = "/usr/bin/java";
    private const string Wrapper = "DataflowCandidate";
    private const string Imports = "import java.util.*; import java.util.function.*; import java.util.stream.*; ";
    private const string Quick = "-J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -J-Xshare:auto";

    // What a JVM needs besides its heap.
    private const long OverheadBytes = 64_000_000;

    private static readonly LiteralForms Forms = new("null", "true", "false")
    {
        Number = number => LiteralForms.IsWhole(number) && !int.TryParse(number.ToJsonString(), out _) ? number.ToJsonString() + "L" : number.ToJsonString(),
        List = (items, _) => items.Count == 0 ? "new java.util.ArrayList<>()" : $"java.util.Arrays.asList({string.Join(", ", items)})",
        Dictionary = (pairs, _) => $"new java.util.LinkedHashMap<String, Object>() {{{{ {string.Concat(pairs.Select(pair => $"put({pair.Key}, {pair.Value}); "))}}}}}",
    };

    public override string Name => "java";

    public override string Title => "Java";

    public override IReadOnlyList<string> Extensions => [".java"];

    public override IReadOnlyList<LanguageTool> Tools => [new(Compiler, "default-jdk-headless"), new(Runtime, "default-jre-headless")];

    public override long LeastMemoryBytes => 128_000_000;

    // Its configuration lies there under a name with the version.
    public override IReadOnlyList<string> ReadOnlyPaths => Directory.GetDirectories("/etc", "java*");

    public override LanguageProgram Alone(string source)
    {
        (string file, string text, int shiftedLine, int shift) = Shape(source, "");
        string main = Main().Match(text) is { Success: true } match ? match.Groups["name"].Value : Path.GetFileNameWithoutExtension(file);
        return Build([(file, text)], main) with { ShiftedLine = shiftedLine, Shift = shift };
    }

    public override LanguageProgram WithCalls(string source, IReadOnlyList<string> calls)
    {
        var text = new StringBuilder("Object dataflowCall(int i) throws Throwable { switch (i) {\n");
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"case {i}: return {OneLine(calls[i])};\n");
        }

        bool bare = IsBare(source);
        string type = bare ? Wrapper : "DataflowCalls";
        text.Append(CultureInfo.InvariantCulture, $"default: return null; }} }}\npublic static void main(String[] arguments) throws java.io.IOException {{ DataflowDriver.run({calls.Count}, new {type}()::dataflowCall); }}\n");
        (string file, string candidate, int shiftedLine, int shift) = Shape(source, text.ToString());
        (string, string)[] files = [(file, candidate), ("DataflowDriver.java", Driver("DataflowDriver.java"))];
        return bare
            ? Build(files, type) with { ShiftedLine = shiftedLine, Shift = shift, CallFile = SourceName, FirstCallLine = Lines(source) + 3 }
            : Build([.. files, ("DataflowCalls.java", $"{Imports}class {type} {{\n{text}}}\n")], type) with { CallFile = "DataflowCalls.java", FirstCallLine = 3 };
    }

    public override LanguageProgram ToAnalyse(IReadOnlyList<string> sources)
    {
        LanguageProgram check = Alone(sources[0]);
        return check with { Compile = check.Compile!.Replace("-nowarn", "-Xlint:all", StringComparison.Ordinal) };
    }

    public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => Message().Matches(CompilerMessages.All(result)).Select(match =>
    {
        string file = Path.GetFileName(match.Groups["file"].Value);
        int line = int.Parse(match.Groups["line"].Value, CultureInfo.InvariantCulture);
        int column = match.Groups["before"].Success ? match.Groups["before"].Length + 1 - (line == program.ShiftedLine ? program.Shift : 0) : 0;
        return new Finding(
            file.StartsWith("Dataflow", StringComparison.Ordinal) && file != Wrapper + ".java" ? file : SourceName, line, Math.Max(column, 0),
            CompilerMessages.Rank(match.Groups["severity"].Value), match.Groups["code"].Value, match.Groups["message"].Value);
    }).ToArray();

    public override bool IsOutOfMemory(string complaint) => complaint.Contains("OutOfMemoryError", StringComparison.Ordinal) || complaint.Contains("insufficient memory", StringComparison.Ordinal);

    public override string Complaint(string stderr) => stderr.Split('\n')[0].Trim();

    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (8L << 30) };

    public override SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits)
    {
        long heap = Math.Max(16_000_000, limits.MemoryBytes - OverheadBytes);
        string options = string.Create(CultureInfo.InvariantCulture, $"-Xmx{heap / 1024}k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData");
        // It cannot open a descriptor by number, but write to that of its standard input, whose token comes as a property then.
        string command = program.CallFile is null
            ? $"exec {Runtime} {options} -cp /job {program.Run[^1]}"
            : $"read -r token && exec {Runtime} {options} -Ddataflow.token=$token -cp /job {program.Run[^1]} 0>&8";
        return base.ToRun(program, files, stdin, limits) with { Command = ["/bin/sh", "-c", command] };
    }

    public override bool TryReadLiteral(string text, out CanonicalValue value) =>
        text.Trim() == "null" ? (value = CanonicalValue.OfJson(null)) == value : SimpleLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    private static LanguageProgram Build((string Name, string Text)[] files, string main) => new(LanguageProgram.Texts(files), [Runtime, main])
    {
        Compile = $"cd /job && {Compiler} {Quick} -proc:none -nowarn -encoding UTF-8 -d {LanguageProgram.OutputFolder} {string.Join(' ', files.Select(file => file.Name))}",
    };

    // A public class must have its file's name. A package would have to be a folder, so there is none.
    private static (string File, string Text, int ShiftedLine, int Shift) Shape(string source, string members)
    {
        string text = Package().Replace(source, match => new string(' ', match.Length), 1);
        if (!IsBare(source))
        {
            return ((PublicType().Match(text) is { Success: true } match ? match.Groups["name"].Value : "Candidate") + ".java", text, 0, 0);
        }

        int start = LeadingImports().Match(text).Length;
        string opening = (start == 0 ? Imports : "") + $"class {Wrapper} {{ ";
        return (Wrapper + ".java", text[..start] + opening + text[start..] + "\n" + members + "}\n", Lines(text[..start]) + 1, opening.Length);
    }

    private static bool IsBare(string source) => !Types().IsMatch(source);

    [GeneratedRegex(@"^\s*package\s+[\w.]+\s*;", RegexOptions.Multiline)]
    private static partial Regex Package();

    [GeneratedRegex(@"\A(?:\s*import\s+(?:static\s+)?[\w.*]+\s*;[ \t]*\n?)*")]
    private static partial Regex LeadingImports();

    [GeneratedRegex(@"^(?:(?:public|final|abstract|static|sealed|strictfp|@\w+)\s+)*(?:class|interface|enum|record|@interface)\s+\w", RegexOptions.Multiline)]
    private static partial Regex Types();

    [GeneratedRegex(@"\bpublic\s+(?:(?:final|abstract|sealed|strictfp)\s+)*(?:class|interface|enum|record)\s+(?<name>\w+)")]
    private static partial Regex PublicType();

    [GeneratedRegex(@"\bclass\s+(?<name>\w+)[^{]*\{(?:(?!\bclass\s+\w).)*?\bstatic\s+(?:final\s+)?void\s+main\s*\(", RegexOptions.Singleline)]
    private static partial Regex Main();

    [GeneratedRegex(@"^(?:/job/)?(?<file>\w+\.java):(?<line>\d+): (?<severity>error|warning): (?:\[(?<code>[\w-]+)\] )?(?<message>[^\n]*)(?:(?:\n(?!\w+\.java:)[^\n]*){0,4}?\n(?<before>[ \t]*)\^)?$", RegexOptions.Multiline)]
    private static partial Regex Message();
}
