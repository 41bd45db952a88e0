namespace Dataflow.Sandbox.Launcher;

/// <summary>Where a launcher mounts a program's files, in its own mount namespace.</summary>
internal static class WorkspacePaths
{
    public const string Root = "/dev/shm";
    public const string Job = Root + "/job";
    public const string Temporary = Root + "/tmp";
}
