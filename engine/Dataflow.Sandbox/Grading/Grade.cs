namespace Dataflow.Sandbox.Grading;

/// <summary>A verdict and what led to it, without anything that changes from run to run.</summary>
/// <param name="Line">Of a compile error, line in the candidate's own source, from 1; 0 if none is known.</param>
/// <param name="Column">Of a compile error, column in that line, from 1; 0 if none is known.</param>
public sealed record Grade(Verdict Verdict, string Detail, int Line = 0, int Column = 0);
