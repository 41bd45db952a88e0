using System.Xml.Linq;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary><c>dataflow test</c>: what passes, what fails and how it is told, and that a cassette replays.</summary>
public sealed class PipelineTestTests : IDisposable
{
    private const string Pipeline = """
        name: p
        vars: { min: 2, endpoint: "http://127.0.0.1:9" }
        models: { m: { uses: openai, with: { endpoint: "${var:endpoint}", model: x, api_key: "${env:TEST_KEY}" }, limits: { retries: 0 } } }
        stages:
          numbers: { uses: io.jsonl, with: { path: absent.jsonl, columns: { value: integer, note: text } } }
          large:   { uses: data.where, from: numbers, with: { column: value, min: "${var:min}" } }
          ask:     { uses: llm.generate, from: large.kept, with: { model: m, prompt: "{{ value }}?" } }
          keep:    { uses: io.jsonl_sink, from: ask, with: { path: out.jsonl, columns: [value, response] } }
        """;

    private readonly DataflowCommand command = new();

    public PipelineTestTests() => command.Write("p.yaml", Pipeline);

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task Cases_pass_without_the_pipelines_files_keys_or_endpoints_and_leave_nothing_behind()
    {
        command.Write("more.jsonl", "{\"value\": 8}\n{\"value\": 9}\n");
        command.Write("p.test.yaml", """
            cases:
              inline:
                sources: { numbers: { rows: [ { value: 1 }, { value: 2, note: n }, { value: 3 } ] } }
                models:
                  m:
                    replies:
                      - { is: "2?", reply: two }
                      - { matches: "^[0-9]+\\?$", reply: [many, more] }
                expect:
                  large.rejected: { rows: [ { value: 1, note: null, reason: "value is 1" } ], exact: true }
                  ask: { count: 2, any_order: true, rows: [ { response: many }, { response: two, value: 2.0 } ] }
                  keep: { each: { value: { min: 2, in: [2, 3] }, response: { matches: "^[a-z]+$", min_length: 3, max_length: 4, null: false } } }
              from_a_file:
                set: { min: 9 }
                sources: { numbers: { file: more.jsonl } }
                models: { m: { replies: [ { contains: "9", reply: nine } ] } }
                expect: { keep: { rows: [ { value: 9, response: nine } ] } }
              failing:
                sources: { numbers: { rows: [ { value: 5 }, { value: 6 } ] } }
                set: { min: 1 }
                models: { m: { replies: [ { is: "5?", status: 401 }, { status: 429 } ] } }
                expect: { ask.errors: { rows: [ { code: model_http_401 }, { code: model_http_429 } ], any_order: true }, keep: { count: 0 } }
            """);
        CommandResult result = await command.RunAsync("test", "p.yaml", "--junit", "results.xml");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("3 passed, 0 failed", result.Output, StringComparison.Ordinal);
        XElement suite = XDocument.Parse(command.Read("results.xml")).Root!.Element("testsuite")!;
        Assert.Equal(("3", "0"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value));
        Assert.Equal(["inline", "from_a_file", "failing"], suite.Elements("testcase").Select(test => test.Attribute("name")!.Value));
        Assert.Equal(["more.jsonl", "p.test.yaml", "p.yaml", "results.xml"], Directory.GetFileSystemEntries(command.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_failure_shows_a_difference_and_its_line_in_the_yaml()
    {
        command.Write("p.test.yaml", """
            cases:
              wrong:
                sources: { numbers: { rows: [ { value: 2 }, { value: 3 } ] } }
                models: { m: { replies: [ { is: "2?", reply: two } ] } }
                expect:
                  large.kept:
                    rows:
                      - { value: 2 }
                      - { value: 4 }
                      - { value: 5 }
                    each: { value: { max: 2 } }
                  keep: { count: 2 }
              right: { sources: { numbers: { rows: [ { value: 1 } ] } }, expect: { keep: { count: 0 } } }
            """);
        CommandResult result = await command.RunAsync("test", "p.yaml", "--junit", "results.xml");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("p.test.yaml:9:13: large.kept: row 2 differs\n    - value: 4\n    + value: 3\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("p.test.yaml:10:13: large.kept: row 3 differs\n    - {\"value\":5}\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("p.test.yaml:11:24: large.kept: row 2: value is above 2: {\"value\":3", result.Output, StringComparison.Ordinal);
        Assert.Contains("p.test.yaml:12:22: keep: 1 rows, but 2 were expected", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 passed, 1 failed", result.Output, StringComparison.Ordinal);
        Assert.Contains("row 2 differs", XDocument.Parse(command.Read("results.xml")).Descendants("failure").Single().Value, StringComparison.Ordinal);
        Assert.Equal(0, (await command.RunAsync("test", "p.yaml", "--case", "right")).ExitCode);
    }

    [Theory]
    [InlineData("cases: { a: { sources: { numbrs: { rows: [] } }, fails: x } }", "p.test.yaml:1:34: error DF0013: the pipeline has no stage 'numbrs' (did you mean 'numbers'?)")]
    [InlineData("cases: { a: { sources: { large: { rows: [] } }, fails: x } }", "p.test.yaml:1:33: error DF0018: 'large' (data.where) is no source, so rows cannot be put in its place (sources: numbers)")]
    [InlineData("cases: { a: { sources: { numbers: { rows: [ { valu: 1 } ] } }, fails: x } }", "p.test.yaml:1:53: error DF0020: source 'numbers' has no column 'valu' (did you mean 'value'?)")]
    [InlineData("cases: { a: { sources: { numbers: { } }, fails: x } }", "p.test.yaml:1:35: error DF0022: source 'numbers' is given neither rows nor a file (give it one of 'rows' and 'file')")]
    [InlineData("cases: { a: { sources: { numbers: { file: none.jsonl } }, fails: x } }", "p.test.yaml:1:43: error DF0004: there is no file '")]
    [InlineData("cases: { a: { models: { n: { } }, fails: x } }", "error DF0015: the pipeline has no model 'n' (did you mean 'm'?)")]
    [InlineData("cases: { a: { models: { m: { replies: [ { matches: '(' } ] } }, fails: x } }", "p.test.yaml:1:52: error DF0022: '(' is no regular expression")]
    [InlineData("cases: { a: { set: { mni: 1 }, fails: x } }", "p.test.yaml:1:27: error DF0010: the pipeline has no variable 'mni' (did you mean 'min'?)")]
    [InlineData("cases: { a: { SOURCE, expect: { large.kpt: { count: 1 } } } }", "error DF0014: stage 'large' has no such port; it has kept, rejected, errors")]
    [InlineData("cases: { a: { SOURCE, expect: { lrage: { count: 1 } } } }", "error DF0013: the pipeline has no stage 'lrage' (did you mean 'large'?)")]
    [InlineData("cases: { a: { SOURCE, expect: { large: { each: { value: { matches: '[' } } } } } }", "error DF0022: '[' is no regular expression")]
    [InlineData("cases: { a: { SOURCE, expect: { large: { count: -1 } } } }", "error DF0008: 'cases.a.expect.large.count' is -1; it must be 0 or more")]
    [InlineData("cases: { a: { SOURCE, expect: { large: { } } } }", "error DF0007: nothing is expected of 'large', so it can never fail")]
    [InlineData("cases: { a: { SOURCE } }", "p.test.yaml:1:13: error DF0007: the case expects nothing, so it can never fail (give it 'expect' or 'fails')")]
    [InlineData("cases: { a: { SOURCE, expect: { large: { count: 1 } }, fails: x } }", "error DF0022: a run that fails has no rows to compare")]
    [InlineData("cases: { a: { expct: { } } }", "p.test.yaml:1:15: error DF0005: unknown option 'expct' (did you mean 'expect'?)")]
    [InlineData("cases: [", "p.test.yaml:2:1: error DF0001")]
    public async Task A_mistake_in_the_cases_is_told_at_its_place_with_exit_code_2(string cases, string expected)
    {
        command.Write("p.test.yaml", cases.Replace("SOURCE", "sources: { numbers: { rows: [ { value: 1 } ] } }", StringComparison.Ordinal));
        CommandResult result = await command.RunAsync("test", "p.yaml");
        Assert.Contains(expected, result.All, StringComparison.Ordinal);
        Assert.Equal(2, result.ExitCode);
        Assert.DoesNotContain("FAIL", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_mistakes_of_all_cases_are_told_in_one_pass_and_nothing_is_run()
    {
        command.Write("p.test.yaml", """
            cases:
              good: { sources: { numbers: { rows: [ { value: 1 } ] } }, expect: { keep: { count: 0 } } }
              a:
                sources: { numbrs: { rows: [] }, ask: { rows: [] } }
                models: { zz: { replies: [] }, m: { replies: [ { matches: "(", reply: x } ] } }
                expect: { nope: { count: -1 }, aks.out: { count: 1 } }
                set: { novar: 1 }
              b: { sources: { numbers: { rows: [ { value: 1, nte: x } ] } }, unknown: 1 }
              c: { sources: { numbers: { rows: [ { value: 1 } ] } }, set: { novar: 1 }, expect: { ask.nope: { count: 1 } } }
            """);
        CommandResult result = await command.RunAsync("test", "p.yaml");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        string[] places = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(':', line.Split(':')[1..3])).ToArray();
        Assert.Equal(["4:24", "4:43", "5:19", "5:63", "6:21", "6:30", "6:45", "7:19", "8:6", "8:55", "8:66", "9:72", "9:97", "5:44"], places.Distinct());
    }

    [Fact]
    public async Task A_mistake_in_the_pipeline_is_told_once_however_many_cases_there_are()
    {
        command.Write("p.yaml", Pipeline.Replace("from: ask", "from: aks", StringComparison.Ordinal));
        command.Write("p.test.yaml", """
            cases:
              a: { sources: { numbers: { rows: [ { value: 1 } ] } }, expect: { large: { count: 0 } } }
              b: { sources: { numbers: { rows: [ { value: 2 } ] } }, expect: { large: { count: 1 } } }
            """);
        CommandResult result = await command.RunAsync("test", "p.yaml");
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("p.yaml:8:41: error DF0013: unknown stage 'aks' (did you mean 'ask'?)\n", result.Error);
    }

    [Fact]
    public async Task An_absent_pipeline_is_named_itself()
    {
        CommandResult result = await command.RunAsync("test", "nope.yaml");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("nope.yaml:1:1: error DF0004: 'nope.yaml' cannot be read", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("nope.test.yaml", result.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cassette_is_recorded_once_from_the_real_model_then_replayed_without_it_and_holds_no_secret()
    {
        const string Secret = "hunter2-hunter2";
        const string Cases = """
            cases:
              recorded:
                set: { endpoint: "ENDPOINT" }
                sources: { numbers: { rows: [ { value: 2 }, { value: 3 } ] } }
                models: { m: { cassette: calls.jsonl, record: true } }
                expect: { keep: { any_order: true, rows: [ { value: 2, response: "said 2?" }, { value: 3, response: "said 3?" } ] } }
            """;
        command.Environment["TEST_KEY"] = Secret;
        await using (var endpoint = new ScriptedEndpoint(call => new EndpointReply("said " + call.Prompt)))
        {
            command.Write("p.test.yaml", Cases.Replace("ENDPOINT", endpoint.Address, StringComparison.Ordinal));
            CommandResult recorded = await command.RunAsync("test", "p.yaml");
            Assert.True(recorded.ExitCode == 0, recorded.All);
            Assert.Equal(2, endpoint.Calls.Count);
            CommandResult again = await command.RunAsync("test", "p.yaml");
            Assert.True(again.ExitCode == 0, again.All);
            Assert.Equal(2, endpoint.Calls.Count);
        }

        command.Environment.Remove("TEST_KEY");
        string cassette = command.Read("calls.jsonl");
        Assert.DoesNotContain(Secret, cassette, StringComparison.Ordinal);
        command.Write("p.test.yaml", Cases.Replace(", record: true", "", StringComparison.Ordinal).Replace("ENDPOINT", "http://127.0.0.1:9", StringComparison.Ordinal));
        CommandResult replayed = await command.RunAsync("test", "p.yaml");
        Assert.True(replayed.ExitCode == 0, replayed.All);
        command.Write("calls.jsonl", cassette.Split('\n')[0] + "\n");
        CommandResult lacking = await command.RunAsync("test", "p.yaml");
        Assert.Equal(1, lacking.ExitCode);
        Assert.Contains("rows failed at ask: model_http_400: the cassette has no reply to: ", lacking.Output, StringComparison.Ordinal);
    }
}
