using System.CommandLine;

namespace Dataflow.Cli;

/// <summary>The option that says where runs are kept, and how a run is named on the command line.</summary>
internal static class RunsOption
{
    public static Option<string> Option { get; } = new("--runs") { Description = "Folder that runs are kept in.", DefaultValueFactory = _ => "runs" };

    /// <summary>The folder of a run given by its id under the runs folder, or by its folder.</summary>
    public static string FolderOf(string run, string runs) => Path.GetFullPath(Directory.Exists(Path.Combine(runs, run)) ? Path.Combine(runs, run) : run);
}
