using Dataflow.Abstractions;
using Dataflow.Plugins.Text;

namespace Dataflow.Plugins.Tests.Text;

public sealed class TextFilterTests
{
    [Theory]
    [InlineData(LengthUnit.Characters, "né😀", 3)]
    [InlineData(LengthUnit.Bytes, "né😀", 7)]
    [InlineData(LengthUnit.Words, "  two\twords\n ", 2)]
    [InlineData(LengthUnit.Lines, "", 0)]
    [InlineData(LengthUnit.Lines, "a", 1)]
    [InlineData(LengthUnit.Lines, "a\n", 1)]
    [InlineData(LengthUnit.Lines, "a\n\n", 2)]
    [InlineData(LengthUnit.Lines, "a\n\nb", 3)]
    public async Task Length_counts_its_unit(LengthUnit unit, string text, int length)
    {
        Assert.Equal([null], await LengthAsync(new() { Unit = unit, Min = length, Max = length }, text));
        Assert.Equal(["too_short"], await LengthAsync(new() { Unit = unit, Min = length + 1 }, text));
        if (length > 0)
        {
            Assert.Equal(["too_long"], await LengthAsync(new() { Unit = unit, Min = 0, Max = length - 1 }, text));
        }
    }

    [Fact]
    public async Task Length_rejects_empty_and_missing_text_by_default() =>
        Assert.Equal(["too_short", "missing", null], await LengthAsync(new(), "", null, "x"));

    [Fact]
    public async Task Regex_keeps_what_matches_or_inverted_what_does_not()
    {
        var options = new RegexFilterOptions { Pattern = "^[0-9]+$" };
        Assert.Equal([null, "no_match", "missing"], await Stages.FilterAsync(new RegexFilter(options), options, Texts("12", "1a", null)));
        options = options with { Invert = true };
        Assert.Equal(["matches", null, "missing"], await Stages.FilterAsync(new RegexFilter(options), options, Texts("12", "1a", null)));
    }

    [Fact]
    public async Task Regex_ends_on_every_text()
    {
        var options = new RegexFilterOptions { Pattern = "^(a+)+$" };
        Assert.Equal(["no_match"], await Stages.FilterAsync(new RegexFilter(options), options, Texts(new string('a', 50_000) + "b")));
    }

    [Fact]
    public async Task Contains_looks_for_any_phrase_or_inverted_for_none()
    {
        var options = new ContainsOptions { Any = ["As an AI", "sorry"] };
        Assert.Equal([null, null, "contains_none", "missing"], await Stages.FilterAsync(new ContainsFilter(options), options, Texts("so SORRY", "as an ai", "fine", null)));
        options = options with { Invert = true };
        Assert.Equal(["contains: sorry", "contains: As an AI", null], await Stages.FilterAsync(new ContainsFilter(options), options, Texts("so SORRY", "as an ai", "fine")));
        options = options with { CaseSensitive = true };
        Assert.Equal([null, "contains: sorry"], await Stages.FilterAsync(new ContainsFilter(options), options, Texts("so SORRY", "so sorry")));
    }

    [Fact]
    public async Task The_column_is_chosen()
    {
        var options = new ContainsOptions { Column = "b", Any = ["x"] };
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("a", Columns.Text), ("b", Columns.Text)), ["x", "y"], ["y", "x"]);
        Assert.Equal(["contains_none", null], await Stages.FilterAsync(new ContainsFilter(options), options, rows));
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        var schema = Columns.Schema(("text", Columns.Text), ("n", Columns.Integer));
        Assert.Equal(["min: min 3 is larger than max 2"], Stages.Complaints<LengthFilter, LengthOptions>(new() { Min = 3, Max = 2 }, ("in", schema)));
        Assert.Equal(["column: column 'n' is integer, but text is needed"], Stages.Complaints<LengthFilter, LengthOptions>(new() { Column = "n" }, ("in", schema)));
        Assert.StartsWith("pattern: ", Assert.Single(Stages.Complaints<RegexFilter, RegexFilterOptions>(new() { Pattern = "(" }, ("in", schema))), StringComparison.Ordinal);
        Assert.StartsWith("pattern: ", Assert.Single(Stages.Complaints<RegexFilter, RegexFilterOptions>(new() { Pattern = "(?=a)" }, ("in", schema))), StringComparison.Ordinal);
        Assert.Equal(["any: at least one phrase is needed"], Stages.Complaints<ContainsFilter, ContainsOptions>(new() { Any = [] }, ("in", schema)));
        Assert.Equal(["any: every text contains the empty phrase"], Stages.Complaints<ContainsFilter, ContainsOptions>(new() { Any = ["a", ""] }, ("in", schema)));
    }

    private static MemoryRows Texts(params string?[] texts) => MemoryRows.Column("text", Columns.Text, texts);

    private static Task<string?[]> LengthAsync(LengthOptions options, params string?[] texts) => Stages.FilterAsync(new LengthFilter(options), options, Texts(texts));
}
