using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private const string Good = """
        name: numbers
        vars: { min: 2 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          large:   { uses: data.where, from: numbers, with: { column: value, min: "${var:min}" } }
          lines:   { uses: io.jsonl_sink, from: large.kept, with: { path: "${run:folder}/lines.jsonl" } }

        """;

    private readonly DataflowCommand command = new();

    public CommandTests()
    {
        command.Write("numbers.jsonl", "{\"value\": 1}\n{\"value\": 2}\n{\"value\": 3}\n");
        command.Write("good.yaml", Good);
    }

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task Check_and_run_say_the_same_of_a_pipeline_with_mistakes_and_exit_2()
    {
        command.Write("bad.yaml", Good.Replace("min: \"${var:min}\"", "mim: 1", StringComparison.Ordinal).Replace("large.kept", "lrage", StringComparison.Ordinal));
        CommandResult check = await command.RunAsync("check", "bad.yaml");
        CommandResult run = await command.RunAsync("run", "bad.yaml");
        Assert.Equal((2, 2), (check.ExitCode, run.ExitCode));
        Assert.Equal(check.Error, run.Error);
        Assert.Contains("bad.yaml:5:70: error DF0005: unknown option 'mim'", check.Error, StringComparison.Ordinal);
        Assert.Contains("bad.yaml:6:41: error DF0013: unknown stage 'lrage'", check.Error, StringComparison.Ordinal);
        Assert.EndsWith("2 errors; nothing was run\n", check.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(command.Folder, "runs")), "a refused run must leave nothing");
    }

    [Fact]
    public async Task Each_level_of_check_looks_further_than_the_one_before()
    {
        command.Write("p.yaml", """
            models: { m: { uses: openai, with: { endpoint: "http://127.0.0.1:9", model: x, api_key: "${env:ABSENT_KEY}" } } }
            stages:
              rows: { uses: io.jsonl, with: { path: numbers.jsonl } }
              ask:  { uses: llm.generate, from: rows, with: { model: m, prompt: "{{ value }}" } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: o.jsonl } }
            """);
        command.Write("typo.yaml", command.Read("p.yaml").Replace("from: ask", "from: aks", StringComparison.Ordinal));
        Assert.Equal(0, (await command.RunAsync("check", "typo.yaml", "--level", "syntax")).ExitCode);
        CommandResult graph = await command.RunAsync("check", "typo.yaml", "--level", "graph");
        Assert.Equal((2, "typo.yaml:5:38: error DF0013: unknown stage 'aks' (did you mean 'ask'?)\n1 error; nothing was run\n"), (graph.ExitCode, graph.Error));
        Assert.Equal(0, (await command.RunAsync("check", "p.yaml", "--no-environment")).ExitCode);
        CommandResult secret = await command.RunAsync("check", "p.yaml");
        Assert.Contains("p.yaml:1:89: error DF0010: environment variable ABSENT_KEY is not set", secret.Error, StringComparison.Ordinal);
        command.Environment["ABSENT_KEY"] = "0123456789";
        CommandResult machine = await command.RunAsync("check", "p.yaml");
        Assert.Equal(2, machine.ExitCode);
        Assert.Contains("p.yaml:1:11: error DF0030: model 'm': endpoint http://127.0.0.1:9/ cannot be reached", machine.Error, StringComparison.Ordinal);
        Assert.Equal(machine.Error, (await command.RunAsync("run", "p.yaml")).Error);
    }

    [Fact]
    public async Task The_folder_of_a_run_is_no_folder_that_a_pipeline_reads()
    {
        command.Write("tmp/o.jsonl", "{\"value\": 1}\n");
        command.Environment["TMPDIR"] = Path.Combine(command.Folder, "tmp");
        command.Write("p.yaml", """
            stages:
              rows: { uses: io.jsonl, with: { path: "tmp/o.jsonl" } }
              keep: { uses: io.jsonl_sink, from: rows, with: { path: "${run:folder}/o.jsonl" } }
            """);
        CommandResult good = await command.RunAsync("check", "p.yaml", "--no-environment");
        Assert.True(good.ExitCode == 0, good.All);
        command.Write("p.yaml", command.Read("p.yaml").Replace("tmp/o.jsonl", "${run:folder}/o.jsonl", StringComparison.Ordinal));
        Assert.Contains("there is no file '" + Path.Combine(command.Folder, "runs/<run folder>/o.jsonl"), (await command.RunAsync("check", "p.yaml", "--no-environment")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_the_place_of_runs_is_told_at_the_run_section()
    {
        command.Write("p.yaml", "run: { seed: 1 }\n" + Good);
        command.Write("plain", "");
        Assert.Contains("p.yaml:1:6: error DF0030: the run: runs cannot be kept in 'plain'", (await command.RunAsync("check", "p.yaml", "--runs", "plain")).Error, StringComparison.Ordinal);
        Assert.Contains("good.yaml:1:1: error DF0030: the run: ", (await command.RunAsync("check", "good.yaml", "--runs", "plain")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_pipelines_are_checked_in_one_go_and_written_as_sarif()
    {
        command.Write("bad.yaml", Good.Replace("large.kept", "lrage", StringComparison.Ordinal));
        CommandResult result = await command.RunAsync("check", "good.yaml", "bad.yaml", "--no-environment", "--sarif", "-");
        Assert.Equal((2, ""), (result.ExitCode, result.Error));
        JsonNode log = JsonNode.Parse(result.Output)!;
        // What the schema of SARIF 2.1.0 requires: version, runs; tool.driver.name; message.text of each result; ids of rules.
        Assert.Equal("2.1.0", (string?)log["version"]);
        JsonNode run = log["runs"]![0]!;
        Assert.Equal("dataflow", (string?)run["tool"]!["driver"]!["name"]);
        JsonNode found = Assert.Single(run["results"]!.AsArray())!;
        Assert.Equal("unknown stage 'lrage' (did you mean 'large'?)", (string?)found["message"]!["text"]);
        Assert.Equal(("DF0013", "error"), ((string?)found["ruleId"], (string?)found["level"]));
        Assert.Equal("DF0013", (string?)run["tool"]!["driver"]!["rules"]![(int)found["ruleIndex"]!]!["id"]);
        JsonNode place = found["locations"]![0]!["physicalLocation"]!;
        Assert.Equal(("bad.yaml", "ROOT"), ((string?)place["artifactLocation"]!["uri"], (string?)place["artifactLocation"]!["uriBaseId"]));
        Assert.Equal((6, 41), ((int)place["region"]!["startLine"]!, (int)place["region"]!["startColumn"]!));
        await command.RunAsync("check", "good.yaml", "--no-environment", "--sarif", "log.sarif");
        Assert.Empty(JsonNode.Parse(command.Read("log.sarif"))!["runs"]![0]!["results"]!.AsArray());
    }

    [Theory]
    [InlineData("check", "none.yaml")]
    [InlineData("run")]
    [InlineData("run", "--resume", "none")]
    [InlineData("run", "good.yaml", "--set", "min")]
    [InlineData("run", "good.yaml", "--set", "mni=1")]
    [InlineData("run", "good.yaml", "--plugins", "none")]
    [InlineData("run", "good.yaml", "--run-id", "../evil")]
    [InlineData("run", "good.yaml", "--run-id", "a/b")]
    [InlineData("run", "good.yaml", "--run-id", "..")]
    [InlineData("describe", "code.exceute")]
    [InlineData("reference", "Dta")]
    [InlineData("list", "stags")]
    [InlineData("runs", "show", "none")]
    [InlineData("rnu", "good.yaml")]
    [InlineData("cache", "prune", "--unused-for", "-1")]
    [InlineData("cache", "prune", "--unused-for", "40000")]
    [InlineData("cache", "prune", "--unused-for", "NaN")]
    [InlineData("preview", "good.yaml", "-n", "0")]
    [InlineData("preview", "good.yaml", "-n", "-5")]
    [InlineData("tap", "r", "large", "-n", "0")]
    [InlineData("serve", "none", "--port", "-1")]
    [InlineData("serve", "none", "--port", "65536")]
    [InlineData("serve", "none", "--rows", "0")]
    [InlineData("serve", "none", "--cache-tokens", "-1")]
    [InlineData("serve", "none", "--threads", "0")]
    [InlineData("merge", "slerp", "a", "b", "--out", "c", "--t", "1.5")]
    [InlineData("merge", "linear", "a", "b", "--out", "c", "--weights", "1", "NaN")]
    [InlineData("merge", "ties", "a", "b", "--base", "c", "--out", "d", "--lambda", "NaN")]
    [InlineData("merge", "ties", "a", "b", "--base", "c", "--out", "d", "--density", "-0.5")]
    [InlineData("merge", "dare", "a", "b", "--base", "c", "--out", "d", "--rescale", "7")]
    [InlineData("export", "none", "--out", "o.gguf", "--type", "7")]
    [InlineData("check", "good.yaml", "--level", "9")]
    public async Task Bad_input_is_told_on_stderr_with_exit_code_2(params string[] arguments)
    {
        CommandResult result = await command.RunAsync(arguments);
        Assert.True(result.ExitCode == 2, result.All);
        Assert.NotEqual("", result.Error);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--unused-for -1: it must be between 0 and 36500", "cache", "prune", "--unused-for", "-1")]
    [InlineData("-n 0: it must be 1 or more", "preview", "good.yaml", "-n", "0")]
    [InlineData("-n -1: it must be 1 or more", "tap", "r", "large", "-n", "-1")]
    [InlineData("--threads 0: it must be between 1 and 1024", "serve", "none", "--threads", "0")]
    [InlineData("--weights NaN: it must be a finite number", "merge", "linear", "a", "b", "--out", "c", "--weights", "1", "NaN")]
    [InlineData("--level 9: it must be one of syntax, graph, environment", "check", "good.yaml", "--level", "9")]
    public async Task A_number_that_makes_no_sense_is_refused_before_anything_is_done_by_it(string expected, params string[] arguments)
    {
        Assert.Equal(0, (await command.RunAsync("run", "good.yaml")).ExitCode);
        CommandResult result = await command.RunAsync(arguments);
        Assert.Equal((2, expected + "\nsee 'dataflow --help'\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task A_failed_run_shows_what_failed_and_goes_on_once_its_budget_is_mended()
    {
        command.Write("budget.yaml", Good.Replace("stages:", "run: { max_errors: 10% }\nstages:", StringComparison.Ordinal)
            .Replace("path: numbers.jsonl", "path: odd.jsonl, columns: { value: integer }", StringComparison.Ordinal));
        command.Write("odd.jsonl", "{\"value\": 1}\n{\"value\": 2}\n{\"value\": \"three\"}\n");
        CommandResult failed = await command.RunAsync("run", "budget.yaml", "--run-id", "b");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("failed: stage 'numbers': 1 of 3 rows failed, more than max_errors allows", failed.Error, StringComparison.Ordinal);
        Assert.Contains("1 row failed; see " + Path.Combine(command.Folder, "runs/b/rejects"), failed.Output, StringComparison.Ordinal);
        Assert.Single(command.Read("runs/b/rejects/numbers.errors.jsonl").Trim().Split('\n'));
        command.Write("budget.yaml", command.Read("budget.yaml").Replace("10%", "50%", StringComparison.Ordinal));
        CommandResult resumed = await command.RunAsync("run", "--resume", "b");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.Equal("{\"value\":2}\n", command.Read("runs/b/lines.jsonl"));
    }

    [Fact]
    public async Task A_run_is_listed_shown_and_reported()
    {
        CommandResult run = await command.RunAsync("run", "good.yaml", "--run-id", "r", "--set", "min=3");
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal("{\"value\":3}\n", command.Read("runs/r/lines.jsonl"));
        Assert.Contains("r                    completed", (await command.RunAsync("runs", "list")).Output, StringComparison.Ordinal);
        Assert.Contains("large: done, 3 rows -> 1 kept, 2 rejected", (await command.RunAsync("runs", "show", "r")).Output, StringComparison.Ordinal);
        Assert.Contains("--set min", command.Read("runs/r/report.html"), StringComparison.Ordinal);
        Assert.Equal(2, command.Read("runs/r/rejects/large.rejected.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Json_output_is_one_object_a_line_from_begin_to_end()
    {
        CommandResult run = await command.RunAsync("run", "good.yaml", "--json");
        string?[] events = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (string?)JsonNode.Parse(line)!["event"]).ToArray();
        Assert.Equal(("begin", "end"), (events[0], events[^1]));
        command.Write("bad.yaml", Good.Replace("uses: data.where", "uses: data.wher", StringComparison.Ordinal));
        JsonNode diagnostic = JsonNode.Parse((await command.RunAsync("check", "bad.yaml", "--json")).Output.Split('\n')[0])!;
        Assert.Equal(("DF0012", 5L, 20L), ((string)diagnostic["code"]!, (long)diagnostic["line"]!, (long)diagnostic["column"]!));
    }

    [Fact]
    public async Task Preview_shows_rows_of_every_stage_and_writes_nothing()
    {
        command.Write("good.yaml", Good.Replace("${run:folder}/lines.jsonl", "lines.jsonl", StringComparison.Ordinal));
        CommandResult preview = await command.RunAsync("preview", "good.yaml", "-n", "2");
        Assert.True(preview.ExitCode == 0, preview.All);
        Assert.Contains("large: 2 rows -> 1 kept, 1 rejected", preview.Output, StringComparison.Ordinal);
        Assert.Contains("{\"value\":2}", preview.Output, StringComparison.Ordinal);
        Assert.Equal(["good.yaml", "numbers.jsonl"], Directory.GetFileSystemEntries(command.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Graph_list_describe_and_schema_print_what_they_name()
    {
        Assert.StartsWith("flowchart", (await command.RunAsync("graph", "good.yaml")).Output, StringComparison.Ordinal);
        Assert.StartsWith("digraph", (await command.RunAsync("graph", "good.yaml", "--format", "dot")).Output, StringComparison.Ordinal);
        Assert.Matches("(?m)^data.where +filter +Keeps rows", (await command.RunAsync("list")).Output);
        Assert.Matches("(?m)^openai +", (await command.RunAsync("list", "models")).Output);
        Assert.Matches("(?m)^Io +[0-9a-f]{12}  /", (await command.RunAsync("list", "plugins")).Output);
        Assert.Contains("min: a number\n    Smallest number kept, in place of 'in'.", (await command.RunAsync("describe", "data.where")).Output.Replace("\n      ", "\n    ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string?)JsonNode.Parse((await command.RunAsync("schema")).Output)!["$schema"]);
    }

    [Fact]
    public async Task Describe_lists_what_a_plugin_offers_and_knows_its_name_nearly_spelt()
    {
        CommandResult plugin = await command.RunAsync("describe", "llm");
        Assert.Matches("^Llm \\(plugin, /.*/Llm.dll\\)\n(.*\n)*llm.generate +Asks a model", plugin.Output);
        Assert.Contains("did you mean 'Training'?", (await command.RunAsync("describe", "Trainig")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_complete_run_is_resumed_without_its_inputs()
    {
        Assert.Equal(0, (await command.RunAsync("run", "good.yaml", "--run-id", "r")).ExitCode);
        File.Delete(Path.Combine(command.Folder, "numbers.jsonl"));
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.StartsWith("run r is already complete\nreport: ", resumed.Output, StringComparison.Ordinal);
        CommandResult json = await command.RunAsync("run", "--resume", "r", "--json");
        Assert.Equal("completed", (string?)JsonNode.Parse(json.Output)!["outcome"]);
    }

    [Fact]
    public async Task A_plugin_folder_is_found_by_option_and_by_environment_variable()
    {
        string alpha = Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha");
        Assert.Contains("alpha.stamp", (await command.RunAsync("list", "--plugins", alpha)).Output, StringComparison.Ordinal);
        command.Environment["DATAFLOW_PLUGINS"] = alpha;
        Assert.Contains("alpha.stamp", (await command.RunAsync("list")).Output, StringComparison.Ordinal);
    }
}
