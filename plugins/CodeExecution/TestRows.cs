using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Sandbox.Python;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Reads tests from a column: a list of structs, or JSON text of one.</summary>
internal static class TestRows
{
    public static IReadOnlyList<PythonTest> Read(object? value, string column)
    {
        if (value is string json)
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(json);
                value = RowJson.Read(document.RootElement);
            }
            catch (JsonException failure)
            {
                throw new RowFailedException("bad_tests", $"column '{column}' is not JSON: {failure.Message}", failure);
            }
        }

        if (value is not IReadOnlyList<object?> items)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' must be a list of tests");
        }

        return items.Select(item => ReadOne(item, column)).ToArray();
    }

    private static PythonTest ReadOne(object? item, string column)
    {
        if (item is not IReadOnlyDictionary<string, object?> test || test.GetValueOrDefault("expected") is not object expected)
        {
            throw new RowFailedException("bad_tests", $"column '{column}': a test needs 'expected'");
        }

        return new PythonTest(test.GetValueOrDefault("call") as string, test.GetValueOrDefault("stdin") as string, ArrowValues.Display(expected));
    }
}
