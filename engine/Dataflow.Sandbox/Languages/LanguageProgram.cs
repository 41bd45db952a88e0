namespace Dataflow.Sandbox.Languages;

/// <summary>Sources as they lie in the sandbox, and how they become a program that runs.</summary>
/// <param name="Files">What lies below /job: for compiling, or for running where nothing is compiled.</param>
/// <param name="Run">The command that runs it; what was compiled lies below /job then.</param>
public sealed record LanguageProgram(IReadOnlyDictionary<string, SandboxFile> Files, IReadOnlyList<string> Run)
{
    /// <summary>Folder in which a compile command leaves what is to be run.</summary>
    public const string OutputFolder = "/tmp/out";

    /// <summary>Shell command that compiles into <see cref="OutputFolder"/>; null if the files are run as they are.</summary>
    public string? Compile { get; init; }

    /// <summary>File in which the calls stand, each in a line of its own; null if they are not part of what is compiled.</summary>
    public string? CallFile { get; init; }

    /// <summary>Line of the first call in <see cref="CallFile"/>.</summary>
    public int FirstCallLine { get; init; }

    /// <summary>Line of the candidate before which we wrote something in the same line; 0 if there is none.</summary>
    public int ShiftedLine { get; init; }

    /// <summary>Columns by which that line was shifted.</summary>
    public int Shift { get; init; }

    /// <summary>One file of text after another.</summary>
    public static IReadOnlyDictionary<string, SandboxFile> Texts(params (string Name, string Text)[] files) =>
        files.ToDictionary(file => file.Name, file => SandboxFile.Text(file.Text), StringComparer.Ordinal);
}
