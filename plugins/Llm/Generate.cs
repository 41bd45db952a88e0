using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Llm;

[Stage("llm.generate", "Asks a model for K responses to each row; K > 1 makes K rows.")]
public sealed class Generate(GenerateOptions options, IChatClient model) : IRowStage, IStage<GenerateOptions>
{
    private readonly LiquidTemplate prompt = LiquidTemplate.Parse(options.Prompt);
    private readonly LiquidTemplate? system = options.System is null ? null : LiquidTemplate.Parse(options.System);

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
        declaration.Out(declaration.Input.With(
            (options.Output, Columns.Text), ("finish_reason", Columns.Text), ("sample", Columns.Integer), ("prompt_id", Columns.Text),
            ("input_tokens", Columns.Integer), ("output_tokens", Columns.Integer)));
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        List<ChatMessage> messages = Dialog(row);
        long[] seeds = Enumerable.Range(0, options.Samples).Select(k => (long)(context.SeedFor(row.Id, k) >> 1)).ToArray();
        IReadOnlyList<ChatResponse> responses = await AskAsync(messages, seeds, cancellationToken);
        for (int k = 0; k < responses.Count; k++)
        {
            (string, object?)[] values =
            [
                (options.Output, responses[k].Text),
                ("finish_reason", responses[k].FinishReason?.Value ?? "stop"),
                ("sample", (long)k),
                ("prompt_id", row.Id),
                ("input_tokens", responses[k].Usage?.InputTokenCount),
                ("output_tokens", responses[k].Usage?.OutputTokenCount),
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

    private async Task<IReadOnlyList<ChatResponse>> AskAsync(List<ChatMessage> messages, long[] seeds, CancellationToken cancellationToken)
    {
        if (model.GetService(typeof(IGroupSampler)) is IGroupSampler sampler)
        {
            return await sampler.SampleAsync(messages, Settings(null), seeds, cancellationToken);
        }

        return await Task.WhenAll(seeds.Select(seed => model.GetResponseAsync(messages.ToArray(), Settings(seed), cancellationToken)));
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
        IReadOnlyDictionary<string, object?> values = row.ToDictionary();
        if (system is not null)
        {
            messages.Add(new ChatMessage(ChatRole.System, system.Render(values)));
        }

        if (options.Messages is null)
        {
            messages.Add(new ChatMessage(ChatRole.User, prompt.Render(values)));
            return messages;
        }

        foreach (object? item in row[options.Messages] as IReadOnlyList<object?> ?? throw new RowFailedException("missing_value", $"column '{options.Messages}' is null"))
        {
            var message = (IReadOnlyDictionary<string, object?>)item!;
            messages.Add(new ChatMessage(new ChatRole((string)message["role"]!), (string?)message["content"] ?? ""));
        }

        return messages;
    }
}

public sealed record GenerateOptions
{
    [Description("Model to ask."), ModelReference(typeof(IChatClient))]
    public required string Model { get; init; }

    [Description("Liquid template of the user's message, over the row's columns.")]
    public string Prompt { get; init; } = "{{ prompt }}";

    [Description("Liquid template of a system message.")]
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
}
