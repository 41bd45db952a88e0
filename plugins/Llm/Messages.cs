using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Llm;

[Stage("chat.messages", "Makes a training dialog (list of role and content) from templates over the row's columns.")]
public sealed class Messages(MessagesOptions options) : IBatchTransform, IStage<MessagesOptions>
{
    private readonly (string Role, LiquidTemplate Content)[] turns = Turns(options).Select(turn => (turn.Role, LiquidTemplate.Parse(turn.Template))).ToArray();

    public static void Declare(MessagesOptions options, StageDeclaration declaration)
    {
        foreach ((string option, string _, string template) in Turns(options))
        {
            LiquidTemplate.Check(template, option, declaration);
        }

        if (options.Turns.Count > 0 && (options.User != new MessagesOptions().User || options.Assistant != new MessagesOptions().Assistant))
        {
            declaration.Error("turns", "give either 'turns' or 'user' and 'assistant'");
        }

        declaration.Out(declaration.Input.With((options.Output, Columns.Messages)));
    }

    public ValueTask<Apache.Arrow.RecordBatch> TransformAsync(Apache.Arrow.RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        var rows = new List<IReadOnlyDictionary<string, object?>>(batch.Length);
        for (int i = 0; i < batch.Length; i++)
        {
            var values = new Dictionary<string, object?>(new Row(batch, i, "", []).ToDictionary(), StringComparer.Ordinal);
            values[options.Output] = turns
                .Select(turn => (object?)new Dictionary<string, object?> { ["role"] = turn.Role, ["content"] = turn.Content.Render(values) }).ToArray();
            rows.Add(values);
        }

        return ValueTask.FromResult(ArrowRows.BuildBatch(batch.Schema.With((options.Output, Columns.Messages)), rows));
    }

    private static IEnumerable<(string Option, string Role, string Template)> Turns(MessagesOptions options)
    {
        if (options.System is not null)
        {
            yield return ("system", "system", options.System);
        }

        if (options.Turns.Count == 0)
        {
            yield return ("user", "user", options.User);
            yield return ("assistant", "assistant", options.Assistant);
        }

        for (int i = 0; i < options.Turns.Count; i++)
        {
            yield return ($"turns[{i}].content", SnakeCase.From(options.Turns[i].Role.ToString()), options.Turns[i].Content);
        }
    }
}

public sealed record MessagesOptions
{
    [Description("Liquid template of a system message.")]
    public string? System { get; init; }

    [Description("Liquid template of the user's message.")]
    public string User { get; init; } = "{{ prompt }}";

    [Description("Liquid template of the assistant's message.")]
    public string Assistant { get; init; } = "{{ response }}";

    [Description("Messages in order, each a role and a Liquid template of its content, in place of 'user' and 'assistant'.")]
    public IReadOnlyList<MessageTurn> Turns { get; init; } = [];

    [Description("Column for the dialog.")]
    public string Output { get; init; } = "messages";
}

/// <summary>One message of a dialog.</summary>
public sealed record MessageTurn
{
    [Description("Who speaks.")]
    public required MessageRole Role { get; init; }

    [Description("Liquid template of what is said.")]
    public required string Content { get; init; }
}

public enum MessageRole
{
    System,
    User,
    Assistant,
}
