using System.Text.RegularExpressions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Testing;

/// <summary>What is wrong with a case whatever the pipeline is.</summary>
internal sealed class CaseRules(CasePlaces places, DiagnosticBag diagnostics)
{
    public void Check(string name, TestCase test)
    {
        string path = $"cases.{name}";
        CheckExpectations(path, test);
        foreach ((string source, TestRows rows) in test.Sources)
        {
            if ((rows.Rows is null) == (rows.File is null))
            {
                diagnostics.Error(
                    DiagnosticCodes.OptionRejected, places.Of($"{path}.sources.{source}"), $"source '{source}' is given {(rows.File is null ? "neither rows nor a file" : "both rows and a file")}", "give it one of 'rows' and 'file'");
            }
            else if (rows.File is string file && !File.Exists(places.Resolve(file)))
            {
                diagnostics.Error(DiagnosticCodes.MissingFile, places.Of($"{path}.sources.{source}.file"), $"there is no file '{places.Resolve(file)}'", "it is looked for beside the cases");
            }
        }

        foreach ((string model, TestModel part) in test.Models)
        {
            for (int i = 0; i < part.Replies.Count; i++)
            {
                // What could not be bound was told already.
                CheckPattern(part.Replies[i]?.Matches, $"{path}.models.{model}.replies[{i}].matches");
            }
        }
    }

    private void CheckExpectations(string path, TestCase test)
    {
        if (test.Expect.Count == 0 && test.Fails is null)
        {
            diagnostics.Error(DiagnosticCodes.Missing, places.Of(path), "the case expects nothing, so it can never fail", "give it 'expect' or 'fails'");
        }

        if (test.Expect.Count > 0 && test.Fails is not null)
        {
            diagnostics.Error(DiagnosticCodes.OptionRejected, places.Of($"{path}.fails"), "a run that fails has no rows to compare, so 'expect' would not be looked at", "make two cases of it");
        }

        foreach ((string port, Expectation expected) in test.Expect)
        {
            if (expected.Each.Count == 0 && !places.Has($"{path}.expect.{port}.count") && !places.Has($"{path}.expect.{port}.rows"))
            {
                diagnostics.Error(DiagnosticCodes.Missing, places.Of($"{path}.expect.{port}"), $"nothing is expected of '{port}', so it can never fail", "give it 'count', 'rows' or 'each'");
            }

            foreach ((string column, ColumnCondition condition) in expected.Each)
            {
                CheckPattern(condition.Matches, $"{path}.expect.{port}.each.{column}.matches");
            }
        }
    }

    private void CheckPattern(string? pattern, string option)
    {
        try
        {
            _ = pattern is null ? null : new Regex(pattern);
        }
        catch (ArgumentException bad)
        {
            diagnostics.Error(DiagnosticCodes.OptionRejected, places.Of(option), $"'{pattern}' is no regular expression: {bad.Message}");
        }
    }
}
