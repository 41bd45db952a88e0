using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.trouble", "Fails on rows whose value is a multiple of 'fail_every' or listed in a file, doubles the others, slowly if asked.")]
public sealed class Trouble(TroubleOptions options) : IRowStage, IStage<TroubleOptions>
{
    public static void Declare(TroubleOptions options, StageDeclaration declaration)
    {
        declaration.Require("value", "", StageInputs.Default, "integer");
        declaration.Out(declaration.Input.With(("doubled", Columns.Integer)));
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        long value = row.Integer("value");
        // Rows take unequal time, so that they end out of order.
        await Task.Delay(options.DelayMilliseconds * (int)(value % 4), cancellationToken);
        if (Lists(options.HangOn, value, context))
        {
            await Task.Delay(Timeout.Infinite, options.Deaf ? CancellationToken.None : cancellationToken);
        }

        if (Lists(options.ExitOn, value, context))
        {
            Environment.Exit(0);
        }

        if (Lists(options.FailOn, value, context))
        {
            throw new RowFailedException("listed", $"{value} is in {options.FailOn}");
        }

        if (options.FailEvery > 0 && value % options.FailEvery == 0)
        {
            throw new RowFailedException("multiple", $"{value} is a multiple of {options.FailEvery}");
        }

        for (int copy = 0; copy < options.Copies; copy++)
        {
            output.EmitChild(options.Port, (options.Column, value * 2));
        }
    }

    private static bool Lists(string? file, long value, StageContext context) =>
        file is not null && File.ReadAllText(context.ResolvePath(file)).Split(' ').Contains(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}

public sealed record TroubleOptions
{
    public int FailEvery { get; init; }

    /// <summary>A file of values on which it fails.</summary>
    public string? FailOn { get; init; }

    /// <summary>A file of values on which it never ends.</summary>
    public string? HangOn { get; init; }

    /// <summary>A file of values on which it ends the process.</summary>
    public string? ExitOn { get; init; }

    /// <summary>It does not end when the run is aborted either.</summary>
    public bool Deaf { get; init; }

    /// <summary>Port to emit to; only "out" is declared.</summary>
    public string Port { get; init; } = "out";

    /// <summary>Column to set; only "doubled" is declared.</summary>
    public string Column { get; init; } = "doubled";

    public int DelayMilliseconds { get; init; }

    public int Copies { get; init; } = 1;
}
