using System.Text.Json.Nodes;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>
/// Tests as a model writes them, and as rows keep them. A model that is asked for JSON writes a text as a JSON string, where
/// rows have always had an expression of the language; so what it wrote is kept under names that say which it is.
/// </summary>
internal static class ModelTests
{
    /// <summary>What a model wrote, for a row: the 'expected' of a call is the JSON value itself.</summary>
    public static JsonArray ToRow(JsonArray written) => Each(written, test => Renamed(test, "expected", "expected_json"));

    /// <summary>What a row has, as the model is to write it.</summary>
    public static JsonArray ToModel(JsonArray kept) => Each(kept, test =>
        Renamed(Renamed(test, "expected", test["expected"] is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.String ? "expected_code" : "expected"), "expected_json", "expected"));

    private static JsonArray Each(JsonArray tests, Func<JsonObject, JsonObject> change) =>
        new([.. tests.Select(test => test is JsonObject { } record && record["call"] is not null ? change(record) : test?.DeepClone())]);

    private static JsonObject Renamed(JsonObject test, string from, string to) =>
        new(test.Select(pair => KeyValuePair.Create(pair.Key == from && !test.ContainsKey(to) ? to : pair.Key, pair.Value?.DeepClone())));
}
