namespace Dataflow.Sandbox;

/// <summary>What isolates a program.</summary>
public enum SandboxBackend
{
    /// <summary>Namespaces and seccomp on this kernel; for root and ordinary users, and the quickest by far.</summary>
    Bubblewrap,

    /// <summary>A container by podman; needs root here.</summary>
    Podman,

    /// <summary>gVisor's runsc: a kernel of its own in user space between the program and this one; needs root here.</summary>
    Runsc,
}
