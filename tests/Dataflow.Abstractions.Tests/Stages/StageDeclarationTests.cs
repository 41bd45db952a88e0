using Apache.Arrow;

namespace Dataflow.Abstractions.Tests.Stages;

public sealed class StageDeclarationTests
{
    private readonly StageDeclaration declaration = new(
        new Dictionary<string, Schema> { ["in"] = Columns.Schema(("text", Columns.Text), ("n", Columns.Integer)), ["right"] = Columns.Schema(("key", Columns.Number)) },
        path => "/base/" + path);

    [Fact]
    public void A_column_that_is_there_is_returned()
    {
        Assert.Equal("text", declaration.Require("text", "column")!.Name);
        Assert.Equal("n", declaration.Require("n", "column", "in", "number", "integer")!.Name);
        Assert.Equal("key", declaration.Require("key", "on", "right")!.Name);
        Assert.Empty(declaration.Issues);
    }

    [Fact]
    public void A_missing_column_is_a_complaint_with_what_there_is_instead()
    {
        Assert.Null(declaration.Require("txt", "columns.prompt"));
        DeclarationIssue issue = Assert.Single(declaration.Issues);
        Assert.Equal(("columns.prompt", "the input has no column 'txt'", "txt", false), (issue.Option, issue.Message, issue.Wanted, issue.IsWarning));
        Assert.Equal(["text", "n"], issue.Candidates);
    }

    [Fact]
    public void A_column_of_another_type_is_a_complaint_that_names_both_types()
    {
        Assert.Null(declaration.Require("text", "score", "in", "number", "integer"));
        Assert.Equal("column 'text' is text, but number or integer is needed", Assert.Single(declaration.Issues).Message);
    }

    [Fact]
    public void An_input_that_is_not_there_has_no_columns()
    {
        Assert.Null(declaration.Require("text", "column", "left"));
        Assert.Empty(Assert.Single(declaration.Issues).Candidates);
        Assert.Empty(new StageDeclaration(new Dictionary<string, Schema>(), path => path).Input.FieldsList);
    }

    [Fact]
    public void All_complaints_are_kept_and_warnings_told_apart()
    {
        declaration.Error("a", "one");
        declaration.Warning("b", "two");
        Assert.Equal([("a", "one", false), ("b", "two", true)], declaration.Issues.Select(issue => (issue.Option, issue.Message, issue.IsWarning)));
    }

    [Fact]
    public void A_filter_keeps_the_input_s_columns_and_gives_rejected_rows_a_reason()
    {
        declaration.FilterPorts();
        Assert.Equal(["text", "n"], declaration.Ports["kept"].Schema.FieldsList.Select(field => field.Name));
        Assert.Equal(["text", "n", "reason"], declaration.Ports["rejected"].Schema.FieldsList.Select(field => field.Name));
        Assert.Equal((false, true), (declaration.Ports["kept"].Optional, declaration.Ports["rejected"].Optional));
    }

    [Fact]
    public void Paths_are_resolved_by_the_engine() => Assert.Equal("/base/x.csv", declaration.ResolvePath("x.csv"));
}
