using System.Diagnostics;
using System.Text;

namespace Dataflow.Prove;

/// <summary>Processes that a claim started, however far down: known by an environment variable that only they have inherited.</summary>
internal sealed class MarkedProcesses
{
    private const string Variable = "DATAFLOW_CLAIM";
    private readonly string mark;

    /// <summary>What <paramref name="command"/> starts from now on bears the mark.</summary>
    public MarkedProcesses(DataflowCommand command)
    {
        command.Environment[Variable] = command.Folder;
        mark = $"{Variable}={command.Folder}";
    }

    public IEnumerable<Process> Launchers() => Process.GetProcesses().Where(process =>
        Read(process, "environ").Split('\0').Contains(mark) && CommandLine(process).Contains("sandbox-launcher", StringComparison.Ordinal));

    /// <summary>Its arguments with zeros between them; empty if it has ended.</summary>
    public static string CommandLine(Process process) => Read(process, "cmdline");

    private static string Read(Process process, string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process.Id}/{file}"));
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
