using System.Text;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// A programming language: what it needs on this machine, and how a source is checked, compiled, run and called in the
/// sandbox. One subclass is all that is known of one language.
/// </summary>
public abstract class Language
{
    private const int MostArtifactBytes = 64_000_000;

    /// <summary>The name in pipelines.</summary>
    public abstract string Name { get; }

    /// <summary>The name for people and models.</summary>
    public abstract string Title { get; }

    /// <summary>What begins a comment that ends with its line.</summary>
    public virtual string LineComment => "//";

    /// <summary>Names that fenced code blocks use for it besides <see cref="Name"/>.</summary>
    public virtual IReadOnlyList<string> Aliases => [];

    /// <summary>Endings of its files, with the dot; the first is the usual one.</summary>
    public abstract IReadOnlyList<string> Extensions { get; }

    /// <summary>What must be on this machine to grade it.</summary>
    public abstract IReadOnlyList<LanguageTool> Tools { get; }

    /// <summary>File name by which findings speak of the candidate's source.</summary>
    public virtual string SourceName => "candidate" + Extensions[0];

    /// <summary>Paths besides /usr that its tools read.</summary>
    public virtual IReadOnlyList<string> ReadOnlyPaths => [];

    /// <summary>Environment of its tools and programs.</summary>
    public virtual IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>();

    /// <summary>Memory without which its programs do not start.</summary>
    public virtual long LeastMemoryBytes => 64_000_000;

    /// <summary>What is missing here, or out of the sandbox's sight, and how to get it; null if the language can be used.</summary>
    public string? Problem() => Tools
        .Select(tool => tool.Problem(ReadOnlyPaths) is string problem ? $"{problem}, which {Name} needs; install it with 'apt-get install {tool.Package}'" : null)
        .FirstOrDefault(problem => problem is not null);

    /// <summary>The source as a program of its own.</summary>
    public LanguageProgram Alone(string source) => MakeAlone(SourceMark.Drop(source));

    /// <summary>
    /// The source with a driver that evaluates each call and writes its value to descriptor 8, one line each: the token that
    /// it reads from the first line of its stdin, and <c>{"i":0,"value":…}</c> or <c>{"i":0,"error":"…"}</c>, values as
    /// <see cref="CanonicalValue"/> reads them.
    /// </summary>
    /// <param name="source">Empty where only the calls are to be evaluated, which need nothing of a candidate.</param>
    public LanguageProgram WithCalls(string source, IReadOnlyList<string> calls) => MakeWithCalls(SourceMark.Drop(source), calls);

    /// <summary>What finds mistakes in the source without running it, as a compile command without output.</summary>
    public LanguageProgram ToCheck(string source) => MakeCheck(SourceMark.Drop(source));

    /// <summary>
    /// What reads sources without looking at what their names mean, as a compile command; null where the check does no more
    /// than that, or nothing can tell the two apart.
    /// </summary>
    public LanguageProgram? ToParse(IReadOnlyList<string> sources) => MakeParse([.. sources.Select(SourceMark.Drop)]);

    /// <summary>Which sources are well-formed, from what <see cref="ToParse"/> wrote; null if it wrote nothing of use.</summary>
    public virtual IReadOnlyList<bool>? Parsed(int sources, IReadOnlyList<Finding> findings) => null;

    /// <summary>How many sources its tools look at in one run.</summary>
    public virtual int SourcesPerAnalysis => 1;

    /// <summary>File name by which findings speak of one of many sources.</summary>
    public virtual string SourceNameOf(int index) => SourceName;

    /// <summary>
    /// What looks at sources without running them, as a compile command without output: the check, whose exit code says whether
    /// the source is taken, and a linter where one is installed, whose exit code says nothing.
    /// </summary>
    /// <param name="sources">As many as <see cref="SourcesPerAnalysis"/> at most.</param>
    public LanguageProgram ToAnalyse(IReadOnlyList<string> sources) => MakeAnalysis([.. sources.Select(SourceMark.Drop)]);

    /// <summary>Reads what <see cref="ToAnalyse"/> wrote.</summary>
    public virtual IReadOnlyList<Finding> AnalysisFindings(LanguageProgram program, SandboxResult result) => Findings(program, result);

