namespace Dataflow.Torch.Text;

/// <summary>Ids of the Llama 3 special tokens in one tokenizer.</summary>
public sealed record SpecialTokens(
    int BeginOfText, int EndOfText, int Pad, int StartHeader, int EndHeader, int EndOfMessage, int EndOfTurn, int PythonTag)
{
    /// <summary>Their spelling, in the order of the constructor.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|start_header_id|>",
        "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
    ];

    /// <summary>Tokens that end a generation.</summary>
    public IReadOnlyList<int> Stops => [EndOfText, EndOfMessage, EndOfTurn];

    /// <param name="find">Id of a special token by its spelling.</param>
    public static SpecialTokens From(Func<string, int> find) => new(
        find(Names[0]), find(Names[1]), find(Names[2]), find(Names[3]), find(Names[4]), find(Names[5]), find(Names[6]), find(Names[7]));
}
