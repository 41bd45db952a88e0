using System.Text.Json;
using Dataflow.Engine.Execution;

namespace Dataflow.Cli;

/// <summary>Asks the stages whether this machine has what they need.</summary>
internal static class EnvironmentReport
{
    /// <summary>True if all is well.</summary>
    /// <param name="facts">Also print what was found to be well.</param>
    public static async Task<bool> PrintAsync(LoadedPipeline pipeline, bool json, bool facts, CancellationToken cancellationToken)
    {
        IReadOnlyList<EnvironmentFinding> findings = await EnvironmentChecks.RunAsync(pipeline.Graph!, cancellationToken);
        foreach (EnvironmentFinding finding in findings.Where(finding => finding.IsProblem || facts))
        {
            string text = pipeline.Secrets.Redact(finding.Text);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { @event = "diagnostic", code = "DF0030", severity = finding.IsProblem ? "error" : "info", message = text, stage = finding.Stage, place = finding.Place }));
            }
            else if (finding.IsProblem)
            {
                Console.Error.WriteLine($"{finding.Place}: error DF0030: stage '{finding.Stage}': {text}");
            }
            else
            {
                Console.WriteLine($"{finding.Stage}: {text}");
            }
        }

        return !findings.Any(finding => finding.IsProblem);
    }
}