    /// <summary>Reads what a compile command wrote.</summary>
    public abstract IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result);

    /// <summary>Whether a program's complaint may be about its source's form, so that a check is worth its time.</summary>
    public virtual bool MayBeCompileError(string complaint) => false;

    /// <summary>Why a run ended at a call that does not compile; null if it did not, or if its driver tells such errors of a call.</summary>
    public virtual string? CallProblem(SandboxResult result) => null;

    /// <summary>Whether a complaint is this language's way to say that memory ran out.</summary>
    public abstract bool IsOutOfMemory(string complaint);

    /// <summary>
    /// Whether a program ended just as its runtime ends one for want of memory, by the whole message and the way to end: one
    /// allocation that is refused for its size leaves no other trace.
    /// </summary>
    public virtual bool EndedForMemory(SandboxResult result, string stderr) => false;

    /// <summary>Whether the error of a call is just what the runtime gives to one who asks for memory that it cannot have.</summary>
    public virtual bool RefusedMemory(string error) => false;

    /// <summary>Of what a program that failed wrote to stderr, the line that says why.</summary>
    public virtual string Complaint(string stderr)
    {
        string text = stderr.TrimEnd();
        return text[(text.LastIndexOf('\n') + 1)..].Trim();
    }

    /// <summary>A JSON value as an expression of the language.</summary>
    /// <exception cref="ArgumentException">The language has no expression for it.</exception>
    public abstract string Literal(JsonNode? value);

    /// <summary>What a call must give, written as JSON, as the call's own value is read.</summary>
    public virtual CanonicalValue ExpectedJson(JsonNode? value) => CanonicalValue.OfJson(value);

    /// <summary>Reads an expected expression without running anything; false if only the language itself can.</summary>
    public virtual bool TryReadLiteral(string text, out CanonicalValue value) => SimpleLiteral.TryRead(text, out value);

    /// <summary>Reads the values that came out of descriptor 8.</summary>
    /// <param name="token">What the driver alone was given, and begins each line with.</param>
    public virtual Answers ReadAnswers(SandboxResult result, string token) => Answers.Read(result.Result, token);

    /// <summary>Limits of a run, from those the user gave: what a runtime maps without using it is added here.</summary>
    public virtual SandboxLimits RunLimits(SandboxLimits limits) => limits;

    /// <summary>The program as the sandbox runs it.</summary>
    public virtual SandboxRequest ToRun(LanguageProgram program, IReadOnlyDictionary<string, SandboxFile> files, byte[] stdin, SandboxLimits limits) =>
        new(program.Run, files, stdin, RunLimits(limits)) { ReadOnlyPaths = ReadOnlyPaths, Environment = Environment };

    /// <summary>A driver that runs a program once for each of many inputs, and its command; the driver lies beside this file.</summary>
    /// <param name="command">What runs the program once.</param>
    /// <param name="arguments">How many inputs there are below /job/inputs, the seconds that each may take, and the most bytes of an output.</param>
    public virtual (string Driver, IReadOnlyList<string> Command) ToBatch(IReadOnlyList<string> command, IReadOnlyList<string> arguments) =>
        ("batch.sh", ["/bin/sh", "/job/batch.sh", .. arguments, .. command]);

    /// <summary>The compile command as the sandbox runs it; what it leaves comes out as a tar archive through descriptor 8.</summary>
    public virtual SandboxRequest ToCompile(LanguageProgram program)
    {
        var script = new StringBuilder("mkdir ").Append(LanguageProgram.OutputFolder).Append(" && { ").Append(program.Compile)
            .Append("; } 8>&- && tar -C ").Append(LanguageProgram.OutputFolder).Append(" -cf - . >&8");
        return new SandboxRequest(["/bin/sh", "-c", script.ToString()], program.Files, [], CompileLimits)
        {
            ReadOnlyPaths = ReadOnlyPaths,
            Environment = Environment,
        };
    }

    /// <summary><see cref="Alone"/> of a source without a byte-order mark, as the others of these methods are.</summary>
    protected abstract LanguageProgram MakeAlone(string source);

    /// <summary><see cref="WithCalls"/>.</summary>
    protected abstract LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls);

    /// <summary><see cref="ToCheck"/>.</summary>
    protected virtual LanguageProgram MakeCheck(string source) => MakeAlone(source);

    /// <summary><see cref="ToParse"/>.</summary>
    protected virtual LanguageProgram? MakeParse(IReadOnlyList<string> sources) => null;

    /// <summary><see cref="ToAnalyse"/>.</summary>
    protected virtual LanguageProgram MakeAnalysis(IReadOnlyList<string> sources) => MakeCheck(sources[0]);

    /// <summary>A compiler's limits are not the candidate's: it is our tool, though what it reads is not ours.</summary>
    protected virtual SandboxLimits CompileLimits => new()
    {
        WallTime = TimeSpan.FromSeconds(30),
        CpuTime = TimeSpan.FromSeconds(30),
        MemoryBytes = 1_500_000_000,
        MappingBytes = 64L << 30,
        Processes = 256,
        OpenFiles = 1024,
        FileBytes = MostArtifactBytes,
        TemporaryBytes = 512_000_000,
        OutputBytes = MostArtifactBytes,
    };

    /// <summary>A driver's fixed part, which lies beside this file.</summary>
    internal static string Driver(string name)
    {
        using Stream stream = typeof(Language).Assembly.GetManifestResourceStream("drivers/" + name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>A call on one line, so that a compiler's message tells which one it is about.</summary>
    protected static string OneLine(string call) => call.Trim().ReplaceLineEndings(" ");

    /// <summary>A check with a linter after it, where that is installed; the check decides.</summary>
    protected static LanguageProgram WithLinter(LanguageProgram check, LanguageTool linter, string command) =>
        linter.IsThere ? check with { Compile = $"{check.Compile} && {{ {command} || true; }}" } : check;

    protected static int Lines(string text) => text.AsSpan().Count('\n');
}
