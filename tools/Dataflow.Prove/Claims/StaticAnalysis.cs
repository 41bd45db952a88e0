using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Prove;

/// <summary>What static analysis says of a file is what the language's own parser says of it.</summary>
internal sealed class StaticAnalysis : Claim
{
    public override string Name => "static-analysis";

    public override string Promise => "over the whole Python standard library, this repository's C#, and copies of both with one character lost, the verdict whether a file parses is that of the language's own parser";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int most = scale == Scale.Full ? int.MaxValue : 40;
        await using SandboxPool pool = SandboxPool.Create(Environment.ProcessorCount);
        var analyser = new StaticAnalyser(pool);
        string[] library = Directory.GetDirectories("/usr/lib", "python3.*").SelectMany(folder => Sources(folder, "*.py")).Take(most).ToArray();
        string[] own = Sources(DataflowCommand.Root, "*.cs").Take(most).ToArray();
        bool python = await CompareAsync("python", library, sources => AnalyseAsync(analyser, new Python(), sources), PythonParser, output);
        bool csharp = await CompareAsync("csharp", own, sources => ParseAsync(analyser, new CSharp(), sources), RoslynParser, output);
        return python && csharp;
    }

    private static async Task<bool> CompareAsync(string language, string[] files, Func<string[], Task<bool[]>> ours, Func<string[], Task<bool[]>> parser, TextWriter output)
    {
        string[] sources = [.. files.Select(File.ReadAllText), .. files.Select((file, i) => Lossy(File.ReadAllText(file), i))];
        long start = Stopwatch.GetTimestamp();
        bool[] said = await ours(sources);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        bool[] expected = await parser(sources);
        int[] different = Enumerable.Range(0, sources.Length).Where(i => said[i] != expected[i]).ToArray();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{language}: {files.Length} files and as many with a character lost; {expected.Count(parses => !parses)} do not parse; {different.Length} verdicts differ; {1000 * seconds / sources.Length:0.0} ms a file"));
        foreach (int i in different.Take(5))
        {
            output.WriteLine($"  {files[i % files.Length]}{(i < files.Length ? "" : " with a character lost")}: we say {said[i]}");
        }

        return different.Length == 0 && files.Length > 0;
    }

    private static IEnumerable<string> Sources(string folder, string pattern) => Directory.GetFiles(folder, pattern, SearchOption.AllDirectories)
        .Where(file => !file.Contains("/artifacts/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/dist-packages/", StringComparison.Ordinal) && new FileInfo(file).LinkTarget is null)
        .Order(StringComparer.Ordinal);

    private static string Lossy(string text, int seed)
    {
        var random = new Random(seed);
        int at = text.Length == 0 ? 0 : random.Next(text.Length);
        return text.Length == 0 ? "(" : text.Remove(at, 1);
    }

    private static async Task<bool[]> AnalyseAsync(StaticAnalyser analyser, Language language, string[] sources) =>
        (await analyser.AnalyseAsync(language, sources, CancellationToken.None)).Select(analysis => analysis.Parses ?? throw new InvalidOperationException(analysis.Findings[0].Message)).ToArray();

    private static async Task<bool[]> ParseAsync(StaticAnalyser analyser, Language language, string[] sources)
    {
        var parses = new List<bool>();
        foreach (string[] some in sources.Chunk(200))
        {
            parses.AddRange(await analyser.ParseAsync(language, some, CancellationToken.None));
        }

        return [.. parses];
    }

    // The interpreter itself, outside any sandbox: these sources are the system's.
    private static async Task<bool[]> PythonParser(string[] sources)
    {
        const string Program = "import ast, json, sys, warnings\nwarnings.simplefilter('ignore')\ndef parses(s):\n  try: ast.parse(s); return True\n  except (SyntaxError, ValueError): return False\nprint(json.dumps([parses(s) for s in json.load(sys.stdin)]))";
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", Program]) { RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false) })!;
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(sources));
        process.StandardInput.Close();
        return JsonSerializer.Deserialize<bool[]>(await process.StandardOutput.ReadToEndAsync())!;
    }

    // The SDK's own compiler as a library, which this project does not reference: by reflection.
    private static Task<bool[]> RoslynParser(string[] sources)
    {
        string sdk = Directory.GetDirectories(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../sdk"))).Order(StringComparer.Ordinal).Last();
        string folder = Path.Combine(sdk, "Roslyn/bincore");
        Assembly.LoadFrom(Path.Combine(folder, "Microsoft.CodeAnalysis.dll"));
        Assembly roslyn = Assembly.LoadFrom(Path.Combine(folder, "Microsoft.CodeAnalysis.CSharp.dll"));
        MethodInfo parse = roslyn.GetType("Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree")!.GetMethods().First(method => method.Name == "ParseText" && method.GetParameters()[0].ParameterType == typeof(string));
        object?[] rest = parse.GetParameters().Skip(1).Select(parameter =>
            parameter.ParameterType == typeof(CancellationToken) ? CancellationToken.None : parameter.HasDefaultValue ? parameter.DefaultValue : null).ToArray();
        return Task.FromResult(sources.Select(source => !HasError(parse.Invoke(null, [source, .. rest])!)).ToArray());
    }

    private static bool HasError(dynamic tree) =>
        ((IEnumerable<object>)tree.GetDiagnostics(CancellationToken.None)).Any(diagnostic => ((object)((dynamic)diagnostic).Severity).ToString() == "Error");
}
