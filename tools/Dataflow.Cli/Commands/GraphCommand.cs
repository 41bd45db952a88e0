using System.CommandLine;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow graph FILE</c>, or <c>graph --run RUN</c> with the run's counts.</summary>
internal static class GraphCommand
{
    private static readonly Option<string> Format = new("--format") { Description = "mermaid or dot.", DefaultValueFactory = _ => "mermaid" };
    private static readonly Option<string?> Run = new("--run") { Description = "Put the counts of this run on stages and edges, and what its models were asked and cost; the run's own pipeline if no file is given." };

    public static Command Create()
    {
        var command = new Command("graph", "Print the pipeline's graph.");
        PipelineArguments.AddTo(command, fileRequired: false);
        Format.AcceptOnlyFromAmong("mermaid", "dot");
        foreach (Option option in new Option[] { Format, Run, RunsOption.Option })
        {
            command.Options.Add(option);
        }

        command.SetAction(Print);
        return command;
    }

    private static int Print(ParseResult parsed)
    {
        if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
        {
            return ExitCodes.BadInput;
        }

        IReadOnlyDictionary<string, string> variables = RunVariables.Preview(parsed.GetValue(RunsOption.Option)!);
        RunRecord? record = null;
        RunManifest? manifest = null;
        if (parsed.GetValue(Run) is string run)
        {
            string folder = RunsOption.FolderOf(run, parsed.GetValue(RunsOption.Option)!);
            manifest = RunFolder.ReadManifest(folder);
            if (manifest is null)
            {
                Console.Error.WriteLine($"there is no run at {folder}");
                return ExitCodes.BadInput;
            }

            record = RunRecord.Read(folder);
            arguments = arguments.OrAsIn(manifest);
            variables = RunVariables.For(manifest.RunId, folder, manifest.Epoch);
        }

        if (arguments.File.Length == 0)
        {
            Console.Error.WriteLine("which pipeline? give its YAML file, or --run RUN");
            return ExitCodes.BadInput;
        }

        LoadedPipeline pipeline = LoadedPipeline.Load(arguments, variables, CheckLevel.Graph, LoadedPipeline.LoadCatalog(arguments));
        pipeline.Print(arguments.Json);
        if (pipeline.HasErrors)
        {
            return ExitCodes.BadInput;
        }

        GraphNumbers? numbers = record is null ? null : new GraphNumbers(record.Stages.ToDictionary(stage => stage.Stage), record.Usage.ToDictionary());
        Console.Write(parsed.GetValue(Format) == "dot" ? GraphRenderer.Dot(pipeline.Graph!, numbers) : GraphRenderer.Mermaid(pipeline.Graph!, numbers));
        return ExitCodes.Done;
    }
}
