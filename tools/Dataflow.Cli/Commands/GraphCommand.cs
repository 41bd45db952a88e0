using System.CommandLine;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow graph FILE</c>.</summary>
internal static class GraphCommand
{
    private static readonly Option<string> Format = new("--format") { Description = "mermaid or dot.", DefaultValueFactory = _ => "mermaid" };

    public static Command Create()
    {
        var command = new Command("graph", "Print the pipeline's graph.");
        PipelineArguments.AddTo(command);
        Format.AcceptOnlyFromAmong("mermaid", "dot");
        command.Options.Add(Format);
        command.SetAction(parsed =>
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

            Console.Write(parsed.GetValue(Format) == "dot" ? GraphRenderer.Dot(pipeline.Graph!) : GraphRenderer.Mermaid(pipeline.Graph!));
            return ExitCodes.Done;
        });
        return command;
    }
}
