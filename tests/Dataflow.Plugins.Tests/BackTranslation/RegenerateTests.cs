extern alias BackTranslation;

using Apache.Arrow;
using BackTranslation::Dataflow.Plugins.BackTranslation;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Tests.BackTranslation;

public sealed class RegenerateTests
{
    private const string Secret = "return 3 * n  # the original";

    private static readonly Schema Schema = Columns.Schema(("language", Columns.Text), ("code", Columns.Text), ("description", Columns.Text));

    private static async Task<(EmittedRow Row, string Prompt)> RegenerateAsync(string answer)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(answer));
        var stage = new Regenerate(new() { Model = "m" }, await endpoint.OpenAsync());
        var result = (await Stages.ProcessAsync(stage, MemoryRows.Of(Schema, ["python", Secret, "It gives three times n."])))[0];
        Assert.Null(result.Failure);
        return (Assert.Single(result.Rows), Assert.Single(endpoint.Requests).Prompt);
    }

    [Fact]
    public async Task The_model_sees_the_description_and_not_the_original()
    {
        (EmittedRow row, string prompt) = await RegenerateAsync("So:\n```python\ndef triple(n):\n    return n * 3\n```\n");
        Assert.Equal(("out", (object?)"def triple(n):\n    return n * 3\n"), (row.Port, row.Values["regenerated"]));
        Assert.Contains("It gives three times n.", prompt, StringComparison.Ordinal);
        Assert.Contains("Python", prompt, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, prompt, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("I cannot.")]
    [InlineData("```sh\npip install triple\n```")]
    public async Task An_answer_without_a_program_is_rejected_with_its_reason(string answer)
    {
        (EmittedRow row, _) = await RegenerateAsync(answer);
        Assert.Equal("rejected", row.Port);
        Assert.NotEqual("", (string)row.Values[StageDeclaration.RejectedReason]!);
    }

    [Theory]
    [InlineData("{{ description }} {{ code }}")]
    [InlineData("{% assign c = code %}{{ description }}{{ c }}")]
    [InlineData("{% if code contains 'x' %}{{ description }}{% endif %}")]
    public void A_question_that_reads_the_original_is_refused_before_the_run(string prompt) => Assert.Equal(
        ["prompt: the question may not show 'code': the program is to be written from the description alone"],
        Stages.Complaints<Regenerate, RegenerateOptions>(new() { Model = "m", Prompt = prompt }, ("in", Schema)));
}
