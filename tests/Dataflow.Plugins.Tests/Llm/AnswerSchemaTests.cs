using Dataflow.Abstractions;
using Dataflow.Plugins.Llm;

namespace Dataflow.Plugins.Tests.Llm;

public sealed class AnswerSchemaTests
{
    private static readonly Dictionary<string, object?> Score = new()
    {
        ["type"] = "object",
        ["required"] = new object?[] { "s" },
        ["properties"] = new Dictionary<string, object?>
        {
            ["s"] = new Dictionary<string, object?> { ["type"] = "integer", ["minimum"] = 1L },
            ["x"] = new Dictionary<string, object?> { ["type"] = "number" },
            ["why"] = new Dictionary<string, object?> { ["type"] = "string" },
        },
    };

    [Theory]
    [InlineData("""{"s": 99999999999999999999}""", "/s: 99999999999999999999 cannot be held by an integer of 64 bits")]
    [InlineData("""{"s": 9223372036854775808}""", "/s: 9223372036854775808 cannot be held by an integer of 64 bits")]
    [InlineData("""{"s": 1, "x": 9007199254740993}""", "/x: 9007199254740993 cannot be held by a 64-bit floating-point number without losing digits")]
    [InlineData("""{"s": 1, "x": 1e400}""", "/x: 1e400 cannot be held by")]
    [InlineData("""{"s": 1e400}""", "")]
    [InlineData("""{"s": 2, "why": "x", "s": 5}""", "it is not JSON: ")]
    [InlineData("""{"s": 2, "why": "\ud800"}""", "it is not JSON: ")]
    [InlineData("""{"s": 2, "other": "\udc00"}""", "it is not JSON: ")]
    [InlineData("""{"s": 2, "\udc00": 1}""", "it is not JSON: ")]
    public void What_no_column_can_hold_as_it_is_written_is_a_bad_answer(string answer, string expected)
    {
        AnswerSchema schema = AnswerSchema.Read(Score, path => path);
        Assert.Null(schema.Parse(answer, out string? problem));
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_a_column_holds_are_kept_to_the_last_digit()
    {
        AnswerSchema schema = AnswerSchema.Read(Score, path => path);
        var value = (IReadOnlyDictionary<string, object?>)schema.Parse("""{"s": 9223372036854775807, "x": 100000000000000000000}""", out string? problem)!;
        Assert.Equal((null, long.MaxValue, 1e20), (problem, (long)value["s"]!, (double)value["x"]!));
        Assert.Equal(200L, ((IReadOnlyDictionary<string, object?>)schema.Parse("""{"s": 2.0e2}""", out _)!)["s"]);
    }

    [Theory]
    [InlineData("""{"s": 99999999999999999999}""")]
    [InlineData("""{"s": 2, "why": "x", "s": 5}""")]
    [InlineData("""{"s": 2, "why": "\ud800"}""")]
    public async Task A_bad_answer_is_asked_again_and_in_the_end_fails_its_row_as_such(string answer)
    {
        int calls = 0;
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Interlocked.Increment(ref calls) is 2 ? """{"s": 3}""" : answer));
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("prompt", Columns.Text)), ["hi"], ["ho"]);
        var options = new GenerateOptions { Model = "m", Schema = Score, SchemaRetries = 2 };
        var results = await Stages.ProcessAsync(new Generate(options, await endpoint.OpenAsync()), rows);
        Assert.Equal(3L, ((IReadOnlyDictionary<string, object?>)Assert.Single(results[0].Rows).Values["parsed"]!)["s"]);
        Assert.Equal(("bad_schema", 5), (results[1].Failure?.Code, calls));
    }

    [Theory]
    [InlineData("""{"type": "objct"}""", "# has the unknown type \"objct\"")]
    [InlineData("""{"properties": {"a": {"type": ["string", "nil"]}}}""", "#/properties/a has the unknown type \"nil\"")]
    [InlineData("""{"$ref": "#/nope"}""", "# refers to '#/nope', which is not there")]
    [InlineData("""{"items": {"$ref": "other.json"}}""", "#/items refers to 'other.json', which is not there")]
    [InlineData("""{"$ref": "#"}""", "# refers to itself")]
    [InlineData("""{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}""", "#/$defs/a refers to itself")]
    [InlineData("""{"properties": {"a": 3}}""", "#/properties/a is no schema")]
    [InlineData("""{"pattern": "("}""", "")]
    public void A_schema_by_which_no_answer_can_be_judged_is_told_at_its_option(string schema, string expected)
    {
        using var folder = new TestFolder();
        string file = folder.Write("s.json", schema);
        string complaint = Assert.Single(Stages.Complaints<Generate, GenerateOptions>(new() { Model = "m", Schema = file }, ("in", Columns.Schema(("prompt", Columns.Text)))));
        Assert.StartsWith("schema: this is no JSON Schema: " + expected, complaint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_may_refer_to_itself_where_the_answer_is_a_smaller_one_each_time()
    {
        using var folder = new TestFolder();
        string file = folder.Write("s.json", """
            {"type": "object", "properties": {"type": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}, "other": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "integer"}}}
            """);
        AnswerSchema schema = AnswerSchema.Read(file, path => path);
        Assert.NotNull(schema.Parse("""{"type": "x", "children": [{"children": []}], "other": 1}""", out _));
        Assert.Null(schema.Parse("""{"children": [{"children": 1}]}""", out _));
    }
}
