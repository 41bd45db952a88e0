using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Liquid;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Llm;

[Stage("llm.generate", "Asks a model for K responses to each row; K > 1 makes K rows. Adds finish_reason, sample, prompt_id and token counts.")]
public sealed class Generate(GenerateOptions options, IChatClient model) : IRowStage, IStage<GenerateOptions>
{
    private static readonly string[] Added = ["finish_reason", "sample", "prompt_id", "input_tokens", "output_tokens"];

    private readonly LiquidTemplate prompt = LiquidTemplate.Parse(options.Prompt);
    private readonly LiquidTemplate? system = options.System is null ? null : LiquidTemplate.Parse(options.System);
    private SchemaAsking? asking;

    public static void Declare(GenerateOptions options, StageDeclaration declaration)
    {
        if (options.Messages is null)
        {
            LiquidTemplate.Check(options.Prompt, "prompt", declaration);
        }
        else
        {
            Field? field = declaration.Require(options.Messages, "messages");
            if (field is not null && !Columns.SameType(field.DataType, Columns.Messages))
            {
                declaration.Error("messages", $"column '{options.Messages}' is {ArrowValues.TypeName(field.DataType)}, but a list of {{role, content}} is needed");
            }
        }

        LiquidTemplate.Check(options.System, "system", declaration);
        if (Added.Contains(options.Output))
        {
            declaration.Error("output", $"'{options.Output}' is a column that the stage adds itself");
        }

        if (options.Schema is not null && (Added.Contains(options.Parsed) || options.Parsed == options.Output))
        {
            declaration.Error("parsed", $"'{options.Parsed}' is a column that the stage adds itself");
        }

        Schema output = declaration.Input.With(
            (options.Output, Columns.Text), ("finish_reason", Columns.Text), ("sample", Columns.Integer), ("prompt_id", Columns.Text),
            ("input_tokens", Columns.Integer), ("output_tokens", Columns.Integer));
        declaration.Out(options.Schema is null ? output : WithParsed(output, options, declaration));
    }

    private static Schema WithParsed(Schema output, GenerateOptions options, StageDeclaration declaration)
    {
        try
        {
            return output.With((options.Parsed, AnswerSchema.Read(options.Schema!, declaration.ResolvePath).Type));
        }
        catch (InvalidDataException mistake)
        {
            declaration.Error("schema", mistake.Message);
            return output;
        }
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        List<ChatMessage> messages = Dialog(row);
        long[] seeds = Enumerable.Range(0, options.Samples).Select(k => (long)(context.SeedFor(row.Id, k) >> 1)).ToArray();
        IReadOnlyList<(ChatResponse Response, object? Value)> answers = await AskAsync(messages, seeds, context, cancellationToken);
        for (int k = 0; k < answers.Count; k++)
        {
            (ChatResponse response, object? value) = answers[k];
            (string, object?)[] values =
            [
                (options.Output, response.Text),
                ("finish_reason", response.FinishReason?.Value ?? "stop"),
                ("sample", (long)k),
                ("prompt_id", row.Id),
                ("input_tokens", response.Usage?.InputTokenCount),
                ("output_tokens", response.Usage?.OutputTokenCount),
                .. options.Schema is null ? System.Array.Empty<(string, object?)>() : [(options.Parsed, value)],
            ];
            if (options.Samples == 1)
            {
                output.Emit("out", values);
            }
            else
            {
                output.EmitChild("out", values);
            }
        }
    }

    private async Task<IReadOnlyList<(ChatResponse Response, object? Value)>> AskAsync(
        List<ChatMessage> messages, long[] seeds, StageContext context, CancellationToken cancellationToken)
    {
        if (options.Schema is not null)
        {
            SchemaAsking structured = LazyInitializer.EnsureInitialized(
                ref asking, () => new SchemaAsking(model, AnswerSchema.Read(options.Schema, context.ResolvePath), options.SchemaRetries));
            return await Task.WhenAll(seeds.Select(seed => structured.AskAsync(messages, Settings(seed), cancellationToken)));
        }

        IReadOnlyList<ChatResponse> responses = await Samples.AskAsync(model, messages, Settings, seeds, cancellationToken);
        return responses.Select(response => (response, (object?)null)).ToArray();
    }

    private ChatOptions Settings(long? seed) => new()
    {
        Temperature = (float?)options.Temperature,
        TopP = (float?)options.TopP,
        MaxOutputTokens = options.MaxTokens,
        StopSequences = options.Stop.Count > 0 ? [.. options.Stop] : null,
        Seed = seed,
    };

    private List<ChatMessage> Dialog(Row row)
    {
        var messages = new List<ChatMessage>();
        if (system is not null)
        {
            messages.Add(new ChatMessage(ChatRole.System, system.Render(row)));
        }

        if (options.Messages is null)
        {
            string text = prompt.Render(row);
            messages.Add(new ChatMessage(ChatRole.User, text.Trim().Length > 0 ? text : throw new RowFailedException("empty_prompt", "the prompt is empty")));
            return messages;
        }

        var dialog = row[options.Messages] as IReadOnlyList<object?> ?? throw new RowFailedException("missing_value", $"column '{options.Messages}' is null");
        if (dialog.Count == 0)
        {
            throw new RowFailedException("empty_prompt", $"column '{options.Messages}' holds no message");
        }

        foreach (object? item in dialog)
        {
            var message = item as IReadOnlyDictionary<string, object?>;
            string role = message?["role"] as string ?? throw new RowFailedException("missing_value", $"column '{options.Messages}' has a message without a role");
            messages.Add(new ChatMessage(new ChatRole(role), message!["content"] as string ?? ""));
        }

        return messages;
    }
}

public sealed record GenerateOptions
{
    [Description("Model to ask."), ModelReference(typeof(IChatClient))]
    public required string Model { get; init; }

    [Description("Liquid template of the user's message, over the row's columns; a row for which it is empty is a row error.")]
    public string Prompt { get; init; } = "{{ prompt }}";

    [Description("Liquid template of a system message, put first.")]
    public string? System { get; init; }

    [Description("Column holding a dialog (list of role and content) to continue, in place of a prompt.")]
    public string? Messages { get; init; }

    [Description("Responses per row (K)."), Range(1, 1024), CallsPerRow]
    public int Samples { get; init; } = 1;

    [Description("Sampling temperature; 0 is greedy, absent is the model's default."), Range(0.0, 10.0)]
    public double? Temperature { get; init; }

    [Description("Nucleus sampling: smallest set of tokens with this much probability."), Range(0.0, 1.0)]
    public double? TopP { get; init; }

    [Description("Most tokens of a response."), Range(1, 1_000_000)]
    public int? MaxTokens { get; init; }

    [Description("Texts that end a response.")]
    public IReadOnlyList<string> Stop { get; init; } = [];

    [Description("Column for the response.")]
    public string Output { get; init; } = "response";

    [Description("JSON Schema that responses must meet: a mapping, or the path of a JSON file. Sent to servers that have structured output, put into the prompt elsewhere."), PathOption]
    public object? Schema { get; init; }

    [Description("How often a model is asked again, with what was wrong, when its response does not meet the schema; then the row fails with bad_schema."), Range(0, 100)]
    public int SchemaRetries { get; init; } = 2;

    [Description("Column for the response as a value of the schema's type, beside its text.")]
    public string Parsed { get; init; } = "parsed";
}
