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
        foreach ((string role, string template) in Turns(options))
        {
            LiquidTemplate.Check(template, role, declaration);
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

    private static IEnumerable<(string Role, string Template)> Turns(MessagesOptions options)
    {
        if (options.System is not null)
        {
            yield return ("system", options.System);
        }

        yield return ("user", options.User);
        yield return ("assistant", options.Assistant);
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

    [Description("Column for the dialog.")]
    public string Output { get; init; } = "messages";
}
