using System.Globalization;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.train", "A trainer whose weights are the weighted sum of a column; looks at no other column.")]
public sealed class Summing(SummingOptions options) : ITrainer, IStage<SummingOptions>
{
    public static void Declare(SummingOptions options, StageDeclaration declaration) => declaration.Require("value", "", StageInputs.Default, "integer");

    public async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        long sum = 0;
        long step = 0;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                sum += ++step * batch.RowAt(i).Integer("value") * options.Rate;
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
}
