namespace Dataflow.Sandbox.Grading;

/// <summary>One test: either a call and the value it must give, or an input and the output that must follow.</summary>
/// <param name="Call">An expression over the candidate's names; for SQL a query, for Bash a command line.</param>
/// <param name="Stdin">What a program without a call reads.</param>
/// <param name="Expected">For a call an expression of the language, or JSON; for an output its text.</param>
/// <param name="ExpectedIsJson">Whether what a call must give is written as JSON.</param>
/// <param name="Condition">A condition that is to be true instead, where what is expected has no value without the candidate.</param>
public sealed record CodeTest(string? Call, string? Stdin, string Expected, bool ExpectedIsJson = false, string? Condition = null);
