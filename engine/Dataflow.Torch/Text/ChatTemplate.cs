namespace Dataflow.Torch.Text;

/// <summary>One message of a dialog.</summary>
/// <param name="Role">system, user, assistant or ipython (<c>tool</c> is written as ipython).</param>
/// <param name="EndsMessage">True ends it with eom (the assistant waits for a tool), false with eot.</param>
/// <param name="Train">Whether an assistant message is trained on.</param>
public sealed record DialogMessage(string Role, string Content, bool EndsMessage = false, bool Train = true)
{
    /// <summary>Begins the body with the python tag: what follows is for the interpreter.</summary>
    public bool PythonTag { get; init; }
}

/// <summary>Token ids of a dialog and, per token, whether it is trained on.</summary>
public sealed record EncodedDialog(int[] Ids, bool[] Train);

/// <summary>
/// Llama 3's dialog layout: begin_of_text, then for each message header, two newlines, body, and eot or eom. Header and
/// body are encoded apart, so that no token spans both; trained are an assistant's body and terminator.
/// </summary>
public sealed class ChatTemplate(LlamaTokenizer tokenizer)
{
    /// <summary>The same layout as a Jinja template, for tools that read tokenizer_config.json.</summary>
    public const string Jinja =
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    private readonly SpecialTokens specials = tokenizer.Specials;

    public EncodedDialog Encode(IReadOnlyList<DialogMessage> messages)
    {
        var ids = new List<int> { specials.BeginOfText };
        var train = new List<bool> { false };
        foreach (DialogMessage message in messages)
        {
            Header(message.Role, ids);
            train.AddRange(Enumerable.Repeat(false, ids.Count - train.Count));
            if (message.PythonTag)
            {
                ids.Add(specials.PythonTag);
            }

            ids.AddRange(tokenizer.Encode(message.Content));
            ids.Add(message.EndsMessage ? specials.EndOfMessage : specials.EndOfTurn);
            bool trained = message.Role == "assistant" && message.Train;
            train.AddRange(Enumerable.Repeat(trained, ids.Count - train.Count));
        }

        return new EncodedDialog([.. ids], [.. train]);
    }

    /// <summary>Ids of the dialog and the header of an assistant message to be generated.</summary>
    public int[] EncodePrompt(IReadOnlyList<DialogMessage> messages)
    {
        List<int> ids = [.. Encode(messages).Ids];
        Header("assistant", ids);
        return [.. ids];
    }

    /// <summary>Text of ids with special tokens spelt out, for people to read; it cannot be encoded back.</summary>
    public string Spell(IEnumerable<int> ids)
    {
        var text = new System.Text.StringBuilder();
        var run = new List<int>();
        foreach (int id in ids)
        {
            if (tokenizer.SpellingOf(id) is string special)
            {
                text.Append(tokenizer.Decode(run)).Append(special);
                run.Clear();
            }
            else
            {
                run.Add(id);
            }
        }

        return text.Append(tokenizer.Decode(run)).ToString();
    }

    private void Header(string role, List<int> ids)
    {
        ids.Add(specials.StartHeader);
        ids.AddRange(tokenizer.Encode(role == "tool" ? "ipython" : role));
        ids.Add(specials.EndHeader);
        ids.AddRange(tokenizer.Encode("\n\n"));
    }
}
