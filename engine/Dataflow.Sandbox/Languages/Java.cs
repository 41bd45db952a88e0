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
        Number = number => LiteralForms.Sized(number, digits => $"new java.math.BigInteger({digits})"),
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

    protected override LanguageProgram MakeAlone(string source)
    {
        (string file, string text, int shiftedLine, int shift) = Shape(source, "");
        return Build([(file, text)], Path.GetFileNameWithoutExtension(file)) with { ShiftedLine = shiftedLine, Shift = shift };
    }

    protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls)
    {
        var text = new StringBuilder("public java.lang.Object dataflowCall(int i) throws java.lang.Throwable { switch (i) {\n");
        for (int i = 0; i < calls.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"case {i}: return {OneLine(calls[i])};\n");
        }

        bool bare = !JavaSource.Read(source).DeclaresTypes;
        string type = bare ? Wrapper : "DataflowCalls";
        // Calls may name the package, so it stays, and what is to see its classes goes into it.
        string package = bare ? "" : JavaSource.Read(source).PackageName(source);
        string clause = package.Length == 0 ? "" : $"package {package}; ";
        text.Append(CultureInfo.InvariantCulture, $"default: return null; }} }}\npublic static void main(java.lang.String[] arguments) throws java.io.IOException {{ dataflow_driver.DataflowDriver.run({calls.Count}, new {type}()::dataflowCall); }}\n");
        (string file, string candidate, int shiftedLine, int shift) = Shape(source, text.ToString(), keepsPackage: package.Length > 0);
        (string, string)[] files = [(file, candidate), ("DataflowDriver.java", Driver("DataflowDriver.java"))];
        return bare
            ? Build(files, type) with { ShiftedLine = shiftedLine, Shift = shift, CallFile = SourceName, FirstCallLine = Lines(source) + 3 }
            : Build([.. files, ("DataflowCalls.java", $"{clause}{Imports}class {type} {{\n{text}}}\n")], package.Length == 0 ? type : $"{package}.{type}") with { CallFile = "DataflowCalls.java", FirstCallLine = 3 };
    }

    protected override LanguageProgram MakeAnalysis(IReadOnlyList<string> sources)
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

    public override bool EndedForMemory(SandboxResult result, string stderr) => Exhausted().IsMatch(stderr);

    public override bool RefusedMemory(string error) => error is "java.lang.OutOfMemoryError: Java heap space" or "java.lang.OutOfMemoryError: Requested array size exceeds VM limit";

    public override string Complaint(string stderr) => stderr.Split('\n')[0].Trim();

    public override SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (8L << 30) };

    public override SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits)
    {
        long heap = Math.Max(16_000_000, limits.MemoryBytes - OverheadBytes);
        string options = string.Create(CultureInfo.InvariantCulture, $"-Xmx{heap / 1024}k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData");
        // What was compiled tells for certain what can be started; if nothing can, the launcher says so of the file's own class.
        string main = program.CallFile is null ? JavaClass.ToRun(files, program.Run[^1]) ?? program.Run[^1] : program.Run[^1];
        // It cannot open a descriptor by number, but write to that of its standard input, whose token comes as a property then.
        return base.ToRun(program, files, stdin, limits) with
        {
            Command = program.CallFile is null
                ? [Runtime, .. options.Split(' '), "-cp", "/job", main]
                : ["/bin/sh", "-c", $"read -r token && exec {Runtime} {options} -Ddataflow.token=$token -cp /job '{main}' 0>&8"],
        };
    }

    public override bool TryReadLiteral(string text, out CanonicalValue value) =>
        text.Trim() == "null" ? (value = CanonicalValue.OfJson(null)) == value : SimpleLiteral.TryRead(text, out value);

    public override string Literal(JsonNode? value) => Forms.Write(value);

    private static LanguageProgram Build((string Name, string Text)[] files, string main) => new(LanguageProgram.Texts(files), [Runtime, main])
    {
        Compile = $"cd /job && {Compiler} {Quick} -proc:none -nowarn -encoding UTF-8 -d {LanguageProgram.OutputFolder} {string.Join(' ', files.Select(file => file.Name))}",
    };

    // A public class must have its file's name. A program to start has no package, which would have to be a folder.
    private static (string File, string Text, int ShiftedLine, int Shift) Shape(string source, string members, bool keepsPackage = false)
    {
        JavaSource read = JavaSource.Read(source);
        string text = keepsPackage ? source : source[..read.Package.Start.Value] + NoLineBreak().Replace(source[read.Package], " ") + source[read.Package.End.Value..];
        if (read.DeclaresTypes)
        {
            return ((read.PublicType ?? "Candidate") + ".java", text, 0, 0);
        }

        int start = read.ImportsEnd;
        string opening = (start == 0 ? Imports : "") + $"class {Wrapper} {{ ";
        return (Wrapper + ".java", text[..start] + opening + text[start..] + "\n" + members + "}\n", Lines(text[..start]) + 1, opening.Length);
    }

    // The error has no stack where there was no memory for one.
    [GeneratedRegex("""^(?:(?:Exception in thread "[^"\n]*" |Caused by: |Exception: )(?:[\w.$]+: )*java\.lang\.OutOfMemoryError|java\.lang\.OutOfMemoryError[^\n]*\n\tat |# There is insufficient memory for the Java Runtime)""", RegexOptions.Multiline)]
    private static partial Regex Exhausted();

    [GeneratedRegex(@"[^\n]")]
    private static partial Regex NoLineBreak();

    [GeneratedRegex(@"^(?:/job/)?(?<file>\w+\.java):(?<line>\d+): (?<severity>error|warning): (?:\[(?<code>[\w-]+)\] )?(?<message>[^\n]*)(?:(?:\n(?!\w+\.java:)[^\n]*){0,4}?\n(?<before>[ \t]*)\^)?$", RegexOptions.Multiline)]
    private static partial Regex Message();
}
