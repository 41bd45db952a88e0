using System.CommandLine;
using Dataflow.Cli.Testing;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow test FILE</c>: runs the cases beside a pipeline.</summary>
internal static class TestCommand
{
    private const string CasesEnding = ".test.yaml";

    private static readonly Option<string?> Cases = new("--cases") { Description = "File of cases; PIPELINE.test.yaml beside PIPELINE.yaml by default." };
    private static readonly Option<string[]> Case = new("--case") { Description = "Run only this case. May be given several times." };
    private static readonly Option<string?> JUnit = new("--junit") { Description = "Also write the results as JUnit XML to this file." };

    /// <summary>Whether a file holds the cases of a pipeline beside it.</summary>
    public static bool IsCasesFile(string file) =>
        file.EndsWith(CasesEnding, StringComparison.Ordinal) && File.Exists(file[..^CasesEnding.Length] + ".yaml");

    public static Command Create()
    {
        var command = new Command("test", "Run a pipeline's test cases: rows and model replies from YAML, expected rows by stage.");
        PipelineArguments.AddTo(command);
        foreach (Option option in new Option[] { Cases, Case, JUnit })
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
        {
            return ExitCodes.BadInput;
        }

        var diagnostics = new DiagnosticBag();
        if (!File.Exists(arguments.File))
        {
            // Its cases are not looked for then: their name is made of its.
            PipelineLoader.ReadMapping(arguments.File, diagnostics);
            return Refuse(diagnostics, arguments.Json);
        }

        string file = parsed.GetValue(Cases) ?? Path.ChangeExtension(arguments.File, CasesEnding);
        TestFile? tests = TestFile.Read(file, diagnostics, out CasePlaces places);
        PluginCatalog catalog = await LoadedPipeline.LoadCatalog(arguments);
        // What a case misses by them is told by the case.
        diagnostics.AddRange(catalog.Problems.Select(problem => problem.Mild));
        string[] only = parsed.GetValue(Case) ?? [];
        foreach (string unknown in only.Where(name => tests?.Cases.ContainsKey(name) == false))
        {
            diagnostics.Error(DiagnosticCodes.UnknownKey, null, $"--case {unknown}: there is no such case", Suggest.DidYouMean(unknown, tests!.Cases.Keys));
        }

        var preparation = new CasePreparation(arguments, catalog, places, diagnostics);
        PreparedCase[] cases = [.. (tests?.Cases ?? new Dictionary<string, TestCase>()).Select(test => preparation.Prepare(test.Key, test.Value)).OfType<PreparedCase>()];
        try
        {
            if (diagnostics.HasErrors)
            {
                return Refuse(diagnostics, arguments.Json);
            }

            DiagnosticPrinter.Print(diagnostics.All, new SecretRegistry(), arguments.Json);
            return await RunAsync(cases.Where(prepared => only.Length == 0 || only.Contains(prepared.Name)), places, parsed, arguments);
        }
        finally
        {
            foreach (PreparedCase prepared in cases)
            {
                prepared.Dispose();
            }
        }
    }

    private static int Refuse(DiagnosticBag diagnostics, bool json)
    {
        DiagnosticPrinter.Print(diagnostics.All, new SecretRegistry(), json);
        return ExitCodes.BadInput;
    }

    private static async Task<int> RunAsync(IEnumerable<PreparedCase> cases, CasePlaces places, ParseResult parsed, PipelineArguments arguments)
    {
        var runner = new CaseRunner(places);
        var results = new List<CaseResult>();
        foreach (PreparedCase prepared in cases)
        {
            CaseResult result = await runner.RunAsync(prepared);
            results.Add(result);
            Print(result, arguments.Json);
        }

        if (parsed.GetValue(JUnit) is string report)
        {
            JUnitReport.Write(report, Path.GetFileNameWithoutExtension(arguments.File), results);
        }

        int failed = results.Count(result => !result.Passed);
        if (!arguments.Json)
        {
            Console.WriteLine($"{results.Count - failed} passed, {failed} failed");
        }

        return failed == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Print(CaseResult result, bool json)
    {
        if (json)
        {
            Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(new { @event = "case", name = result.Name, passed = result.Passed, seconds = result.Elapsed.TotalSeconds, failures = result.Failures }));
            return;
        }

        Console.WriteLine(FormattableString.Invariant($"{(result.Passed ? "pass" : "FAIL")} {result.Name} ({result.Elapsed.TotalSeconds:0.0} s)"));
        foreach (string failure in result.Failures)
        {
            Console.WriteLine("  " + failure.Replace("\n", "\n  ", StringComparison.Ordinal));
        }
    }
}
