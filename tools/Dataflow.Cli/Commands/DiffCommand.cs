using System.CommandLine;
using System.Text.Json;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow diff RUN_A RUN_B</c>.</summary>
internal static class DiffCommand
{
    private static readonly Argument<string> RunA = new("run-a") { Description = "A run's id or folder." };
    private static readonly Argument<string> RunB = new("run-b") { Description = "The run to compare it with." };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line, for machines." };

    public static Command Create()
    {
        var command = new Command("diff", "Compare two runs: definition, rows, reasons, artifacts, scores, tokens, time.");
        command.Arguments.Add(RunA);
        command.Arguments.Add(RunB);
        command.Options.Add(RunsOption.Option);
        command.Options.Add(Json);
        command.SetAction(parsed =>
        {
            string runs = parsed.GetValue(RunsOption.Option)!;
            IReadOnlyList<RunDifference> differences;
            try
            {
                differences = RunComparison.Compare(RunsOption.FolderOf(parsed.GetValue(RunA)!, runs), RunsOption.FolderOf(parsed.GetValue(RunB)!, runs));
            }
            catch (IOException missing)
            {
                Console.Error.WriteLine(missing.Message);
                return ExitCodes.BadInput;
            }

            if (parsed.GetValue(Json))
            {
                foreach (RunDifference difference in differences)
                {
                    Console.WriteLine(JsonSerializer.Serialize(difference, JsonSerializerOptions.Web));
                }
            }
            else
            {
                Print(differences);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static void Print(IReadOnlyList<RunDifference> differences)
    {
        foreach (string section in RunComparison.Sections)
        {
            RunDifference[] here = differences.Where(difference => difference.Section == section).ToArray();
            Console.WriteLine(here.Length == 0 ? $"{section}: the same" : section);
            foreach (RunDifference difference in here)
            {
                string remark = difference.Remark is null ? "" : $"  ({difference.Remark})";
                Console.WriteLine($"  {difference.Where,-24} {difference.What}: {Show(difference.A)} -> {Show(difference.B)}{remark}");
            }
        }
    }

    private static string Show(string? value) => value is null ? "none" : value.Length > 80 ? value[..80].ReplaceLineEndings("\\n") + "…" : value.ReplaceLineEndings("\\n");
}
