namespace Dataflow.Sandbox.Grading;

/// <summary>What came of a candidate; in reports and columns each is written in snake_case.</summary>
public enum Verdict
{
    Passed,
    Failed,
    CompileError,
    RuntimeError,
    Timeout,
    OutputLimit,
    MemoryLimit,
    NoTests,
}
