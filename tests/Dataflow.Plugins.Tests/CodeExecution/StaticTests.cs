using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;
using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class StaticTests
{
    private static MemoryRows Programs(params (string Language, string Code)[] programs) => MemoryRows.Of(
        Columns.Schema(("language", Columns.Text), ("code", Columns.Text)), programs.Select(program => new object?[] { program.Language, program.Code }).ToArray());

    private static async Task<EmittedRow[]> LookAtAsync(StaticOptions options, params (string Language, string Code)[] programs)
    {
        await using var stage = new Static(options);
        var results = await Stages.ProcessAsync(stage, Programs(programs));
        return results.Select(result =>
        {
            Assert.Null(result.Failure);
            // Every row goes out, and then to the port of its verdict, with the same values.
            Assert.Equal(2, result.Rows.Count);
            Assert.Equal("out", result.Rows[0].Port);
            Assert.Equal(result.Rows[0].Values, result.Rows[1].Values);
            return result.Rows[1];
        }).ToArray();
    }

    private static IReadOnlyDictionary<string, object?>[] Findings(EmittedRow row) =>
        ((IReadOnlyList<object?>)row.Values["findings"]!).Cast<IReadOnlyDictionary<string, object?>>().ToArray();

    [Fact]
    public async Task A_program_that_does_not_parse_is_flagged_at_its_place()
    {
        EmittedRow row = Assert.Single(await LookAtAsync(new() { Slots = 1 }, ("python", "x = 1\ny = (2,\nz = 3\n")));
        Assert.Equal(("flagged", (object?)false), (row.Port, row.Values["parses"]));
        IReadOnlyDictionary<string, object?> finding = Findings(row)[0];
        Assert.Equal(("error", (object?)2L), (finding["severity"], finding["line"]));
        Assert.StartsWith($"2:{finding["column"]}: error", (string)row.Values["static_report"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_row_is_looked_at_in_its_own_language()
    {
        EmittedRow[] rows = await LookAtAsync(
            new() { Slots = 1 }, ("python", "print('a')\n"), ("bash", "if true; then echo a; fi\n"), ("bash", "print('a')\n"), ("javascript", "const a = 1;\nconst a = 2;\n"), ("c", "int main(void) { return 0; }\n"));
        Assert.Equal(["clean", "clean", "flagged", "flagged", "clean"], rows.Select(row => row.Port));
        Assert.Equal(2L, Findings(rows[3])[0]["line"]);
    }

    [Theory]
    [InlineData(Severity.Error, "clean")]
    [InlineData(Severity.Warning, "flagged")]
    public async Task A_linters_finding_flags_from_the_severity_that_the_pipeline_names(Severity from, string port)
    {
        EmittedRow row = Assert.Single(await LookAtAsync(new() { Slots = 1, FlagFrom = from }, ("python", "import os\n\ndef f(n):\n    return n\n")));
        Assert.Equal((port, (object?)true), (row.Port, row.Values["parses"]));
        IReadOnlyDictionary<string, object?> finding = Assert.Single(Findings(row), finding => (long)finding["line"]! == 1);
        Assert.Contains("'os'", (string)finding["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_program_that_is_too_much_for_the_tools_it_is_not_said_that_it_does_not_parse()
    {
        EmittedRow row = Assert.Single(await LookAtAsync(new() { Slots = 1 }, ("python", string.Concat(Enumerable.Repeat("x = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", 400_000)))));
        Assert.Equal(("flagged", (object?)null), (row.Port, row.Values["parses"]));
        Assert.Contains("did not come to an end", (string)Assert.Single(Findings(row))["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_is_not_run_by_being_looked_at()
    {
        string witness = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        await LookAtAsync(new() { Slots = 1 }, ("python", $"open('{witness}', 'w').close()\nwhile True: pass\n"), ("bash", $"touch {witness}; sleep 600\n"));
        Assert.False(File.Exists(witness));
    }

    [Fact]
    public async Task A_language_that_nobody_knows_fails_its_row()
    {
        await using var stage = new Static(new() { Slots = 1 });
        Assert.Equal("unknown_language", (await Stages.ProcessAsync(stage, Programs(("klingon", "x"))))[0].Failure?.Code);
    }
}
