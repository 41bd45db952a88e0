using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>Reads tests from a column: a list of structs or of assertions, JSON text of one, or assertions in lines.</summary>
internal static class TestRows
{
    public static IReadOnlyList<CodeTest> Read(object? value, string column, Language language)
    {
        if (value is string json)
        {
            value = json.TrimStart().StartsWith('[') ? FromJson(json, column) : json.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToArray<object?>();
        }

        if (value is not IReadOnlyList<object?> items)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' must be a list of tests");
        }

        return items.Select(item => ReadOne(item, column, language)).ToArray();
    }

    private static object? FromJson(string json, string column)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return RowJson.Read(document.RootElement);
        }
        catch (JsonException failure)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' is not JSON: {failure.Message}", failure);
        }
    }

    private static CodeTest ReadOne(object? item, string column, Language language)
    {
        if (item is string assertion && language is Python)
        {
            try
            {
                return PythonAssertion.Parse(assertion);
            }
            catch (ArgumentException failure)
            {
                throw new RowFailedException("bad_tests", $"column '{column}': {failure.Message}", failure);
            }
        }

        if (item is not IReadOnlyDictionary<string, object?> test || test.GetValueOrDefault("expected") is not object expected)
        {
            throw new RowFailedException("bad_tests", $"column '{column}': a test needs 'expected'");
        }

        if (test.GetValueOrDefault("call") is not (null or string) || test.GetValueOrDefault("stdin") is not (null or string))
        {
            throw new RowFailedException("bad_tests", $"column '{column}': 'call' and 'stdin' are texts");
        }

        string? call = test.GetValueOrDefault("call") as string;
        bool json = call is not null && expected is not string;
        return new CodeTest(call, test.GetValueOrDefault("stdin") as string, json ? RowJson.WriteValue(expected) : ArrowValues.Display(expected), json);
    }
}
