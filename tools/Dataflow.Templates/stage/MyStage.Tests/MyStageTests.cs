using Apache.Arrow;
using Dataflow.Abstractions;

namespace StageClass.Tests;

public sealed class StageClassTests
{
    private static readonly Schema Input = Columns.Schema(("text", Columns.Text));

    [Theory]
    [InlineData("one two three", 2, "one two", 1)]
    [InlineData("one", 2, "one", 0)]
    [InlineData("", 2, "", 0)]
    public async Task A_text_is_cut_to_its_first_words(string text, int words, string expected, long cut)
    {
        var output = new RowOutput();
        using RecordBatch batch = ArrowRows.BuildBatch(Input, [new Dictionary<string, object?> { ["text"] = text }]);
        await new StageClass(new StageClassOptions { Words = words }).ProcessAsync(new Row(batch, 0, "id", []), output, null!, CancellationToken.None);
        EmittedRow row = Assert.Single(output.Rows);
        Assert.Equal((expected, cut), (row.Values["text"], row.Values["cut"]));
    }

    [Fact]
    public void A_column_that_is_not_there_is_a_mistake_at_its_option()
    {
        var declaration = new StageDeclaration(new Dictionary<string, Schema> { [StageInputs.Default] = Input }, path => path);
        StageClass.Declare(new StageClassOptions { Column = "txt" }, declaration);
        Assert.Equal("column", Assert.Single(declaration.Issues).Option);
    }
}
