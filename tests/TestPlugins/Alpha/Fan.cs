using System.Collections.Concurrent;
using Dataflow.Abstractions;
using Microsoft.Extensions.Logging;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.fan", "Makes 0 to 'copies' rows of each row, and sends the odd ones to a port of their own; fails as asked.")]
public sealed class Fan(FanOptions options) : IRowStage, IStage<FanOptions>
{
    private readonly ConcurrentDictionary<string, bool> tried = new(StringComparer.Ordinal);

    public static void Declare(FanOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by", StageInputs.Default, "integer");
        declaration.Out(declaration.Input.With(("copy", Columns.Integer)));
        declaration.Port("odd", declaration.Input, optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        long number = row[options.By] as long? ?? 0;
        if (options.DelayMilliseconds > 0 && number % 3 == 0)
        {
            await Task.Delay(options.DelayMilliseconds, cancellationToken);
        }

        if (options.Tell)
        {
            context.Logger.LogInformation("row");
        }

        Numbers.Check(number, options.FailEvery, options.FaultAt);
        if (Numbers.IsMultiple(number, options.CrashEvery))
        {
            throw new InvalidOperationException($"{number} crashes");
        }

        if (Numbers.IsMultiple(number, options.FlakyEvery) && tried.TryAdd(row.Id + Convert.ToHexString(row.Order), true))
        {
            throw new InvalidOperationException($"{number} crashes at first");
        }

        if (options.Same)
        {
            output.Emit("out", ("copy", -1L));
        }

        long copies = options.Same ? 0 : Math.Abs(number) % (options.Copies + 1);
        for (long copy = 0; copy < copies; copy++)
        {
            output.EmitChild("out", ("copy", copy));
        }

        if (number % 2 != 0)
        {
            output.Emit("odd");
        }
    }
}

public sealed record FanOptions
{
    public string By { get; init; } = "value";

    public long Copies { get; init; } = 3;

    /// <summary>Send the row itself on instead of copies.</summary>
    public bool Same { get; init; }

    public int FailEvery { get; init; }

    /// <summary>These throw something else than a row failure, at every attempt.</summary>
    public int CrashEvery { get; init; }

    /// <summary>These throw at their first attempt only.</summary>
    public int FlakyEvery { get; init; }

    public long? FaultAt { get; init; }

    public int DelayMilliseconds { get; init; }

    public bool Tell { get; init; }
}
