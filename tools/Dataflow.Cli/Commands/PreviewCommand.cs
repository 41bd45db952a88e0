using System.CommandLine;
using Dataflow.Cli.Display;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Forecasting;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow preview FILE -n N</c>: real runs on the first rows of each source, in a folder that is thrown away, and a forecast for all of them.</summary>
internal static class PreviewCommand
{
    private static readonly Option<long> Rows = new Option<long>("-n") { Description = "Rows of each source.", DefaultValueFactory = _ => 5 }.AtLeast(1);

    public static Command Create()
    {
        var command = new Command("preview", "Run on the first rows of each source, print what every stage gives, and forecast rows, calls, tokens, money and time of the whole. Nothing is written.");
        PipelineArguments.AddTo(command);
        command.Options.Add(Rows);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
        {
            return ExitCodes.BadInput;
        }

        string folder = Directory.CreateTempSubdirectory("dataflow-preview-").FullName;
        try
        {
            LoadedPipeline pipeline = LoadedPipeline.Load(arguments, RunVariables.For("preview", folder, ""));
            pipeline = await pipeline.WithEnvironmentAsync(folder, folder, CancellationToken.None);
            pipeline.Print(arguments.Json);
            if (pipeline.HasErrors)
            {
                return ExitCodes.BadInput;
            }

            using var signals = new StopSignals();
            (RunResult result, Forecast? forecast) = await new Previewer(pipeline.Graph!, pipeline.Secrets).RunAsync(folder, parsed.GetValue(Rows), signals.Stop, signals.Abort);
            SamplePrinter.Print(result.RunFolder, result, arguments.Json);
            if (forecast is not null)
            {
                ForecastPrinter.Print(forecast, arguments.Json);
            }

            if (result.Cause is not null)
            {
                Console.Error.WriteLine(result.Cause);
            }

            return result.Outcome == RunOutcome.Completed ? ExitCodes.Done : result.Outcome == RunOutcome.Interrupted ? ExitCodes.Interrupted : ExitCodes.Failed;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
