using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.LlamaModel;

[Model("llama", "A Llama checkpoint in this process: from disk, or from the trainer stage named by 'from'.", AcceptsArtifact = true)]
public sealed class LlamaProvider(LlamaModelOptions options, ModelContext context) : IModelProvider<IChatClient>, IModelProvider<Checkpoint>, IModelEnvironmentCheck, IDeclaredModel<LlamaModelOptions>
{
    private readonly CheckpointFolder checkpoint = new(options.Checkpoint, context);
    private LlamaChatClient? client;

    public static void Declare(LlamaModelOptions options, ModelDeclaration declaration) => CheckpointFolder.Declare(options.Checkpoint, declaration);

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult("llama:" + checkpoint.Hash);

    ValueTask<Checkpoint> IModelProvider<Checkpoint>.OpenAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Checkpoint(checkpoint.Path, checkpoint.Hash));

    ValueTask<IChatClient> IModelProvider<IChatClient>.OpenAsync(CancellationToken cancellationToken)
    {
        TorchRuntime.SetThreads(context.Threads);
        try
        {
            client = new LlamaChatClient(GenerationCheckpoint.Load(checkpoint.Path, TorchRuntime.Resolve(options.Device)), context.Threads);
        }
        catch (CheckpointException failure)
        {
            throw new StageFailedException($"model '{context.Name}': {failure.Message}", failure);
        }

        return ValueTask.FromResult<IChatClient>(client);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(TorchRuntime.Problem(options.Device), checkpoint.Problem()));

    public ValueTask DisposeAsync()
    {
        client?.Unload();
        return ValueTask.CompletedTask;
    }
}

public sealed record LlamaModelOptions
{
    [Description("Checkpoint folder in Hugging Face layout; not needed with 'from'."), PathOption]
    public string? Checkpoint { get; init; }

    [Description("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";
}
