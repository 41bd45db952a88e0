using System.CommandLine;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow check FILE</c>: all mistakes, before anything runs.</summary>
internal static class CheckCommand
{
    private static readonly Option<bool> NoEnvironment = new("--no-environment") { Description = "Do not look at this machine (sandbox, folders)." };

    public static Command Create()
    {
        var command = new Command("check", "Report every mistake in a pipeline; run nothing.");
        PipelineArguments.AddTo(command);
        command.Options.Add(NoEnvironment);
        command.SetAction(async (parsed, token) =>
        {
            if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
            {
                return ExitCodes.BadInput;
            }

            LoadedPipeline pipeline = LoadedPipeline.Load(arguments, RunVariables.Preview);
            pipeline.Print(arguments.Json);
            if (pipeline.HasErrors)
            {
                return ExitCodes.BadInput;
            }

            if (!parsed.GetValue(NoEnvironment) && !await EnvironmentReport.PrintAsync(pipeline, arguments.Json, facts: true, token))
            {
                return ExitCodes.BadInput;
            }

            if (!arguments.Json)
            {
                Console.WriteLine($"{arguments.File}: {pipeline.Graph!.Stages.Count} stages in {pipeline.Graph.PhaseCount} phases, {pipeline.Graph.Models.Count} models: no errors");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
