using System.CommandLine;
using Dataflow.Cli;
using Dataflow.Cli.Commands;
using Dataflow.Engine.Execution;

Console.KeepOutput();
var root = new RootCommand("Dataflow: data and model pipelines for post-training, from one YAML file.");
root.Subcommands.Add(RunCommand.Create());
root.Subcommands.Add(CheckCommand.Create());
root.Subcommands.Add(PreviewCommand.Create());
root.Subcommands.Add(TestCommand.Create());
root.Subcommands.Add(GraphCommand.Create());
root.Subcommands.Add(ListCommand.Create());
root.Subcommands.Add(DescribeCommand.Create());
root.Subcommands.Add(SchemaCommand.Create());
root.Subcommands.Add(ReferenceCommand.Create());
root.Subcommands.Add(RunsCommand.Create());
root.Subcommands.Add(DiffCommand.Create());
root.Subcommands.Add(TapCommand.Create());
root.Subcommands.Add(RunCommand.CreateRetry());
root.Subcommands.Add(CacheCommand.Create());
root.Subcommands.Add(MergeCommand.Create());
root.Subcommands.Add(ExportCommand.Create());
root.Subcommands.Add(ServeCommand.Create());
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    Console.Error.WriteLine("see 'dataflow --help'");
    return ExitCodes.BadInput;
}

try
{
    // Ctrl-C is the run's own to handle: the first drains, the second aborts.
    return await parsed.InvokeAsync(new InvocationConfiguration { Output = Console.Out, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
}
catch (Exception failure) when (StorageFailure.Is(failure))
{
    // Output that goes to a full disk, say.
    Console.Error.WriteLine($"failed: {failure.Message}");
    return ExitCodes.Failed;
}
