using System.Text.Json.Nodes;
using Dataflow.Torch.Text;
using static Dataflow.Torch.Tests.ReferenceNumbers;

namespace Dataflow.Torch.Tests.Text;

public sealed class ReferenceDialogTests
{
    private static readonly LlamaTokenizer Tokenizer = PiecewiseTokenizer.Create();
    private static readonly ChatTemplate Template = new(Tokenizer);

    private static readonly DialogMessage[] Dialog =
    [
        new("system", new SystemPrompt("") { Interpreter = true, BuiltInTools = ["brave_search", "wolfram_alpha"] }.ToString()),
        new("user", "What is the 100th decimal of pi?"),
        DialogMessage.Calling([new ToolCall("wolfram_alpha", new JsonObject { ["query"] = "100th decimal of pi" })], ToolCallFormat.BuiltIn, interpreter: true),
        new("ipython", new ToolResult(Completed: true, "7").ToString()),
        new("assistant", "The 100th decimal of pi is 7."),
    ];

    [Fact]
    public void A_dialog_with_a_tool_call_has_the_ids_and_trained_spans_of_the_reference()
    {
        EncodedDialog encoded = Template.Encode(Dialog);
        Assert.Equal(Ids("chat", "ids"), encoded.Ids);
        int[] spans = Ids("chat", "trained_spans_inclusive");
        int[] trained = [.. Enumerable.Range(spans[0], spans[1] - spans[0] + 1), .. Enumerable.Range(spans[2], spans[3] - spans[2] + 1)];
        Assert.Equal(trained, Enumerable.Range(0, encoded.Ids.Length).Where(t => encoded.Train[t]));
    }

    [Fact]
    public void A_prompt_ends_with_the_assistants_header() =>
        Assert.Equal(Ids("chat", "basic_ids"), Template.EncodePrompt([new("system", "This is a test sentence."), new("user", "This is a response.")]));

    [Fact]
    public void A_special_token_spelt_out_by_a_user_stays_text() => Assert.Equal(Ids("chat", "literal_eot_as_text"), Tokenizer.Encode("<|eot_id|>"));

    [Fact]
    public void Header_and_body_are_encoded_apart()
    {
        int[] ids = Template.Encode([new("assistant", "\nHi")]).Ids;
        Assert.Equal(Ids("chat", "header_then_newline_separate"), ids[1..^1]);
        Assert.Equal(Ids("chat", "header_then_newline_joint_WRONG")[3..], Tokenizer.Encode("\n\n\nHi"));
    }

    [Fact]
    public void Text_with_its_special_tokens_is_the_dialog_of_the_reference() =>
        Assert.Equal((string)At("chat", "dialog_text")!, Template.Spell(Template.Encode(Dialog).Ids));
}
