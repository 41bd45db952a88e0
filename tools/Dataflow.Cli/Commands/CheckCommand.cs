using System.CommandLine;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow check FILE…</c>: all mistakes, before anything runs.</summary>
internal static class CheckCommand
{
    private static readonly Argument<string[]> Files = new("file") { Description = "Pipeline YAML, one or more.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<CheckLevel> Level = new Option<CheckLevel>("--level")
    {
        Description = "syntax (the files alone), graph (also stages, options, columns), environment (also this machine: secrets, endpoints, devices, sandbox, folders).",
        DefaultValueFactory = _ => CheckLevel.Environment,
    }.NamesOnly();

    private static readonly Option<bool> NoEnvironment = new("--no-environment") { Description = "The same as --level graph: do not look at this machine." };
    private static readonly Option<string?> Sarif = new("--sarif") { Description = "Also write what was found as SARIF 2.1.0 to this file; - for stdout, alone." };

    public static Command Create()
    {
        var command = new Command("check", "Report every mistake in a pipeline; run nothing.");
        command.Arguments.Add(Files);
        PipelineArguments.AddOptionsTo(command);
        foreach (Option option in new Option[] { Level, NoEnvironment, Sarif, RunsOption.Option })
        {
            command.Options.Add(option);
        }

        command.SetAction(CheckAsync);
        return command;
    }

    private static async Task<int> CheckAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
        {
            return ExitCodes.BadInput;
        }

        CheckLevel level = parsed.GetValue(Level);
        level = level == CheckLevel.Environment && parsed.GetValue(NoEnvironment) ? CheckLevel.Graph : level;
        string? sarif = parsed.GetValue(Sarif);
        var catalog = level == CheckLevel.Syntax ? null : LoadedPipeline.LoadCatalog(arguments);
        var found = new List<Diagnostic>();
        bool good = true;
        foreach (string file in parsed.GetValue(Files)!)
        {
            if (TestCommand.IsCasesFile(file))
            {
                Skip(file, arguments.Json || sarif == "-");
                continue;
            }

            LoadedPipeline pipeline = LoadedPipeline.Load(arguments with { File = file }, RunVariables.Preview(parsed.GetValue(RunsOption.Option)!), level, catalog);
            if (level == CheckLevel.Environment)
            {
                string runs = parsed.GetValue(RunsOption.Option)!;
                pipeline = await pipeline.WithEnvironmentAsync(runs, RunVariables.PreviewFolder(runs), cancellationToken);
            }

            good &= !pipeline.HasErrors;
            found.AddRange(pipeline.Diagnostics.Select(diagnostic => diagnostic with { Message = pipeline.Secrets.Redact(diagnostic.Message) }));
            if (sarif != "-")
            {
                pipeline.Print(arguments.Json, notes: true);
                Summarize(pipeline, file, arguments.Json);
            }
        }

        WriteSarif(sarif, found.Distinct());
        return good ? ExitCodes.Done : ExitCodes.BadInput;
    }

    // Where a pattern names a folder's pipelines, the cases beside them are meant too.
    private static void Skip(string file, bool silent)
    {
        if (!silent)
        {
            Console.WriteLine($"{file}: cases of a pipeline, which 'dataflow test' checks and runs: left out");
        }
    }

    private static void Summarize(LoadedPipeline pipeline, string file, bool json)
    {
        if (pipeline.HasErrors || json)
        {
            return;
        }

        string seen = pipeline.Graph is null ? "syntax only" : $"{pipeline.Graph.Stages.Count} stages in {pipeline.Graph.PhaseCount} phases, {pipeline.Graph.Models.Count} models";
        Console.WriteLine($"{file}: {seen}: no errors");
    }

    private static void WriteSarif(string? target, IEnumerable<Diagnostic> found)
    {
        if (target is null)
        {
            return;
        }

        string log = SarifLog.Write(found, Directory.GetCurrentDirectory());
        if (target == "-")
        {
            Console.WriteLine(log);
        }
        else
        {
            File.WriteAllText(target, log + "\n");
        }
    }
}
