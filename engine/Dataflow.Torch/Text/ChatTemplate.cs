namespace Dataflow.Torch.Text;

/// <summary>One message of a dialog.</summary>
/// <param name="Role">system, user, assistant or ipython (<c>tool</c> is written as ipython).</param>
/// <param name="EndsMessage">True ends it with eom (the assistant waits for a tool), false with eot.</param>
/// <param name="Train">Whether an assistant message is trained on.</param>
public sealed record DialogMessage(string Role, string Content, bool EndsMessage = false, bool Train = true)
{
    /// <summary>Begins the body with the python tag: what follows is for the interpreter.</summary>
    public bool PythonTag { get; init; }

    /// <summary>
    /// A message that calls tools. Built-in and JSON calls go behind the python tag and wait for the result (eom) where the
    /// interpreter is on; the others end the turn.
    /// </summary>
    /// <param name="interpreter">Whether the system message says <c>Environment: ipython</c>.</param>
    public static DialogMessage Calling(IReadOnlyList<ToolCall> calls, ToolCallFormat format, bool interpreter)
    {
        bool tagged = interpreter && format is (ToolCallFormat.BuiltIn or ToolCallFormat.Json);
        return new DialogMessage("assistant", ToolCallWriter.Write(calls, format), EndsMessage: tagged) { PythonTag = tagged };
    }
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

    /// <summary>The messages of encoded ids; the last one may lack its terminator.</summary>
    /// <exception cref="FormatException">Tokens outside messages, or a header without end.</exception>
    public IReadOnlyList<DialogMessage> Decode(IReadOnlyList<int> ids)
    {
        int[] blankLine = [.. tokenizer.Encode("\n\n")];
        var messages = new List<DialogMessage>();
        int at = ids.Count > 0 && ids[0] == specials.BeginOfText ? 1 : 0;
        while (at < ids.Count)
        {
            int[] header = ids.Skip(at).TakeWhile(id => id != specials.EndHeader).ToArray();
            if (ids[at] != specials.StartHeader || at + header.Length == ids.Count)
            {
                throw new FormatException($"token {at} ({ids[at]}) begins no message");
            }

            at += header.Length + 1;
            at += ids.Skip(at).Take(blankLine.Length).SequenceEqual(blankLine) ? blankLine.Length : 0;
            int[] body = ids.Skip(at).TakeWhile(id => id != specials.EndOfTurn && id != specials.EndOfMessage).ToArray();
            at += body.Length;
            bool tagged = body.Length > 0 && body[0] == specials.PythonTag;
            messages.Add(new DialogMessage(tokenizer.Decode(header[1..]), tokenizer.Decode(tagged ? body[1..] : body), at < ids.Count && ids[at] == specials.EndOfMessage) { PythonTag = tagged });
            at++;
        }

        return messages;
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
