using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.LlamaModel;

[Model("llama", "A Llama checkpoint in this process: from disk, or from the trainer stage named by 'from'.", AcceptsArtifact = true)]
public sealed class LlamaProvider(LlamaModelOptions options, ModelContext context) : IModelProvider<IChatClient>, IModelProvider<Checkpoint>, IModelEnvironmentCheck, IDeclaredModel<LlamaModelOptions>
{
    private LlamaChatClient? client;
    private string? hash;

    public static void Declare(LlamaModelOptions options, ModelDeclaration declaration)
    {
        if ((options.Checkpoint is null) == (declaration.From is null))
        {
            declaration.Error("checkpoint", "give either 'with: { checkpoint: FOLDER }' or 'from: TRAINER_STAGE'");
        }
        else if (options.Checkpoint is not null && Problem(declaration.ResolvePath(options.Checkpoint)) is string problem)
        {
            declaration.Error("checkpoint", problem);
        }
    }

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult("llama:" + Hash());

    ValueTask<Checkpoint> IModelProvider<Checkpoint>.OpenAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Checkpoint(Folder(), Hash()));

    ValueTask<IChatClient> IModelProvider<IChatClient>.OpenAsync(CancellationToken cancellationToken)
    {
        TorchRuntime.SetThreads(context.Threads);
        string folder = Folder();
        client = new LlamaChatClient(
            ModelCheckpoint.LoadModel(folder, TorchRuntime.Resolve(options.Device)), ModelCheckpoint.LoadTokenizer(folder), context.Threads);
        return ValueTask.FromResult<IChatClient>(client);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(TorchRuntime.Problem(options.Device)));

    public ValueTask DisposeAsync()
    {
        client?.Unload();
        return ValueTask.CompletedTask;
    }

    private string Folder()
    {
        string folder = context.ArtifactFolder ?? (options.Checkpoint is null
            ? throw new StageFailedException($"model '{context.Name}': give 'with: {{ checkpoint: FOLDER }}' or 'from: TRAINER_STAGE'")
            : context.ResolvePath(options.Checkpoint));
        return Directory.Exists(folder) ? folder : throw new StageFailedException($"model '{context.Name}': there is no checkpoint folder '{folder}'");
    }

    private static string? Problem(string folder) =>
        !Directory.Exists(folder) ? $"there is no checkpoint folder '{folder}'"
        : !File.Exists(Path.Combine(folder, "config.json")) ? $"'{folder}' holds no config.json, so it is no checkpoint in Hugging Face layout"
        : null;

    private string Hash() => hash ??= ModelCheckpoint.Hash(Folder());
}

public sealed record LlamaModelOptions
{
    [Description("Checkpoint folder in Hugging Face layout; not needed with 'from'."), PathOption]
    public string? Checkpoint { get; init; }

    [Description("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";
}
