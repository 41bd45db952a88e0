using System.Globalization;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.train", "A trainer whose weights are the weighted sum of a column; looks at no other column.")]
public sealed class Summing(SummingOptions options) : ITrainer, IStage<SummingOptions>
{
    public static void Declare(SummingOptions options, StageDeclaration declaration) => declaration.Require("value", "", StageInputs.Default, "integer");

    public async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        string checkpoint = Path.Combine(context.WorkFolder, "sum");
        long[] saved = File.Exists(checkpoint) ? (await File.ReadAllTextAsync(checkpoint, cancellationToken)).Split(' ').Select(part => long.Parse(part, CultureInfo.InvariantCulture)).ToArray() : [0, 0];
        long sum = saved[1];
        long step = 0;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                if (++step <= saved[0])
                {
                    continue;
                }

                sum += step * batch.RowAt(i).Integer("value") * options.Rate;
                if (options.BreakAfter is not null)
                {
                    context.Report(new Metric("loss", sum, step));
                }

                if (step == options.BreakAfter)
                {
                    await context.MetricsJournalled;
                    await File.WriteAllTextAsync(checkpoint, $"{step} {sum}", cancellationToken);
                    throw new StageFailedException("broken once");
                }
            }
        }

        context.Report(new Metric("loss", 1.0 / step, step));
        Directory.CreateDirectory(context.ArtifactFolder);
        await File.WriteAllTextAsync(Path.Combine(context.ArtifactFolder, "weights.txt"), sum.ToString(CultureInfo.InvariantCulture), cancellationToken);
    }
}

public sealed record SummingOptions
{
    public int Rate { get; init; } = 1;

    /// <summary>Fails once, after a checkpoint at this step, and reports every step.</summary>
    public long? BreakAfter { get; init; }
}
