using System.CommandLine;
using System.Text.Json;
using Dataflow.Engine.Execution.Tapping;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow tap RUN STAGE[.PORT]</c>: live rows of a running run.</summary>
internal static class TapCommand
{
    private static readonly Argument<string> Run = new("run") { Description = "A running run's id or folder." };
    private static readonly Argument<string> Port = new("port") { Description = "STAGE, or STAGE.PORT." };
    private static readonly Option<long?> Rows = new Option<long?>("-n") { Description = "Stop after so many rows." }.AtLeast(1L);

    public static Command Create()
    {
        var command = new Command("tap", "Print rows of a running run as they leave a stage; what is too fast to print is dropped and counted.");
        command.Arguments.Add(Run);
        command.Arguments.Add(Port);
        command.Options.Add(Rows);
        command.Options.Add(RunsOption.Option);
        command.SetAction(TapAsync);
        return command;
    }

    private static async Task<int> TapAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string folder = RunsOption.FolderOf(parsed.GetValue(Run)!, parsed.GetValue(RunsOption.Option)!);
        long left = parsed.GetValue(Rows) ?? long.MaxValue;
        long dropped = 0;
        try
        {
            await foreach (string line in TapClient.ReadAsync(folder, parsed.GetValue(Port)!, cancellationToken))
            {
                using JsonDocument message = JsonDocument.Parse(line);
                if (message.RootElement.TryGetProperty("error", out JsonElement error))
                {
                    Console.Error.WriteLine(error.GetString());
                    return ExitCodes.BadInput;
                }

                if (message.RootElement.TryGetProperty("dropped", out JsonElement count))
                {
                    dropped = count.GetInt64();
                }
                else if (message.RootElement.TryGetProperty("row", out _))
                {
                    Console.WriteLine(line);
                    if (--left == 0)
                    {
                        break;
                    }
                }
            }
        }
        catch (IOException absent)
        {
            Console.Error.WriteLine(absent.Message);
            return ExitCodes.BadInput;
        }

        if (dropped > 0)
        {
            Console.Error.WriteLine($"{dropped} rows came too fast and were not printed");
        }

        return ExitCodes.Done;
    }
}
