namespace Dataflow.Sandbox.Languages;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    Error,
    Warning,
    Note,
}

/// <summary>One message of a compiler or linter.</summary>
/// <param name="File">Name of the file below /job; the candidate's is <see cref="Language.SourceName"/>.</param>
/// <param name="Line">From 1; 0 if none was told.</param>
/// <param name="Column">From 1; 0 if none was told.</param>
/// <param name="Code">The tool's name of the rule, such as CS0103 or SC2086; empty if it has none.</param>
public sealed record Finding(string File, int Line, int Column, Severity Severity, string Code, string Message);
