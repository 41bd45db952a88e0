namespace Dataflow.Abstractions.Tests.Schemas;

public sealed class SnakeCaseTests
{
    [Theory]
    [InlineData("MaxNewTokens", "max_new_tokens")]
    [InlineData("TopP", "top_p")]
    [InlineData("N", "n")]
    [InlineData("URLPath", "url_path")]
    [InlineData("HttpURL", "http_url")]
    [InlineData("Sha256Sum", "sha256_sum")]
    [InlineData("already_snake", "already_snake")]
    [InlineData("Mixed_Case", "mixed_case")]
    [InlineData("", "")]
    public void A_name_is_split_at_its_words(string name, string snake) => Assert.Equal(snake, SnakeCase.From(name));
}
