namespace Dataflow.Engine.Tests.Definition;

/// <summary>One mistake hides no other that does not follow from it, and brings none up that does.</summary>
public sealed class ManyMistakesTests
{
    public static TheoryData<string, string[]> Files => new()
    {
        // An option out of range, beside an unknown model and an unknown port.
        {
            """
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              g: { uses: llm.generate, from: a.oot, with: { model: m, prompt: "{{ text", samples: 0 } }
              w: { uses: text.length, from: g.outt, with: { column: text, min: 1 } }
            """,
            ["3:34 DF0014", "3:56 DF0015", "3:67 DF0022", "3:87 DF0008", "4:33 DF0014"]
        },
        // A source without columns, before readers with mistakes in options alone.
        {
            """
              a: { uses: io.jsonl, with: { path: n.jsonl, columns: { text: txt } } }
              r: { uses: text.regex, from: a, with: { pattern: "(" } }
              l: { uses: text.length, from: a, with: { column: nobody_knows, min: 5, max: 2 } }
              s: { uses: data.select, from: a, with: { columns: [text], drop: [id] } }
              t: { uses: llm.generate, from: r.kept, with: { model: m, prompt: "{{ text" } }
            """,
            ["2:64 DF0022", "3:52 DF0022", "4:71 DF0022", "5:67 DF0022", "6:57 DF0015", "6:68 DF0022"]
        },
        // Values that cannot be read say nothing of the others, and the others nothing of them.
        {
            """
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              l: { uses: text.length, from: a, with: { column: txt, min: 5, max: lots } }
              e: { uses: code.execute, from: a, with: { expression: "{{ text }}", expected: [a], timeout: 3 parsecs } }
              w: { uses: data.where, from: a, with: { column: id, min: lots } }
              v: { uses: data.where, from: a, with: { column: id, mim: 1 } }
            """,
            ["3:52 DF0020", "3:70 DF0006", "4:81 DF0006", "4:95 DF0006", "5:60 DF0006", "6:55 DF0005"]
        },
        {
            """
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              t: { uses: train.lm, from: a, with: { text: text, shape: { hidden_size: 97, heads: 4, wings: 2 } } }
              k: { uses: eval.pass_rate, from: a, with: { k: [0, -1, x] } }
            """,
            ["3:60 DF0022", "3:89 DF0005", "4:51 DF0022", "4:54 DF0022", "4:58 DF0006"]
        },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Each_is_told_in_one_go(string stages, string[] expected)
    {
        using Compiled compiled = Compiled.From("stages:\n" + stages);
        Assert.True(
            expected.SequenceEqual(compiled.Errors.Select(error => $"{error.Span!.Value.Line}:{error.Span.Value.Column} {error.Code}")),
            string.Join("\n", compiled.Lines));
    }

    [Fact]
    public void Wrong_values_of_run_are_told_together_at_their_lines_and_once()
    {
        using Compiled compiled = Compiled.From("""
            run: { seed: abc, max_errors: 150% }
            stages:
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              b: { uses: io.jsonl_sink, from: a, with: { path: o.jsonl } }
            """);
        Assert.Equal(["1:14 DF0006", "1:31 DF0006"], compiled.Errors.Select(error => $"{error.Span!.Value.Line}:{error.Span.Value.Column} {error.Code}"));
    }

    [Fact]
    public void Every_broken_reference_of_a_value_is_told()
    {
        using Compiled compiled = Compiled.From("""
            stages:
              a: { uses: io.jsonl, with: { path: "${vr:a}/${var:}/$${literal}/${unclosed" } }
              b: { uses: io.jsonl_sink, from: a, with: { path: o.jsonl } }
            """);
        Assert.Equal(
            ["unknown reference kind 'vr'", "'${var:}' is no reference", "'${unclosed' has no closing '}'"],
            compiled.Errors.Select(error => error.Message));
    }
}
