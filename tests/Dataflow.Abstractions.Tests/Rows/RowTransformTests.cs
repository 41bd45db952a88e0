using System.Runtime.CompilerServices;
using Apache.Arrow;

namespace Dataflow.Abstractions.Tests.Rows;

public sealed record Review(string ReviewText, int? Stars, double Weight, IReadOnlyList<string>? Tags)
{
    public bool? Verified { get; init; }

    public int Length => ReviewText.Length;
}

public sealed record Summary(string ShortText, long WordCount, IReadOnlyList<string> FirstWords, float? Score);

public sealed class Summarize(int copies) : RowTransform<Review, Summary>
{
    protected override bool KeepsRowId => copies == 1;

    public static void Declare(StageDeclaration declaration) => DeclareRecords(declaration);

    protected override async IAsyncEnumerable<Summary> TransformAsync(Review row, StageContext context, string rowId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        string[] words = row.ReviewText.Split(' ');
        for (int i = 0; i < copies; i++)
        {
            yield return new Summary($"{row.ReviewText}:{row.Stars}:{row.Weight}:{row.Verified}:{string.Join('+', row.Tags ?? [])}", words.Length, words[..1], row.Stars);
        }
    }
}

public sealed class RowTransformTests
{
    private static readonly Schema Input = Columns.Schema(
        ("review_text", Columns.Text), ("stars", Columns.Integer), ("weight", Columns.Number), ("tags", Columns.ListOf(Columns.Text)), ("verified", Columns.Boolean), ("other", Columns.Text));

    [Fact]
    public async Task A_record_is_read_from_columns_and_written_to_columns_by_snake_case_name()
    {
        EmittedRow row = Assert.Single(await RunAsync(1, new() { ["review_text"] = "so good", ["stars"] = 4L, ["weight"] = 0.5, ["tags"] = new object?[] { "a", null }, ["verified"] = true }));
        Assert.Equal(("out", null), (row.Port, row.Child));
        Assert.Equal("so good:4:0.5:True:a+", row.Values["short_text"]);
        Assert.Equal((2L, 4.0), (row.Values["word_count"], row.Values["score"]));
        Assert.Equal(new object?[] { "so" }, row.Values["first_words"]);
    }

    [Fact]
    public async Task A_null_in_a_nullable_property_is_null()
    {
        EmittedRow row = Assert.Single(await RunAsync(1, new() { ["review_text"] = "x", ["weight"] = 1.0 }));
        Assert.Equal("x::1::", row.Values["short_text"]);
        Assert.Null(row.Values["score"]);
    }

    [Theory]
    [InlineData("weight")]
    [InlineData("review_text")]
    public async Task A_null_in_a_property_that_cannot_be_null_is_a_row_error(string column)
    {
        var values = new Dictionary<string, object?> { ["review_text"] = "x", ["weight"] = 1.0 };
        values.Remove(column);
        RowFailedException failure = await Assert.ThrowsAsync<RowFailedException>(() => RunAsync(1, values));
        Assert.Equal(("missing_value", $"column '{column}' is null"), (failure.Code, failure.Message));
    }

    [Fact]
    public async Task A_number_too_large_for_its_property_is_a_row_error() =>
        Assert.Equal("wrong_type", (await Assert.ThrowsAsync<RowFailedException>(() => RunAsync(1, new() { ["review_text"] = "x", ["weight"] = 1.0, ["stars"] = 1L << 40 }))).Code);

    [Fact]
    public async Task Several_results_are_children_with_running_numbers() =>
        Assert.Equal([0L, 1L, 2L], (await RunAsync(3, new() { ["review_text"] = "x", ["weight"] = 1.0 })).Select(row => row.Child));

    [Fact]
    public async Task No_result_drops_the_row() => Assert.Empty(await RunAsync(0, new() { ["review_text"] = "x", ["weight"] = 1.0 }));

    [Fact]
    public void The_records_declare_the_columns()
    {
        var declaration = new StageDeclaration(new Dictionary<string, Schema> { ["in"] = Input }, path => path);
        Summarize.Declare(declaration);
        Assert.Empty(declaration.Issues);
        Assert.Equal(
            ["review_text", "stars", "weight", "tags", "verified", "other", "short_text", "word_count", "first_words", "score"],
            declaration.Ports["out"].Schema.FieldsList.Select(field => field.Name));

        var missing = new StageDeclaration(new Dictionary<string, Schema> { ["in"] = Input.Without("stars").With(("weight", Columns.Text)) }, path => path);
        Summarize.Declare(missing);
        Assert.Equal(["the input has no column 'stars'", "column 'weight' is text, but number or integer is needed"], missing.Issues.Select(issue => issue.Message));
    }

    [Fact]
    public async Task A_number_property_takes_an_integer_column()
    {
        Schema whole = Input.With(("weight", Columns.Integer));
        var declaration = new StageDeclaration(new Dictionary<string, Schema> { ["in"] = whole }, path => path);
        Summarize.Declare(declaration);
        Assert.Empty(declaration.Issues);
        Assert.StartsWith("x::3", (string)Assert.Single(await RunAsync(1, new() { ["review_text"] = "x", ["weight"] = 3L }, whole)).Values["short_text"]!);
    }

    private static async Task<IReadOnlyList<EmittedRow>> RunAsync(int copies, Dictionary<string, object?> values, Schema? schema = null)
    {
        using RecordBatch batch = ArrowRows.BuildBatch(schema ?? Input, [values]);
        var output = new RowOutput();
        await new Summarize(copies).ProcessAsync(new Row(batch, 0, "id", OrderKey.Root(0)), output, null!, CancellationToken.None);
        return output.Rows;
    }
}
