using Dataflow.Abstractions;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>A stage's pool of sandboxes, which starts with its first use; what keeps one from being used fails the row.</summary>
/// <param name="slots">Programs at a time; the number of processors if null.</param>
internal sealed class LanguageSandbox(int? slots, SandboxBackend backend) : IAsyncDisposable
{
    private readonly Lazy<SandboxPool> pool = new(() => SandboxPool.Create(slots ?? Environment.ProcessorCount, backend));

    public SandboxPool Pool => pool.Value;

    /// <exception cref="RowFailedException"><c>no_toolchain</c>.</exception>
    public static void RequireToolchain(Language language)
    {
        if (language.Problem() is string absent)
        {
            throw new RowFailedException("no_toolchain", absent);
        }
    }

    /// <exception cref="RowFailedException"><c>no_toolchain</c>: the language is not installed; <c>sandbox</c>: it failed.</exception>
    public async Task<T> UseAsync<T>(Language language, Func<SandboxPool, Task<T>> use)
    {
        RequireToolchain(language);
        try
        {
            return await use(Pool);
        }
        catch (SandboxException failure)
        {
            throw new RowFailedException("sandbox", failure.Message, failure);
        }
    }

    public ValueTask DisposeAsync() => pool.IsValueCreated ? pool.Value.DisposeAsync() : ValueTask.CompletedTask;
}
