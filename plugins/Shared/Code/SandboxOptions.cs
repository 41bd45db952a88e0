using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Sandbox;

namespace Dataflow.Plugins.Code;

/// <summary>Limits of the programs that a stage runs.</summary>
public interface ISandboxOptions
{
    /// <summary>Wall time, and CPU time, of one program.</summary>
    TimeSpan Timeout { get; }

    /// <summary>Bytes of memory of one program.</summary>
    long Memory { get; }

    /// <summary>Programs at a time; the number of processors if null.</summary>
    int? Slots { get; }

    /// <summary>What isolates them.</summary>
    SandboxBackend Sandbox { get; }
}

/// <summary>Options of a stage that asks a model about code.</summary>
public abstract record CodeAskingOptions : AskingOptions
{
    [Description("Language of the code; if absent, the row's column 'language' says it.")]
    public CodeLanguage? Language { get; init; }
}

/// <summary>Options of a stage that asks a model and runs what it answers.</summary>
public abstract record SandboxedAskingOptions : CodeAskingOptions, ISandboxOptions
{
    [Description("Wall time, and CPU time, of one program."), Shortest(0.1)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    [Description("Memory of one program, 64 MB at least."), ByteSize]
    public long Memory { get; init; } = 512_000_000;

    [Description("Programs at a time; the number of processors if absent."), Range(1, 64)]
    public int? Slots { get; init; }

    [Description("What isolates a program: bubblewrap, or podman or runsc, which are slower and need root.")]
    public SandboxBackend Sandbox { get; init; } = SandboxBackend.Bubblewrap;
}
