using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

public sealed class CanonicalValueTests
{
    [Theory]
    [InlineData("4", "4.0")]
    [InlineData("-0", "0")]
    [InlineData("1e16", "10000000000000000")]
    [InlineData("0.1", "1.0E-1")]
    [InlineData("0.30000000000000004", "3.0000000000000004e-1")]
    [InlineData("{\"set\":[2,1]}", "{\"set\":[1,2]}")]
    [InlineData("{\"dict\":[[\"a\",1],[\"b\",2]]}", "{\"dict\":[[\"b\",2],[\"a\",1.0]]}")]
    [InlineData("{\"base64\":\"aGk=\"}", "\"hi\"")]
    public void Values_are_equal_however_they_are_written(string a, string b) => Assert.True(Read(a).Matches(Read(b)), $"{Read(a).Text} and {Read(b).Text}");

    [Theory]
    [InlineData("4", "\"4\"")]
    [InlineData("1", "true")]
    [InlineData("null", "\"null\"")]
    [InlineData("[1,2]", "{\"tuple\":[1,2]}")]
    [InlineData("[1,2]", "[2,1]")]
    [InlineData("[\"a, b\"]", "[\"a\",\"b\"]")]
    [InlineData("{\"dict\":[[1,2]]}", "{\"dict\":[[\"1\",2]]}")]
    [InlineData("{\"dict\":[]}", "[]")]
    [InlineData("9007199254740993", "9007199254740992")]
    [InlineData("{\"?\":\"A\"}", "{\"?\":\"A\"}")]
    [InlineData("[{\"?\":\"A\"}]", "[{\"?\":\"A\"}]")]
    public void Values_of_different_types_are_not_equal(string a, string b) => Assert.False(Read(a).Matches(Read(b)), $"{Read(a).Text} and {Read(b).Text}");

    [Fact]
    public void A_JSON_object_is_a_dictionary() =>
        Assert.True(CanonicalValue.OfJson(JsonNode.Parse("{\"dict\": [1], \"a\": {}}")).Matches(Read("{\"dict\":[[\"a\",{\"dict\":[]}],[\"dict\",[1]]]}")));

    [Theory]
    [InlineData("{\"i\":0,\"value\":4}\n", 1, false)]
    [InlineData("{\"i\":0,\"value\":4}\n{\"i\":1,\"error\":\"E\"}\n", 2, false)]
    [InlineData("{\"i\":0,\"value\":4}\n{\"i\":0,\"value\":4}\n", 1, true)]
    [InlineData("{\"i\":1,\"value\":4}\n", 0, true)]
    [InlineData("{\"i\":0,\"value\":4}", 0, true)]
    [InlineData("{\"i\":0}\n", 0, true)]
    [InlineData("{\"i\":0,\"value\":{\"a\":1}}\n", 0, true)]
    [InlineData("passed\n", 0, true)]
    [InlineData("\n", 0, true)]
    public void What_no_driver_writes_breaks_the_channel(string channel, int given, bool broken)
    {
        Answers answers = Answers.Read(Encoding.UTF8.GetBytes(channel.Replace("{\"i\"", "token{\"i\"", StringComparison.Ordinal)), "token");
        Assert.Equal((given, broken), (answers.Given.Count, answers.Broken));
    }

    [Theory]
    [InlineData("{\"i\":0,\"value\":4}\n", 0)]
    [InlineData("nekot{\"i\":0,\"value\":4}\n", 0)]
    [InlineData("token{\"i\":0,\"value\":4}\n{\"i\":1,\"value\":4}\n", 1)]
    public void A_line_without_the_token_breaks_the_channel(string channel, int given)
    {
        Answers answers = Answers.Read(Encoding.UTF8.GetBytes(channel), "token");
        Assert.Equal((given, true), (answers.Given.Count, answers.Broken));
    }

    private static CanonicalValue Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return CanonicalValue.Read(document.RootElement);
    }
}
