using System.ComponentModel;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Training;

[Stage("reward.score", "Scores conversations with a reward model; higher is better.")]
public sealed class RewardScore(RewardScoreOptions options, IRewardModel model) : IRowStage, IStage<RewardScoreOptions>
{
    public static void Declare(RewardScoreOptions options, StageDeclaration declaration)
    {
        if (options.Response is null)
        {
            Dialogs.Require(options.Messages, declaration);
        }
        else
        {
            declaration.Require(options.Prompt, "prompt", StageInputs.Default, "text");
            declaration.Require(options.Response, "response", StageInputs.Default, "text");
        }

        declaration.Out(declaration.Input.With((options.Output, Columns.Number)));
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        ChatMessage[] conversation = options.Response is null
            ? Dialogs.Read(row, options.Messages, lastOnly: false).Select(message => new ChatMessage(new ChatRole(message.Role), message.Content)).ToArray()
            : [new ChatMessage(ChatRole.User, row.Text(options.Prompt)), new ChatMessage(ChatRole.Assistant, row.Text(options.Response))];
        if (conversation.Length == 0 || conversation[^1].Role != ChatRole.Assistant)
        {
            throw new RowFailedException("no_response", "the conversation does not end with the assistant, so there is nothing to score");
        }

        IReadOnlyList<double> scores = await model.ScoreAsync([conversation], cancellationToken);
        output.Emit("out", (options.Output, scores[0]));
    }
}

public sealed record RewardScoreOptions
{
    [Description("Reward model."), ModelReference(typeof(IRewardModel))]
    public required string Model { get; init; }

    [Description("Column holding the conversation, where 'response' is absent.")]
    public string Messages { get; init; } = "messages";

    [Description("Column holding the prompt of 'response'.")]
    public string Prompt { get; init; } = "prompt";

    [Description("Column holding a response to 'prompt', to score the two as a conversation.")]
    public string? Response { get; init; }

    [Description("Column that the score is written to.")]
    public string Output { get; init; } = "score";
}
