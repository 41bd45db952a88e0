namespace Dataflow.Engine.Tests.Definition;

/// <summary>Column types are followed through templates, joins and unions; what may be right is not complained about.</summary>
public sealed class ColumnTypeTests
{
    private const string Rows = """{"text": "a", "id": 1, "ok": true, "tags": ["x"], "meta": {"lang": "en", "n": 2}, "messages": [{"role": "user", "content": "q"}]}""" + "\n";

    private static string[] Errors(string template)
    {
        using Compiled compiled = Compiled.From(
            $$$"""
            models: { m: { uses: openai, with: { model: x } } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, with: { model: m, prompt: '{{{template.Replace("'", "''", StringComparison.Ordinal)}}}' } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: o.jsonl } }
            """,
            null, ("rows.jsonl", Rows));
        return compiled.Errors.Select(error => error.Message).ToArray();
    }

    [Theory]
    [InlineData("{{ messages }}", "template: 'messages' is list<{role: text, content: text}>, which has no text form; print a field of it, or its items in a loop")]
    [InlineData("{{ meta }}", "template: 'meta' is {lang: text, n: integer}, which has no text form; print a field of it, or its items in a loop")]
    [InlineData("{{ meta.long }}", "template: 'meta' has no field 'long'; it has lang, n")]
    [InlineData("{{ ok | plus: 1 }}", "template: filter 'plus' needs a number, but 'ok' is boolean")]
    [InlineData("{{ tags | times: 2 }}", "template: filter 'times' needs a number, but 'tags' is list<text>")]
    [InlineData("{{ text | plus: 1 }}", "template: filter 'plus' needs a number, but 'text' is text; if it holds digits, say so by 'strip' before it")]
    [InlineData("{{ text.z }}", "template: 'text' is text, which has no field 'z'")]
    [InlineData("{{ id.z }}", "template: 'id' is integer, which has no field 'z'")]
    [InlineData("{{ meta.lang.z }}", "template: 'meta.lang' is text, which has no field 'z'")]
    [InlineData("{{ messages.content }}", "template: 'messages' is list<{role: text, content: text}>, which has no field 'content'; take an item of it, such as 'messages.first'")]
    [InlineData("{{ messages.first.z }}", "template: 'messages.first' has no field 'z'; it has role, content")]
    [InlineData("{% if messages == 'x' %}y{% endif %}", "template: 'messages' is list<{role: text, content: text}>, so it never equals 'x'")]
    [InlineData("{% if 3 != meta %}y{% endif %}", "template: 'meta' is {lang: text, n: integer}, so it never equals '3'")]
    public void A_template_that_can_mean_nothing_is_a_mistake(string template, string expected) => Assert.Equal([expected], Errors(template));

    [Theory]
    [InlineData("{{ text | strip | plus: 1 }} {{ text.size | plus: 1 }}")]
    [InlineData("{{ tags }} {{ tags | join: ', ' }} {{ tags.size }} {{ tags.first }}")]
    [InlineData("{{ meta.lang }} {{ meta.n | plus: 1 }} {{ id | times: 2 }}")]
    [InlineData("{% for message in messages %}{{ message.content }}{% endfor %}{{ messages.size }} {{ messages[0].content }} {{ messages.first.role }}")]
    [InlineData("{% if meta == nil or messages == empty %}y{% endif %}{% if messages %}z{% endif %}")]
    [InlineData("{% assign meta = text %}{{ meta }}")]
    public void A_template_that_may_be_right_is_left_alone(string template) => Assert.Empty(Errors(template));

    [Theory]
    [InlineData("column: ok, in: [yes]", "'yes' is not boolean, as column 'ok' is")]
    [InlineData("column: id, in: [1, one]", "'one' is not integer, as column 'id' is")]
    [InlineData("column: meta, in: [en]", "'en' is not {lang: text, n: integer}, as column 'meta' is")]
    [InlineData("column: ok, in: [true]", "")]
    public void A_value_that_a_column_cannot_hold_is_a_mistake(string options, string expected)
    {
        using Compiled compiled = Compiled.From(
            $"stages:\n  rows: {{ uses: io.jsonl, with: {{ path: rows.jsonl }} }}\n  w: {{ uses: data.where, from: rows, with: {{ {options} }} }}\n  keep: {{ uses: io.jsonl_sink, from: w.kept, with: {{ path: o.jsonl }} }}\n",
            null, ("rows.jsonl", Rows));
        Assert.Equal(expected.Length == 0 ? [] : [expected], compiled.Errors.Select(error => error.Message));
    }

    [Fact]
    public void Keys_and_unions_of_different_types_are_mistakes_at_the_place_that_brings_them_together()
    {
        using Compiled compiled = Compiled.From(
            """
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              b: { uses: io.jsonl, with: { path: other.jsonl } }
              j: { uses: data.join, from: { left: a, right: b }, with: { "on": [text, id] } }
              u: { uses: io.jsonl_sink, from: [a, b], with: { path: o.jsonl } }
              k: { uses: io.jsonl_sink, from: j, with: { path: k.jsonl } }
            """,
            null, ("rows.jsonl", Rows), ("other.jsonl", """{"text": "a", "id": "1", "meta": {"lang": 3}}""" + "\n"));
        Assert.Equal(
            [
                "p.yaml:4:75: error DF0022: column 'id' is integer on the left but text on the right",
                "p.yaml:5:39: error DF0021: column 'id' is text from 'b' but integer from 'a'",
                "p.yaml:5:39: error DF0021: column 'meta' is {lang: integer} from 'b' but {lang: text, n: integer} from 'a'",
            ],
            compiled.Lines);
    }
}
