using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.calls", "Makes so many calls per row at once, to a model that costs nothing; none, and it only yields.")]
public sealed class Calls(CallsOptions options) : IRowStage, IStage<CallsOptions>, IDisposable
{
    private readonly WaitingModel model = new(options.Waiting);

    public static void Declare(CallsOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        await MakeAsync(model, options.PerRow);
        output.Emit("out");
    }

    /// <summary>A row's calls, as they are made with and without the engine.</summary>
    public static async Task MakeAsync(WaitingModel model, int perRow)
    {
        if (perRow == 0)
        {
            await Task.Yield();
            return;
        }

        var calls = new Task[perRow];
        for (int i = 0; i < perRow; i++)
        {
            calls[i] = model.CallAsync();
        }

        await Task.WhenAll(calls);
    }

    public void Dispose() => model.Dispose();
}

public sealed record CallsOptions
{
    public int PerRow { get; init; }

    /// <summary>Calls that wait at the model at any moment.</summary>
    public int Waiting { get; init; } = 1;
}
