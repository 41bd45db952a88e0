using System.Text.Json;
using Apache.Arrow.Types;
using CsCheck;

namespace Dataflow.Abstractions.Tests.Rows;

public sealed class RowJsonTests
{
    [Fact]
    public void Every_value_comes_back_when_its_type_is_known() =>
        Values.Types.SelectMany(type => Values.Of(type).Select(value => (Type: type, Value: value))).Sample(sample =>
            Values.Same(sample.Value, Back(RowJson.WriteValue(sample.Value), sample.Type)));

    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(3.0, "3.0")]
    [InlineData(0.5, "0.5")]
    [InlineData(1e300, "1E+300")]
    [InlineData(1e-9, "1E-09")]
    [InlineData(-1.7976931348623157E+308, "-1.7976931348623157E+308")]
    public void A_number_keeps_its_fraction_so_that_it_is_read_as_no_integer(double number, string json)
    {
        Assert.Equal($"[{json},{json}]", RowJson.WriteValue(new object?[] { number, number }));
        Assert.Equal(number, Back(json, Columns.Number));
    }

    [Fact]
    public void Every_row_is_one_line() => Values.Tables.Sample(table => table.Rows.All(row => !RowJson.Write(row).Contains('\n', StringComparison.Ordinal)));

    [Fact]
    public void Numbers_of_every_size_come_back()
    {
        for (int power = -323; power <= 308; power++)
        {
            double number = double.Parse($"1e{power}", System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(number, Back(RowJson.WriteValue(number), Columns.Number));
        }
    }

    [Theory]
    [InlineData(long.MinValue, "-9223372036854775808")]
    [InlineData(long.MaxValue, "9223372036854775807")]
    public void Whole_numbers_keep_every_digit(long number, string json)
    {
        Assert.Equal(json, RowJson.WriteValue(number));
        Assert.Equal(number, Back(json));
    }

    [Theory]
    [InlineData(double.NaN, "\"NaN\"")]
    [InlineData(double.PositiveInfinity, "\"Infinity\"")]
    [InlineData(double.NegativeInfinity, "\"-Infinity\"")]
    public void Numbers_that_JSON_lacks_are_texts_that_a_number_column_reads(double number, string json)
    {
        Assert.Equal(json, RowJson.WriteValue(number));
        Assert.Equal(number, Back(json, Columns.Number));
    }

    [Theory]
    [InlineData("naïve 😀 \u2028 \u0001 \" \\ / <b>")]
    [InlineData("")]
    public void Text_comes_back_letter_for_letter(string text) => Assert.Equal(text, Back(RowJson.WriteValue(text)));

    [Theory]
    [InlineData("a\ud800b")]
    [InlineData("\udc00")]
    public void Half_a_surrogate_pair_is_written_as_the_replacement_character(string text) =>
        Assert.Equal(text.Replace('\ud800', '\uFFFD').Replace('\udc00', '\uFFFD'), Back(RowJson.WriteValue(text)));

    [Theory]
    [InlineData("""{"a": "\ud800"}""")]
    [InlineData("""{"\udc00": 1}""")]
    [InlineData("""{"a": ["x\ud800y"]}""")]
    public void Half_a_surrogate_pair_in_JSON_is_a_row_error(string json) =>
        Assert.Equal("bad_json", Assert.Throws<RowFailedException>(() => Back(json)).Code);

    [Fact]
    public void Half_a_surrogate_pair_in_JSON_is_a_row_error_in_a_typed_column_too() =>
        Assert.Equal("bad_json", Assert.Throws<RowFailedException>(() => Back("\"\\ud800\"", Columns.Text)).Code);

    [Theory]
    [InlineData("1", "text")]
    [InlineData("\"x\"", "number")]
    [InlineData("\"1\"", "integer")]
    [InlineData("1.5", "integer")]
    [InlineData("9223372036854775808", "integer")]
    [InlineData("[1]", "text")]
    [InlineData("{}", "boolean")]
    public void A_value_that_does_not_fit_is_a_row_error_that_says_both(string json, string type)
    {
        IArrowType[] types = [Columns.Text, Columns.Number, Columns.Integer, Columns.Boolean];
        RowFailedException failure = Assert.Throws<RowFailedException>(() => Back(json, types.Single(known => ArrowValues.TypeName(known) == type)));
        Assert.Equal(("wrong_type", $"{json} is not {type}"), (failure.Code, failure.Message));
    }

    [Fact]
    public void A_misfit_deep_inside_is_found() =>
        Assert.Throws<RowFailedException>(() => Back("""[{"role": "user", "content": 3}]""", Columns.Messages));

    [Fact]
    public void A_field_that_a_struct_lacks_is_null_and_one_too_many_is_left_out()
    {
        var message = (IReadOnlyDictionary<string, object?>)Assert.Single((IReadOnlyList<object?>)Back("""[{"role": "user", "name": "x"}]""", Columns.Messages)!)!;
        Assert.Equal(("user", null, 2), (message["role"], message["content"], message.Count));
    }

    [Fact]
    public void Untyped_JSON_becomes_plain_values()
    {
        var row = (IReadOnlyDictionary<string, object?>)Back("""{"n": 1, "x": 1.0e0, "big": 9223372036854775808, "l": [true, null, {"a": "b"}]}""")!;
        Assert.Equal((1L, 9223372036854775808.0), (row["n"], row["big"]));
        Assert.True(Values.Same(new object?[] { true, null, new Dictionary<string, object?> { ["a"] = "b" } }, row["l"]));
    }

    private static object? Back(string json, IArrowType? type = null)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return type is null ? RowJson.Read(document.RootElement) : RowJson.Read(document.RootElement, type);
    }
}
