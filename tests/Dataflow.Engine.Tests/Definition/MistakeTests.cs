namespace Dataflow.Engine.Tests.Definition;

/// <summary>Every mistake is reported at its place, with its code and a way to mend it.</summary>
public sealed class MistakeTests
{
    private const string Good = """
        name: "p${var:n}"
        vars: { n: 3 }
        models:
          m: { uses: openai, with: { model: x } }
        stages:
          a: { uses: io.jsonl, with: { path: n.jsonl } }
          b: { uses: text.length, from: a, with: { column: text, min: 1 } }
          c: { uses: llm.generate, from: b, with: { model: m, prompt: "{{ text }}" } }
          d: { uses: io.jsonl_sink, from: c, with: { path: out.jsonl } }

        """;

    [Fact]
    public void A_pipeline_without_mistakes_compiles_without_a_word()
    {
        using Compiled compiled = Compiled.From(Good);
        Assert.Empty(compiled.Lines);
        Assert.NotNull(compiled.Graph);
    }

    // What is replaced in the good pipeline, by what, and the one line that must come of it.
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "text.length", "text.lenght", "p.yaml:7:14: error DF0012: unknown stage 'text.lenght' (did you mean 'text.length'?)" },
        { "min: 1", "mim: 1", "p.yaml:7:58: error DF0005: unknown option 'mim' (did you mean 'min'?)" },
        { "from: b,", "from: b.keep,", "p.yaml:8:34: error DF0014: stage 'b' has no port 'keep' (known: errors, kept, rejected)" },
        { "from: b,", "from: bb,", "p.yaml:8:34: error DF0013: unknown stage 'bb' (did you mean 'b'?)" },
        { "column: text", "column: txt", "p.yaml:7:52: error DF0020: the input has no column 'txt' (did you mean 'text'?)" },
        { "model: m,", "model: mm,", "p.yaml:8:52: error DF0015: unknown model 'mm' (did you mean 'm'?)" },
        { "min: 1", "min: \"${var:m}\"", "p.yaml:7:63: error DF0010: unknown variable 'm' (did you mean 'n'?)" },
        { "min: 1", "min: \"${vra:n}\"", "p.yaml:7:63: error DF0010: unknown reference kind 'vra' (known: var, env, file, run)" },
        { "min: 1", "min: \"${env:NOT_SET}\"", "p.yaml:7:63: error DF0010: environment variable NOT_SET is not set (set it, or give a default: ${env:NOT_SET:-value})" },
        { "model: x", "model: x, api_key: \"${file:none.txt}\"", "p.yaml:4:49: error DF0010: file 'none.txt' cannot be read (paths are relative to the pipeline file)" },
        { "with: { path: out.jsonl }", "with: { }", "p.yaml:9:3: error DF0007: option 'path' is required" },
        { "d: { uses: io.jsonl_sink, from: c", "d: { from: c", "p.yaml:9:3: error DF0007: 'd' has no 'uses'" },
        { ", from: a", "", "p.yaml:7:3: error DF0007: stage 'b' needs 'from'" },
        { "min: 1", "min: 1, min: 2", "p.yaml:7:66: error DF0002: 'min' is given twice (first at line 7)" },
        { "  d: {", "  c: {", "p.yaml:9:3: error DF0002: 'c' is given twice (first at line 8)" },
        { "min: 1", "min: lots", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is text 'lots'" },
        { "min: 1", "min: '1'", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is text '1' (take the quotes away)" },
        { "min: 1", "min: 1.5", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is the number 1.5" },
        { "min: 1", "min: [1]", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is a list" },
        { "min: 1", "min:", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is nothing" },
        { "column: text", "column: { a: b }", "p.yaml:7:52: error DF0006: 'column' must be text, but is a mapping" },
        { "min: 1", "min: -1", "p.yaml:7:63: error DF0008: 'min' is -1; it must lie between 0 and 2147483647" },
        { "path: out.jsonl", "path: ''", "p.yaml:9:52: error DF0008: 'path' is empty; it must hold a character at least" },
        { "min: 1", "min: 5, max: 2", "p.yaml:7:63: error DF0022: min 5 is larger than max 2" },
        { "min: 1", "min: 1, unit: wrods", "p.yaml:7:72: error DF0006: 'unit' must be one of characters, words, lines, bytes, but is text 'wrods'" },
        { "from: a,", "from: [a, c],", "p.yaml:7:3: error DF0019: stages feed each other in a circle: b -> c -> b" },
        { "from: a,", "from: [a, b],", "p.yaml:7:3: error DF0019: stages feed each other in a circle: b -> b" },
        { "{{ text }}", "{{ txt }}", "p.yaml:8:63: error DF0020: the input has no column 'txt' (did you mean 'text'?)" },
        { "{{ text }}", "{{ text | nofilter }}", "p.yaml:8:63: error DF0022: template: there is no filter 'nofilter'" },
        { "{ model: x }", "{ model: x, endpoint: \"not a url\" }", "p.yaml:4:50: error DF0022: 'not a url' is not an http or https address" },
        { "  m: {", "  l: { uses: llama }\n  m: {", "p.yaml:4:3: error DF0022: give either 'with: { checkpoint: FOLDER }' or 'from: TRAINER_STAGE'" },
        { "  d: {", "  e: { uses: data.where, from: c, with: { column: sample, min: 5, max: 2 } }\n  d: {", "p.yaml:9:64: error DF0022: min 5 is larger than max 2" },
        { "  a: {", "  e: { uses: io.csv, with: { path: n.jsonl, delimiter: ab } }\n  a: {", "p.yaml:6:56: error DF0022: one character separates fields, not 'ab'" },
        { "  a: {", "  e: { uses: io.csv, with: { path: n.jsonl, columns: { nocol: text } } }\n  a: {", "p.yaml:6:63: error DF0022: 'n.jsonl' has no column 'nocol'" },
        { "  d: {", "  e: { uses: code.execute, from: c, with: { program: \"{{ text }}\", expression: \"1\", expected: \"1\" } }\n  d: {", "p.yaml:9:80: error DF0022: give either a 'program' with its tests or an 'expression'" },
        { "min: 1", "min: 99999999999999999999", "p.yaml:7:63: error DF0006: 'min' must be a number without fraction, but is the number 99999999999999999999 (it is too large or too small)" },
        { "from: a,", "from: { left: a, right: a },", "p.yaml:7:35: error DF0018: 'text.length' has one input and no name for it (give 'from' a stage, or a list of them)" },
        { "  d: {", "  j: { uses: data.join, from: c, with: { \"on\": [text] } }\n  d: {", "p.yaml:9:31: error DF0018: 'data.join' has several inputs, so 'from' must name them (from: { left: …, right: … })" },
        { "min: 1 } }", "min: 1 }", "p.yaml:7:65: error DF0001: this is not YAML: a key stands where there can be none (is a bracket, brace or quote before it not closed?)" },
        { "vars: { n: 3 }", "vars: { k: \"${var:n}\", n: 3 }", "p.yaml:2:12: error DF0010: the variable 'n' is given further down (a variable may use those above it)" },
        { "{{ text }}", "{{ text", "p.yaml:8:63: error DF0022: template: End of tag '}}' was expected at (1:8)" },
        { "vars:", "stage: {}\nvars:", "p.yaml:2:1: error DF0005: unknown key 'stage' (did you mean 'stages'?)" },
        { "from: a,", "form: a, from: a,", "p.yaml:7:27: error DF0005: unknown key 'form' (did you mean 'from'?)" },
        { "uses: openai", "uses: open_ai", "p.yaml:4:14: error DF0016: unknown model provider 'open_ai' (did you mean 'openai'?)" },
        { "model: x", "model: x, endpont: y", "p.yaml:4:40: error DF0005: unknown option 'endpont' (did you mean 'endpoint'?)" },
        { "  d: {", "  d-1: {", "p.yaml:9:3: error DF0009: 'd-1' cannot be a name (letters, digits and underscores, beginning with a letter)" },
        { "from: b,", "from: b, concurrency: 0,", "p.yaml:8:50: error DF0008: 'concurrency' is 0; it must lie between 1 and 100000" },
        { "from: b,", "from: b, max_errors: lots,", "p.yaml:8:49: error DF0006: max_errors must be a number of rows or a share such as 5%, but is 'lots'" },
        { "vars:", "run: { sede: 1 }\nvars:", "p.yaml:2:8: error DF0005: unknown option 'sede' (did you mean 'seed'?)" },
        { "vars:", "run: { seed: x }\nvars:", "p.yaml:2:14: error DF0006: 'seed' must be a number without fraction, but is text 'x'" },
        { "  b: {", "\tb: {", "p.yaml:7:1: error DF0001: a tab indents this line (YAML is indented by spaces only)" },
        { "n.jsonl", "none.jsonl", "p.yaml:6:38: error DF0022: there is no file 'none.jsonl'" },
        { "path: n.jsonl }", "path: n.jsonl }, from: q", "p.yaml:6:55: error DF0018: 'io.jsonl' is a source and takes no 'from'" },
        { "  d: {", "  e: { uses: io.jsonl_sink, from: c, with: { path: ./out.jsonl } }\n  d: {", "p.yaml:10:52: error DF0022: stage 'e' writes to 'out.jsonl' too (give each sink a file of its own, or one sink several inputs)" },
        { "out.jsonl", "./x/../n.jsonl", "p.yaml:9:52: error DF0022: stage 'a' reads 'n.jsonl', and this would write to 'n.jsonl' (write to another place, such as one under ${run:folder})" },
        { "path: n.jsonl", "path: \"*.jsonl\"", "p.yaml:9:52: error DF0022: stage 'a' reads '*.jsonl', and this would write to 'out.jsonl' (write to another place, such as one under ${run:folder})" },
        { "  d: {", "  e: { uses: io.jsonl_sink, from: d, with: { path: o.jsonl } }\n  d: {", "p.yaml:9:35: error DF0014: 'd' (io.jsonl_sink) is a sink and has no rows to give" },
        { "  d: {", "  e: { uses: train.lm, from: c, with: { init: m, text: text } }\n  d: {", "p.yaml:9:47: error DF0017: model 'm' (openai) offers chat, but a checkpoint is needed" },
        { "  d: {", "  j: { uses: data.join, from: { left: c, rihgt: a, right: a }, with: { \"on\": [text] } }\n  d: {", "p.yaml:9:42: error DF0018: 'data.join' has no input 'rihgt' (inputs: left, right)" },
        { "  d: {", "  j: { uses: data.join, from: { left: c }, with: { \"on\": [text] } }\n  d: {", "p.yaml:9:3: error DF0007: stage 'j' needs input 'right'" },
        { "b: { uses: text.length, from: a, with: { column: text, min: 1 } }", "b: { uses: text.regex, from: a, with: { pattern: \"(\" } }", "p.yaml:7:52: error DF0022: Invalid pattern '(' at offset 1. Not enough )'s." },
        { "model: m, prompt", "model: m, temperature: 1e999, prompt", "p.yaml:8:68: error DF0006: 'temperature' must be a number, but is the number 1e999" },
        { "model: x } }", "model: x }, limits: { timeout: 5 parsecs } }", "p.yaml:4:61: error DF0006: 'timeout' must be a duration such as 10s, but is text '5 parsecs'" },
        { "model: x } }", "model: x }, limits: { timeout: 1ms } }", "p.yaml:4:61: error DF0008: 'timeout' is 1ms; it must be 100ms or more" },
        { "model: x } }", "model: x }, limits: { timeout: 0s } }", "p.yaml:4:61: error DF0008: 'timeout' is 0s; it must be 100ms or more" },
        { "model: x } }", "model: x }, limits: { give_up_after: 0s } }", "p.yaml:4:67: error DF0008: 'give_up_after' is 0s; it must be 1s or more" },
        { "stages:", "run: { stall_after: 0s }\nstages:", "p.yaml:5:21: error DF0008: 'stall_after' is 0s; it must be 100ms or more" },
        { "model: m, prompt", "model: m, schema: { type: objct }, prompt", "p.yaml:8:63: error DF0022: this is no JSON Schema: # has the unknown type \"objct\"; known are array, boolean, integer, null, number, object, string" },
        { "model: m, prompt", "model: m, schema: { $ref: '#' }, prompt", "p.yaml:8:63: error DF0022: this is no JSON Schema: # refers to itself, so no answer can be judged by it" },
        { "model: x } }", "model: x }, from: c }", "p.yaml:4:48: error DF0017: 'openai' does not read checkpoints, so it cannot come from a stage" },
        { "stages:", "include: [ { path: none.yaml } ]\nstages:", "p.yaml:5:20: error DF0004: there is no file 'none.yaml' (paths are relative to the file that includes)" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_reported_at_its_place(string from, string to, string expected)
    {
        Assert.Contains(from, Good, StringComparison.Ordinal);
        using Compiled compiled = Compiled.From(Good.Replace(from, to, StringComparison.Ordinal));
        Assert.Equal([expected], compiled.Lines.Select(line => line.Replace(compiled.Folder + "/", "", StringComparison.Ordinal)));
        Assert.Null(compiled.Graph);
    }

    [Theory]
    [InlineData("", "p.yaml:1:1: error DF0001: the file is empty")]
    [InlineData("# only a comment\n", "p.yaml:1:1: error DF0001: the file is empty")]
    [InlineData("- a\n- b\n", "p.yaml:1:1: error DF0006: a pipeline file is a mapping with 'stages', but this is a list")]
    [InlineData("name: p\n", "p.yaml:1:1: error DF0007: the pipeline has no stages")]
    [InlineData("name: p\nstages: [a, b]\n", "p.yaml:2:9: error DF0006: 'stages' must be a mapping, but is a list")]
    [InlineData("name: p\nstages: &x [*x]\n", "p.yaml:2:13: error DF0001: alias '*x' has no anchor before it (an anchor cannot hold itself)")]
    public void A_file_that_is_no_pipeline_is_reported(string yaml, string expected)
    {
        using Compiled compiled = Compiled.From(yaml);
        Assert.Equal([expected], compiled.Lines);
    }

    [Fact]
    public void Ten_mistakes_in_one_file_are_all_reported_in_one_go_in_order()
    {
        using Compiled compiled = Compiled.From("""
            name: p
            run: { sede: 1 }
            vars: { n: 3 }
            models:
              m: { uses: openai, with: { modle: x, model: y } }
            stages:
              a: { uses: io.jsonl, with: { path: n.jsonl } }
              b: { uses: text.length, from: a, with: { column: txt, min: 1 } }
              c: { uses: text.length, from: a, with: { column: text, min: lots, max: "${var:m}" } }
              d: { uses: text.lenght, from: a }
              e: { uses: data.split, from: a, with: { test: 1.5 } }
              f: { uses: io.jsonl_sink, from: a.putt, with: { path: o.jsonl } }
              g: { uses: io.jsonl_sink, from: aa, with: { path: p.jsonl } }
              h: { uses: io.jsonl_sink, from: a, with: { } }
            """);
        Assert.Equal(
            ["2:8 DF0005", "5:30 DF0005", "8:52 DF0020", "9:63 DF0006", "9:74 DF0010", "10:14 DF0012", "11:49 DF0008", "12:35 DF0014", "13:35 DF0013", "14:3 DF0007"],
            compiled.Errors.Select(error => $"{error.Span!.Value.Line}:{error.Span.Value.Column} {error.Code}"));
    }

    [Fact]
    public void A_model_and_a_variable_that_nobody_uses_are_warnings()
    {
        using Compiled compiled = Compiled.From(Good.Replace("min: 1", "min: 2", StringComparison.Ordinal).Replace("  m: {", "  spare: { uses: openai, with: { model: y } }\n  m: {", StringComparison.Ordinal).Replace("n: 3", "n: 3, k: 4", StringComparison.Ordinal));
        Assert.Equal(["p.yaml:2:15: warning DF0025: nothing uses the variable 'k'", "p.yaml:4:3: warning DF0025: no stage uses the model 'spare'"], compiled.Lines);
    }

    [Fact]
    public void A_port_that_nobody_reads_is_a_warning_and_stops_nothing()
    {
        using Compiled compiled = Compiled.From(Good[..Good.IndexOf("  d:", StringComparison.Ordinal)]);
        Assert.Equal(["p.yaml:8:3: warning DF0023: nothing reads 'c.out', so its rows go nowhere"], compiled.Lines);
        Assert.NotNull(compiled.Graph);
    }
}
