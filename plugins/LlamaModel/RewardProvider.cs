using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.LlamaModel;

[Model("llama_reward", "A reward model in this process: from disk, or from the train.reward stage named by 'from'.", AcceptsArtifact = true)]
public sealed class RewardProvider(RewardModelOptions options, ModelContext context) : IModelProvider<IRewardModel>, IModelProvider<Checkpoint>, IModelEnvironmentCheck, IDeclaredModel<RewardModelOptions>
{
    private readonly CheckpointFolder checkpoint = new(options.Checkpoint, context);
    private RewardScorer? scorer;

    public static void Declare(RewardModelOptions options, ModelDeclaration declaration) => CheckpointFolder.Declare(options.Checkpoint, declaration);

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult("llama_reward:" + (options.Standardize ? "standardized:" : "") + checkpoint.Hash);

    ValueTask<Checkpoint> IModelProvider<Checkpoint>.OpenAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Checkpoint(checkpoint.Path, checkpoint.Hash));

    ValueTask<IRewardModel> IModelProvider<IRewardModel>.OpenAsync(CancellationToken cancellationToken)
    {
        TorchRuntime.SetThreads(context.Threads);
        try
        {
            scorer = new RewardScorer(RewardCheckpoint.Load(checkpoint.Path, TorchRuntime.Resolve(options.Device)), ModelCheckpoint.LoadTokenizer(checkpoint.Path), options.Standardize, context.Threads);
        }
        catch (CheckpointException failure)
        {
            throw new StageFailedException($"model '{context.Name}': {failure.Message}", failure);
        }

        return ValueTask.FromResult<IRewardModel>(scorer);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(TorchRuntime.Problem(options.Device), checkpoint.Problem()));

    public ValueTask DisposeAsync()
    {
        scorer?.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Scores each conversation in a row of its own, at its terminator: a score hangs on nothing but the conversation.</summary>
internal sealed class RewardScorer(RewardModel model, LlamaTokenizer tokenizer, bool standardize, int threads) : IRewardModel, IDisposable
{
    private readonly ChatTemplate template = new(tokenizer);

    public Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<IReadOnlyList<ChatMessage>> conversations, CancellationToken cancellationToken) =>
        Task.Run(
            () =>
            {
                TorchRuntime.SetThreads(threads);
                return (IReadOnlyList<double>)conversations.Select(Score).ToArray();
            },
            cancellationToken);

    public void Dispose() => model.Dispose();

    private double Score(IReadOnlyList<ChatMessage> conversation)
    {
        int[] ids = template.Encode(conversation.Select(message => new DialogMessage(message.Role.Value, message.Text)).ToArray()).Ids;
        if (ids.Length > model.Trunk.Config.ContextLength)
        {
            throw new RowFailedException("too_long", $"{ids.Length} tokens are more than the reward model's {model.Trunk.Config.ContextLength}");
        }

        double score = model.Score(ids)[0];
        return standardize ? (score - model.Scale.Mean) / Math.Max(model.Scale.Deviation, 1e-8) : score;
    }
}

public sealed record RewardModelOptions
{
    [Description("Checkpoint folder of a reward model (a sequence classifier with one label); not needed with 'from'."), PathOption]
    public string? Checkpoint { get; init; }

    [Description("Give (score - mean) / std of the training data, so that reward models of different scale compare.")]
    public bool Standardize { get; init; }

    [Description("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";
}
