using System.Text.Json.Nodes;
using CsCheck;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

public sealed class ToolCallTests
{
    private static readonly Gen<string> Texts = Gen.OneOf(Gen.String[0, 12], OneOf("it's", "say \"hi\"", "a\\b", "</function>", "}", "naïve 🎈", "line\nline\ttab", "[x]", "\u0001"))
        .Where(text => !text.Any(char.IsSurrogate) || text.Contains("🎈", StringComparison.Ordinal));

    private static readonly Gen<string> Names = OneOf("f", "get_weather", "brave_search", "Tool2");

    private static readonly Gen<JsonNode?> Values = Gen.Recursive<JsonNode?>((depth, self) => depth > 2
        ? Texts.Select(text => (JsonNode?)JsonValue.Create(text))
        : Gen.OneOf(
            Texts.Select(text => (JsonNode?)JsonValue.Create(text)),
            Gen.Long.Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Double[-1e6, 1e6].Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Bool.Select(flag => (JsonNode?)JsonValue.Create(flag)),
            Gen.Const((JsonNode?)null),
            self.Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())])),
            Gen.Select(Texts, self).Select((key, value) => (JsonNode?)new JsonObject { [key] = value?.DeepClone() })));

    private static readonly Gen<ToolCall> Calls = Gen.Select(Names, Gen.Select(OneOf("x", "query", "n_1"), Values).Array[0, 3])
        .Select((name, pairs) => new ToolCall(name, new JsonObject(pairs.DistinctBy(pair => pair.Item1).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2?.DeepClone())))));

    [Theory]
    [InlineData(ToolCallFormat.Json)]
    [InlineData(ToolCallFormat.Function)]
    [InlineData(ToolCallFormat.Pythonic)]
    public void Calls_survive_being_written_and_parsed(ToolCallFormat format) => Calls.Array[1, 3].Sample(
        calls =>
        {
            string text = ToolCallWriter.Write(calls, format);
            ParsedReply parsed = ToolCallParser.Parse(text);
            Assert.True(parsed.Format == format, $"{text}: {parsed.Error}");
            Assert.Equal(calls.Select(Show), parsed.Calls.Select(Show));
        },
        iter: 500);

    [Fact]
    public void A_query_survives_a_built_in_call() => Gen.Select(Names, Texts).Sample(
        (name, query) =>
        {
            ParsedReply parsed = ToolCallParser.Parse(ToolCallWriter.Write([new ToolCall(name, new JsonObject { ["query"] = query })], ToolCallFormat.BuiltIn), pythonTag: true);
            ToolCall call = Assert.Single(parsed.Calls);
            Assert.Equal((name, query), (call.Name, (string)call.Arguments["query"]!));
        },
        iter: 500);

    [Fact]
    public void Any_text_is_parsed_or_told_why_not() => Gen.OneOf(Gen.String, Gen.String[Gen.Char["{}[]()<>=/\"'\\,:;.abfunctio call123-+eE_\n "], 0, 40]).Sample(
        text =>
        {
            ToolCallParser.Parse(text);
            ToolCallParser.Parse("[" + text, pythonTag: true);
            ToolCallParser.Parse("<function=" + text);
            ToolCallParser.Parse("{\"name\": \"f\", " + text);
        },
        iter: 5000);

    [Theory]
    [InlineData("""brave_search.call(query="latest price of 1oz gold")""", ToolCallFormat.BuiltIn, """brave_search {"query":"latest price of 1oz gold"}""")]
    [InlineData("""[f(x=1), g(y=2)]""", ToolCallFormat.Pythonic, """f {"x":1}|g {"y":2}""")]
    [InlineData("""[get(city='São "P"', opts={'a': [1, 2.5, None], }, flag=True,)]""", ToolCallFormat.Pythonic, """get {"city":"São \u0022P\u0022","opts":{"a":[1,2.5,null]},"flag":true}""")]
    [InlineData("""{"type": "function", "name": "f", "parameters": {"q": "it's"}}""", ToolCallFormat.Json, """f {"q":"it's"}""")]
    [InlineData("""{"name": "f"}""", ToolCallFormat.Json, "f {}")]
    [InlineData("""{"name": "f", "parameters": {}}; {"name": "g", "arguments": {"a": {"b": 1}}}""", ToolCallFormat.Json, """f {}|g {"a":{"b":1}}""")]
    [InlineData("""[{"type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]""", ToolCallFormat.Json, """f {"a":1}""")]
    [InlineData("""<function=f>{"a": {"b": "}</function>"}}</function>""", ToolCallFormat.Function, """f {"a":{"b":"}\u003C/function\u003E"}}""")]
    public void Each_form_is_read(string text, ToolCallFormat format, string calls)
    {
        ParsedReply parsed = ToolCallParser.Parse(text);
        Assert.Equal((format, null), (parsed.Format, parsed.Error));
        Assert.Equal(calls, string.Join('|', parsed.Calls.Select(Show)).Replace("\\u0027", "'", StringComparison.Ordinal).Replace("\\u00E3", "ã", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("The answer is 7.")]
    [InlineData("{\"answer\": 7}")]
    [InlineData("[1, 2, 3]")]
    [InlineData("[see the note]")]
    [InlineData("")]
    public void Plain_text_is_no_call_and_no_error(string text)
    {
        ParsedReply parsed = ToolCallParser.Parse(text);
        Assert.Equal((0, null), (parsed.Calls.Count, parsed.Error));
    }

    [Theory]
    [InlineData("<function=f>{\"a\": 1")]
    [InlineData("<function=f>[1]</function>")]
    [InlineData("{\"name\": \"f\", \"parameters\": {")]
    public void A_call_that_is_broken_says_why(string text) => Assert.NotNull(ToolCallParser.Parse(text).Error);

    [Fact]
    public void Behind_the_python_tag_what_is_no_call_is_code()
    {
        ToolCall call = Assert.Single(ToolCallParser.Parse("print(1)\nprint(2)", pythonTag: true).Calls);
        Assert.Equal((ToolCall.Interpreter, "print(1)\nprint(2)"), (call.Name, (string)call.Arguments["code"]!));
    }

    [Fact]
    public void Deep_nesting_is_refused_and_not_followed() => Assert.Empty(ToolCallParser.Parse("[f(x=" + new string('[', 100_000) + ")]").Calls);

    [Fact]
    public void System_prompts_and_results_have_the_lines_of_the_reference()
    {
        var prompt = new SystemPrompt("Be brief.") { Interpreter = true, BuiltInTools = ["brave_search", "code_interpreter", "wolfram_alpha"], KnowledgeDate = "December 2023", Today = "21 September 2024" };
        Assert.Equal("Environment: ipython\nTools: brave_search, wolfram_alpha\nCutting Knowledge Date: December 2023\nToday Date: 21 September 2024\n\nBe brief.", prompt.ToString());
        Assert.Equal("Be brief.", new SystemPrompt("Be brief.").ToString());
        Assert.Equal("completed\n[stdout]7[/stdout]", new ToolResult(true, "7").ToString());
        Assert.Equal("failed\n[stderr]no[/stderr]", new ToolResult(false, Error: "no").ToString());
        Assert.Contains("""{"name": "f", "parameters": {}}""" + "\n", SystemPrompt.WithTools("Q", [JsonNode.Parse("""{"name":"f","parameters":{}}""")!]), StringComparison.Ordinal);
    }

    [Fact]
    public void Encoded_dialogs_are_decoded()
    {
        var template = new ChatTemplate(LlamaTokenizer.Tiny());
        DialogMessage[] dialog =
        [
            new("system", "Environment: ipython"), new("user", "\n\nwhat <|eot_id|>"),
            DialogMessage.Calling([new ToolCall("wolfram_alpha", new JsonObject { ["query"] = "pi" })], ToolCallFormat.BuiltIn, interpreter: true),
            new("ipython", new ToolResult(true, "3").ToString()), new("assistant", "3"),
        ];
        Assert.True(dialog[2].EndsMessage && dialog[2].PythonTag);
        int[] ids = template.Encode(dialog).Ids;
        Assert.Equal(dialog, template.Decode(ids));
        Assert.Equal(dialog[..4].Append(new DialogMessage("assistant", "")), template.Decode(template.EncodePrompt(dialog[..4])));
        Assert.Throws<FormatException>(() => template.Decode([65, 66]));
        Assert.Throws<FormatException>(() => template.Decode(ids[..2]));
        DialogMessage pythonic = DialogMessage.Calling([new ToolCall("f", [])], ToolCallFormat.Pythonic, interpreter: true);
        Assert.Equal((false, false, "[f()]"), (pythonic.EndsMessage, pythonic.PythonTag, pythonic.Content));
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.OneOf(texts.Select(text => Gen.Const(text)).ToArray());

    private static string Show(ToolCall call) => $"{call.Name} {call.Arguments.ToJsonString()}";
}
