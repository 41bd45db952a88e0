using Dataflow.Engine.Execution;

namespace Dataflow.Cli;

/// <summary>Asks the stages whether this machine has what they need.</summary>
internal static class EnvironmentReport
{
    /// <summary>True if all is well.</summary>
    public static async Task<bool> PrintAsync(LoadedPipeline pipeline, bool json, CancellationToken cancellationToken)
    {
        bool good = true;
        foreach ((string stage, string place, string problem) in await EnvironmentChecks.RunAsync(pipeline.Graph!, cancellationToken))
        {
            good = false;
            string text = pipeline.Secrets.Redact($"{place}: error DF0030: stage '{stage}': {problem}");
            if (json)
            {
                Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(new { @event = "diagnostic", code = "DF0030", severity = "error", message = text }));
            }
            else
            {
                Console.Error.WriteLine(text);
            }
        }

        return good;
    }
}
