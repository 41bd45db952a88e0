using Dataflow.Sandbox.Grading;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>The programs by which one language is tried.</summary>
public sealed record LanguageCase
{
    /// <summary>Prints hello.</summary>
    public required string Hello { get; init; }

    /// <summary>Has a mistake in line 2, which no compiler takes.</summary>
    public required string Broken { get; init; }

    /// <summary>Line of the mistake.</summary>
    public int BrokenLine { get; init; } = 2;

    /// <summary>Column of the mistake; 0 where the language tells none.</summary>
    public required int BrokenColumn { get; init; }

    /// <summary>Runs and then fails.</summary>
    public required string Fails { get; init; }

    /// <summary>Something that the failure's detail contains.</summary>
    public string Reason { get; init; } = "sorry";

    /// <summary>Never ends.</summary>
    public required string Endless { get; init; }

    /// <summary>Takes memory without end and uses it.</summary>
    public required string Hungry { get; init; }

    /// <summary>Reads a number from its input and prints the number after it.</summary>
    public required string Next { get; init; }

    /// <summary>Inputs for <see cref="Next"/> that hold 7 and 41.</summary>
    public (string Seven, string FortyOne) Inputs { get; init; } = ("7\n", "41\n");

    /// <summary>Defines what <see cref="Call"/> calls, rightly.</summary>
    public required string Right { get; init; }

    /// <summary>The same, but wrong for some arguments.</summary>
    public required string Wrong { get; init; }

    /// <summary>The square of 2, then of -3.</summary>
    public required CodeTest[] Calls { get; init; }

    /// <summary>A call of something that <see cref="Right"/> does not have.</summary>
    public required CodeTest Foreign { get; init; }

    public Verdict ForeignVerdict { get; init; } = Verdict.CompileError;

    /// <summary>Candidates that try to pass without the right values.</summary>
    public required string[] Forgeries { get; init; }
}
