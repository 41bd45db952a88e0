using System.ComponentModel.DataAnnotations;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Testing;

/// <summary>A file of cases for one pipeline.</summary>
internal sealed record TestFile
{
    /// <summary>The cases by name.</summary>
    public required IReadOnlyDictionary<string, TestCase> Cases { get; init; }

    /// <summary>Reads the file as far as it can be; the bag says what is wrong with it.</summary>
    public static TestFile? Read(string path, DiagnosticBag diagnostics, out CasePlaces places)
    {
        var binder = new OptionsBinder(diagnostics);
        places = new CasePlaces(path, binder.Places);
        TestFile? file = PipelineLoader.ReadMapping(path, diagnostics) is ConfigMapping mapping ? binder.BindPartly<TestFile>(mapping, mapping.Span) : null;
        // Required, and absent where that was told.
        return file?.Cases is null ? null : file;
    }
}

/// <summary>One case: what goes in, what the models say, what must come out.</summary>
internal sealed record TestCase
{
    /// <summary>Values of variables, as <c>--set</c> gives them.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>Rows by source stage. A source that is not named reads what the pipeline says.</summary>
    public IReadOnlyDictionary<string, TestRows> Sources { get; init; } = new Dictionary<string, TestRows>();

    /// <summary>What each model says. A remote model that is not named may not be called; a local one is real.</summary>
    public IReadOnlyDictionary<string, TestModel> Models { get; init; } = new Dictionary<string, TestModel>();

    /// <summary>By <c>stage</c> or <c>stage.port</c>; a sink is looked at by what it takes in.</summary>
    public IReadOnlyDictionary<string, Expectation> Expect { get; init; } = new Dictionary<string, Expectation>();

    /// <summary>The run must fail, with this text in its cause.</summary>
    public string? Fails { get; init; }
}

/// <summary>Rows of a source: inline, or from a JSON Lines file beside the cases.</summary>
internal sealed record TestRows
{
    public IReadOnlyList<IReadOnlyDictionary<string, object>>? Rows { get; init; }

    public string? File { get; init; }
}

/// <summary>A model's part: scripted replies, or a cassette of recorded ones.</summary>
internal sealed record TestModel
{
    /// <summary>The first that fits the last message answers.</summary>
    public IReadOnlyList<TestReply> Replies { get; init; } = [];

    /// <summary>JSON Lines file of recorded calls, beside the cases.</summary>
    public string? Cassette { get; init; }

    /// <summary>Calls that the cassette lacks go to the real model and are recorded; otherwise they fail.</summary>
    public bool Record { get; init; }
}

/// <summary>When it fits (no condition: always) and what it says.</summary>
internal sealed record TestReply
{
    public string? Contains { get; init; }

    /// <summary>A regular expression.</summary>
    public string? Matches { get; init; }

    /// <summary>The whole message.</summary>
    public string? Is { get; init; }

    /// <summary>One text, or several given one after the other; the last one stays.</summary>
    public IReadOnlyList<string> Reply { get; init; } = [];

    /// <summary>An HTTP status instead of a reply.</summary>
    [Range(400, 599)]
    public int? Status { get; init; }
}

/// <summary>What must be true of the rows of a port.</summary>
internal sealed record Expectation
{
    [Range(0, long.MaxValue)]
    public long? Count { get; init; }

    /// <summary>The rows, each by the columns that it names.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, object>>? Rows { get; init; }

    /// <summary>The rows have no columns but those named.</summary>
    public bool Exact { get; init; }

    public bool AnyOrder { get; init; }

    /// <summary>Conditions on columns that every row meets.</summary>
    public IReadOnlyDictionary<string, ColumnCondition> Each { get; init; } = new Dictionary<string, ColumnCondition>();
}

/// <summary>A condition on one value; all parts that are given must hold.</summary>
internal sealed record ColumnCondition
{
    public object? Is { get; init; }

    public IReadOnlyList<object>? In { get; init; }

    public string? Contains { get; init; }

    /// <summary>A regular expression.</summary>
    public string? Matches { get; init; }

    public double? Min { get; init; }

    public double? Max { get; init; }

    /// <summary>Characters of a text, items of a list.</summary>
    [Range(0, long.MaxValue)]
    public long? MinLength { get; init; }

    [Range(0, long.MaxValue)]
    public long? MaxLength { get; init; }

    /// <summary>True: it must be null; false: it must not.</summary>
    public bool? Null { get; init; }
}
