using Apache.Arrow;
using Dataflow.Abstractions;
using Microsoft.Extensions.Logging;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.map", "Writes a multiple of a number into a column; a batch with a row of trouble throws as a whole.")]
public sealed class Map(MapOptions options) : IBatchTransform, IStage<MapOptions>
{
    public static void Declare(MapOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by", StageInputs.Default, "integer");
        declaration.Out(declaration.Input.With((options.Column, Columns.Integer)));
    }

    public async ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        await Task.Yield();
        long[] numbers = Numbers.Checked(batch, options.By, options.FailEvery, options.FaultAt, options.CancelEvery);
        Schema schema = batch.Schema.With((options.Column, Columns.Integer));
        var mapped = new Int64Array.Builder().AppendRange(numbers.Select(number => (number * options.Factor) + 1)).Build();
        IEnumerable<IArrowArray> columns = schema.FieldsList.Select(field =>
            field.Name == options.Column ? mapped : ArrowArrayFactory.SliceShared(batch.Column(batch.Schema.GetFieldIndex(field.Name)), 0, batch.Length));
        if (options.Tell)
        {
            context.Logger.LogInformation("rows");
        }

        return new RecordBatch(schema, columns, batch.Length);
    }
}

public sealed record MapOptions
{
    public string By { get; init; } = "value";

    public string Column { get; init; } = "mapped";

    public long Factor { get; init; } = 2;

    public int FailEvery { get; init; }

    /// <summary>These throw what a call throws that took too long.</summary>
    public int CancelEvery { get; init; }

    public long? FaultAt { get; init; }

    public bool Tell { get; init; }
}
