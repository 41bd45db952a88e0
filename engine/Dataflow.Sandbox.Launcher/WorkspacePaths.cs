namespace Dataflow.Sandbox.Launcher;

/// <summary>Where a launcher mounts a program's files, in its own mount namespace.</summary>
internal static class WorkspacePaths
{
    public const string Root = "/dev/shm";
    public const string Job = Root + "/job";
    public const string Temporary = Root + "/tmp";

    /// <summary>Where a program under a container runtime leaves its results, since such a runtime passes no descriptor on.</summary>
    public const string Out = Root + "/out";

    /// <summary>Bundle of such a runtime: its configuration and an empty root to mount on.</summary>
    public const string Bundle = Root + "/bundle";
}
