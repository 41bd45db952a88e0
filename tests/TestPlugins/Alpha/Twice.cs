using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.twice", "Reads its input once for a sum and once more to write the sum beside each row.")]
public sealed class Twice(TwiceOptions options) : IAggregate, IStage<TwiceOptions>
{
    public static void Declare(TwiceOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by", StageInputs.Default, "integer");
        declaration.Out(declaration.Input.With(("sum", Columns.Integer)));
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long sum = 0;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            sum += Numbers.Checked(batch.Data, options.By, 0, options.FaultAt).Sum();
        }

        Schema schema = inputs.In.Schema.With(("sum", Columns.Integer));
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            var sums = new Int64Array.Builder().AppendRange(Enumerable.Repeat(sum, batch.Length)).Build();
            IEnumerable<IArrowArray> columns = schema.FieldsList.Select(field =>
                field.Name == "sum" ? sums : ArrowArrayFactory.SliceShared(batch.Data.Column(batch.Data.Schema.GetFieldIndex(field.Name)), 0, batch.Length));
            yield return new PortBatch("out", new RecordBatch(schema, columns, batch.Length), batch.RowIds);
        }
    }
}

public sealed record TwiceOptions
{
    public string By { get; init; } = "value";

    public long? FaultAt { get; init; }
}
