using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Sandbox.Python;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Reads tests from a column: a list of structs or of assertions, JSON text of one, or assertions in lines.</summary>
internal static class TestRows
{
    public static IReadOnlyList<PythonTest> Read(object? value, string column)
    {
        if (value is string json)
        {
            value = json.TrimStart().StartsWith('[') ? FromJson(json, column) : json.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToArray<object?>();
        }

        if (value is not IReadOnlyList<object?> items)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' must be a list of tests");
        }

        return items.Select(item => ReadOne(item, column)).ToArray();
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

    private static PythonTest ReadOne(object? item, string column)
    {
        if (item is string assertion)
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
        return new PythonTest(call, test.GetValueOrDefault("stdin") as string, call is null || expected is string ? ArrowValues.Display(expected) : Literal(expected));
    }

    // A JSON value as Python writes it.
    private static string Literal(object? value) => value switch
    {
        null => "None",
        bool flag => flag ? "True" : "False",
        string text => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal) + "\"",
        IReadOnlyDictionary<string, object?> record => "{" + string.Join(", ", record.Select(pair => Literal(pair.Key) + ": " + Literal(pair.Value))) + "}",
        IReadOnlyList<object?> items => "[" + string.Join(", ", items.Select(Literal)) + "]",
        _ => ArrowValues.Display(value),
    };
}
