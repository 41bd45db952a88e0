using System.Runtime.CompilerServices;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;
using Microsoft.Extensions.Logging;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.generate", "Makes numbered rows in batches of given sizes.")]
public sealed class Generate(GenerateOptions options) : ISource, IStage<GenerateOptions>
{
    private static readonly Schema Made = Columns.Schema(("value", Columns.Integer), ("text", Columns.Text));

    public static void Declare(GenerateOptions options, StageDeclaration declaration) => declaration.Out(Made);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IReadOnlyList<int> sizes = options.Batches.Any(size => size > 0) ? options.Batches : [context.BatchRows];
        long made = 0;
        for (int batch = 0; made < options.Rows; batch++)
        {
            int size = (int)Math.Min(sizes[batch % sizes.Count], options.Rows - made);
            for (long row = made; row < made + size; row++)
            {
                if (row == options.FaultAt)
                {
                    throw new StageFailedException($"fault at {row}");
                }

                if (Numbers.IsMultiple(row, options.ErrorEvery))
                {
                    await context.ReportInputErrorAsync("unusable", $"input {row} is unusable", $"input {row}", cancellationToken);
                }
            }

            yield return Make(made, size);
            made += size;
            if (options.Tell)
            {
                context.Logger.LogInformation("rows");
            }
        }
    }

    private RecordBatch Make(long first, int size)
    {
        var values = new Int64Array.Builder().Reserve(size);
        var texts = new StringArray.Builder().Reserve(size);
        Span<byte> text = stackalloc byte[Math.Max(options.TextLength, 24)];
        for (long row = first; row < first + size; row++)
        {
            long value = options.Start + (options.Distinct > 0 ? row % options.Distinct : row);
            if (Numbers.IsMultiple(row, options.NullEvery))
            {
                values.AppendNull();
                texts.AppendNull();
                continue;
            }

            values.Append(value);
            text.Fill((byte)'.');
            text[0] = (byte)'t';
            Encoding.ASCII.TryGetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture), text[1..], out int digits);
            texts.Append(text[..Math.Max(options.TextLength, digits + 1)]);
        }

        return new RecordBatch(Made, [values.Build(), texts.Build()], size);
    }
}

public sealed record GenerateOptions
{
    public required long Rows { get; init; }

    public long Start { get; init; }

    /// <summary>Values repeat after so many rows; 0: never.</summary>
    public long Distinct { get; init; }

    /// <summary>Sizes of the batches, over and over; empty: the run's batch_rows.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [];

    public int ErrorEvery { get; init; }

    public int NullEvery { get; init; }

    public long? FaultAt { get; init; }

    /// <summary>Shortest text, in characters.</summary>
    public int TextLength { get; init; }

    /// <summary>Log a line per batch, so that a test can act at a given progress.</summary>
    public bool Tell { get; init; }
}
