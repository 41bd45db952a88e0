using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;

namespace Dataflow.Cli.Testing;

/// <summary>Compares the rows that came with those that were expected.</summary>
internal static class Expectations
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is wrong, each with the option path (under the expectation) that it is about.</summary>
    public static IReadOnlyList<(string Option, string Message)> Check(Expectation expected, IReadOnlyList<JsonObject> actual)
    {
        var wrong = new List<(string, string)>();
        if (expected.Count is long count && count != actual.Count)
        {
            wrong.Add(("count", $"{actual.Count} rows, but {count} were expected"));
        }

        if (expected.Rows is not null)
        {
            Compare(expected, expected.Rows.Select(row => (JsonObject)JsonNode.Parse(RowJson.WriteValue(row))!).ToArray(), actual, wrong);
        }

        foreach ((string column, ColumnCondition condition) in expected.Each)
        {
            for (int i = 0; i < actual.Count; i++)
            {
                if (Problem(condition, actual[i], column) is string problem)
                {
                    wrong.Add(($"each.{column}", $"row {i + 1}: {column} {problem}: {Show(actual[i])}"));
                }
            }
        }

        return wrong;
    }

    private static void Compare(Expectation how, JsonObject[] expected, IReadOnlyList<JsonObject> actual, List<(string, string)> wrong)
    {
        List<JsonObject> left = [.. actual];
        for (int i = 0; i < expected.Length; i++)
        {
            int match = how.AnyOrder ? left.FindIndex(row => Fits(expected[i], row, how.Exact)) : i < actual.Count && Fits(expected[i], actual[i], how.Exact) ? left.IndexOf(actual[i]) : -1;
            if (match >= 0)
            {
                left.RemoveAt(match);
                continue;
            }

            JsonObject? beside = how.AnyOrder || i >= actual.Count ? null : actual[i];
            if (beside is not null)
            {
                left.Remove(beside);
            }

            wrong.Add(($"rows[{i}]", $"row {i + 1} differs\n{Difference(expected[i], beside, how.Exact)}"));
        }

        foreach (JsonObject extra in left)
        {
            wrong.Add(("rows", $"a row that was not expected\n  + {Show(extra)}"));
        }
    }

    private static bool Fits(JsonObject expected, JsonObject actual, bool exact) =>
        expected.All(column => actual.ContainsKey(column.Key) && Same(column.Value, actual[column.Key])) && (!exact || actual.All(column => expected.ContainsKey(column.Key)));

    private static string Difference(JsonObject expected, JsonObject? actual, bool exact)
    {
        if (actual is null)
        {
            return $"  - {Show(expected)}";
        }

        IEnumerable<string> columns = exact ? expected.Select(column => column.Key).Union(actual.Select(column => column.Key)) : expected.Select(column => column.Key);
        return string.Join('\n', columns.Where(column => !(expected.ContainsKey(column) && actual.ContainsKey(column) && Same(expected[column], actual[column])))
            .Select(column => (expected.ContainsKey(column) ? $"  - {column}: {Show(expected[column])}\n" : "") + (actual.ContainsKey(column) ? $"  + {column}: {Show(actual[column])}" : $"  + no column '{column}'")));
    }

    // 1 and 1.0 are one number; everything else is as JSON has it.
    private static bool Same(JsonNode? left, JsonNode? right)
    {
        switch (left, right)
        {
            case (JsonValue a, JsonValue b) when a.GetValueKind() == JsonValueKind.Number && b.GetValueKind() == JsonValueKind.Number:
                return Number(a) == Number(b);
            case (JsonArray a, JsonArray b):
                return a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second));
            case (JsonObject a, JsonObject b):
                return a.Count == b.Count && a.All(field => b.ContainsKey(field.Key) && Same(field.Value, b[field.Key]));
            default:
                return JsonNode.DeepEquals(left, right);
        }
    }

    private static string? Problem(ColumnCondition condition, JsonObject row, string column)
    {
        if (!row.ContainsKey(column))
        {
            return "is missing";
        }

        JsonNode? value = row[column];
        string text = value is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String ? scalar.GetValue<string>() : Show(value);
        double? number = value is JsonValue plain && plain.GetValueKind() == JsonValueKind.Number ? Number(plain) : null;
        long? length = value is JsonArray list ? list.Count : value is JsonValue && number is null ? text.Length : null;
        return condition switch
        {
            { Null: true } when value is not null => "is not null",
            { Null: false } when value is null => "is null",
            { Is: object wanted } when !Same(Json(wanted), value) => $"is not {Show(Json(wanted))}",
            { In: { } all } when !all.Any(one => Same(Json(one), value)) => "is none of the values",
            { Contains: string part } when !text.Contains(part, StringComparison.Ordinal) => $"does not contain '{part}'",
            { Matches: string pattern } when !Regex.IsMatch(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(5)) => $"does not match '{pattern}'",
            { Min: double least } when !(number >= least) => string.Create(CultureInfo.InvariantCulture, $"is below {least}"),
            { Max: double most } when !(number <= most) => string.Create(CultureInfo.InvariantCulture, $"is above {most}"),
            { MinLength: long shortest } when !(length >= shortest) => $"is shorter than {shortest}",
            { MaxLength: long longest } when !(length <= longest) => $"is longer than {longest}",
            _ => null,
        };
    }

    private static JsonNode? Json(object value) => JsonNode.Parse(RowJson.WriteValue(value));

    private static double Number(JsonValue value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static string Show(JsonNode? node) => node?.ToJsonString(Relaxed) ?? "null";
}
