using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Code;

/// <summary>What stages have in common that ask a model and run what it answers.</summary>
public abstract class SandboxedAskingStage<TOptions>(TOptions options, IChatClient model) : IEnvironmentCheck, IAsyncDisposable
    where TOptions : SandboxedAskingOptions
{
    private protected TOptions Options { get; } = options;

    private protected Teacher Teacher { get; } = new(model, options);

    private protected CodeRunner Runner { get; } = new(options);

    public virtual ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        CodeRunner.CheckEnvironmentAsync(Options.Sandbox, Options.Language, cancellationToken, Needed);

    /// <summary>Languages that the stage's own options name, besides that of the rows.</summary>
    private protected virtual IEnumerable<CodeLanguage> Needed => [];

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Runner.DisposeAsync();
    }

    private protected static void CheckCommon(TOptions options, StageDeclaration declaration)
    {
        CodeLanguages.CheckChoice(options.Language, declaration);
        CodeRunner.Check(options, options.Language, declaration);
    }
}
