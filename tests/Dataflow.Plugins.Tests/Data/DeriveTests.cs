using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Data;

namespace Dataflow.Plugins.Tests.Data;

public sealed class DeriveTests
{
    private static readonly Schema Scored = Columns.Schema(("name", Columns.Text), ("score", Columns.Number));

    private static readonly DeriveOptions Options = new()
    {
        Columns = new Dictionary<string, string>
        {
            ["label"] = "{{ name | upcase }}", ["good"] = "{% if score > 0.5 %}true{% else %}false{% endif %}", ["letters"] = " {{ name | size }} ", ["half"] = "{{ name | slice: 0, 0 }}",
        },
        Types = new Dictionary<string, DerivedType> { ["good"] = DerivedType.Boolean, ["letters"] = DerivedType.Integer, ["half"] = DerivedType.Number },
    };

    [Fact]
    public async Task Columns_are_made_by_templates_and_typed()
    {
        StageDeclaration declared = Stages.Declare<Derive, DeriveOptions>(Options, (StageInputs.Default, Scored));
        Assert.Empty(declared.Issues);
        Assert.Equal(["name: text", "score: number", "label: text", "good: boolean", "letters: integer", "half: number"], Stages.Describe(declared.Ports["out"].Schema));
        var rows = await Stages.ProcessAsync(new Derive(Options), MemoryRows.Of(Scored, ["abc", 0.75], ["z", 0.25]));
        Assert.Equal(new Dictionary<string, object?> { ["label"] = "ABC", ["good"] = true, ["letters"] = 3L, ["half"] = null }, rows[0].Rows.Single().Values);
        Assert.Equal(false, rows[1].Rows.Single().Values["good"]);
    }

    [Fact]
    public async Task A_value_that_is_not_of_its_type_fails_its_row_alone()
    {
        var options = new DeriveOptions { Columns = new Dictionary<string, string> { ["n"] = "{{ name }}" }, Types = new Dictionary<string, DerivedType> { ["n"] = DerivedType.Integer } };
        var rows = await Stages.ProcessAsync(new Derive(options), MemoryRows.Of(Scored, ["12", 1.0], ["twelve", 1.0]));
        Assert.Equal(12L, rows[0].Rows.Single().Values["n"]);
        Assert.Equal("not_of_type", rows[1].Failure!.Code);
        Assert.Contains("'twelve' is no integer", rows[1].Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_told_at_their_column()
    {
        var options = new DeriveOptions { Columns = new Dictionary<string, string> { ["n"] = "{{ nam }}" }, Types = new Dictionary<string, DerivedType> { ["m"] = DerivedType.Integer } };
        string[] complaints = Stages.Complaints<Derive, DeriveOptions>(options, (StageInputs.Default, Scored));
        Assert.Equal(2, complaints.Length);
        Assert.Contains(complaints, complaint => complaint.Contains("types.m", StringComparison.Ordinal));
        Assert.Contains(complaints, complaint => complaint.Contains("no column 'nam'", StringComparison.Ordinal));
        Assert.Single(Stages.Complaints<Derive, DeriveOptions>(new DeriveOptions { Columns = new Dictionary<string, string>() }, (StageInputs.Default, Scored)));
    }
}
