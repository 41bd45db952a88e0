using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>Reads tests from a column: a list of structs or of assertions, JSON text of one, or assertions in lines.</summary>
internal static class TestRows
{
    private static readonly string[] Keys = ["expected", "expected_json", "expected_code"];

    public static IReadOnlyList<CodeTest> Read(object? value, string column, Language language)
    {
        bool fromJson = value is string text && text.TrimStart().StartsWith('[');
        if (value is string json)
        {
            value = fromJson ? FromJson(json, column) : json.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToArray<object?>();
        }

        if (value is not IReadOnlyList<object?> items)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' must be a list of tests");
        }

        return items.Select(item => ReadOne(item, column, language, fromJson)).ToArray();
    }

    private static object?[] FromJson(string json, string column)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object ? TestFromJson(item) : RowJson.Read(item)).ToArray();
        }
        catch (JsonException failure)
        {
            throw new RowFailedException("bad_tests", $"column '{column}' is not JSON: {failure.Message}", failure);
        }
    }

    private static Dictionary<string, object?> TestFromJson(JsonElement test) => RowJson.Properties(test).ToDictionary(
        pair => pair.Key,
        pair => Keys.Contains(pair.Key) && pair.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.String) ? WrittenJson.Of(pair.Value) : RowJson.Read(pair.Value),
        StringComparer.Ordinal);

    private static CodeTest ReadOne(object? item, string column, Language language, bool fromJson)
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

        if (item is not IReadOnlyDictionary<string, object?> test)
        {
            throw new RowFailedException("bad_tests", $"column '{column}': a test needs 'expected'");
        }

        (string key, object? expected) = Expectation(test, column, fromJson);
        if (test.GetValueOrDefault("call") is not (null or string) || test.GetValueOrDefault("stdin") is not (null or string))
        {
            throw new RowFailedException("bad_tests", $"column '{column}': 'call' and 'stdin' are texts");
        }

        string? call = test.GetValueOrDefault("call") as string;
        if (call is null)
        {
            return key == "expected" && expected is not null ? new CodeTest(null, test.GetValueOrDefault("stdin") as string, expected is WrittenJson written ? written.Display : ArrowValues.Display(expected))
                : throw new RowFailedException("bad_tests", $"column '{column}': the output of a test without 'call' is its 'expected', as text");
        }

        // What a call reads is not part of a test, so an input beside it would be passed over unseen.
        if (!string.IsNullOrEmpty(test.GetValueOrDefault("stdin") as string))
        {
            throw new RowFailedException("bad_tests", $"column '{column}': a test has either 'call' or 'stdin', not both");
        }

        return key == "expected_code" || (key == "expected" && expected is string)
            ? new CodeTest(call, null, expected as string ?? throw new RowFailedException("bad_tests", $"column '{column}': 'expected_code' is an expression, as text"))
            : new CodeTest(call, null, expected is WrittenJson json ? json.Text : RowJson.WriteValue(expected), true);
    }

    // In JSON a key that is there with null means null; a struct has all its fields, so there null means that it was left out.
    private static (string Key, object? Value) Expectation(IReadOnlyDictionary<string, object?> test, string column, bool json)
    {
        string[] present = Keys.Where(test.ContainsKey).ToArray();
        string[] given = present.Where(key => test[key] is not null).ToArray();
        given = given.Length > 0 || !json ? given : present.Where(key => key != "expected_code").ToArray();
        return given switch
        {
            [string key] => (key, test[key]),
            [] => throw new RowFailedException("bad_tests", $"column '{column}': a test needs 'expected'"),
            _ => throw new RowFailedException("bad_tests", $"column '{column}': a test has one of {string.Join(" and ", given.Select(key => $"'{key}'"))}, not both"),
        };
    }
}
