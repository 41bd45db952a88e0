using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>How a backend makes a launcher's request of a program.</summary>
internal interface IProgramIsolation
{
    /// <summary>Whether a container runtime starts the program, which must itself be root.</summary>
    bool IsContainer { get; }

    /// <summary>What isolates, for people.</summary>
    string Description { get; }

    /// <param name="user">User that the program shall be outside; null where only the present one can be.</param>
    LaunchRequest Compose(long id, SandboxRequest request, int? user);
}
