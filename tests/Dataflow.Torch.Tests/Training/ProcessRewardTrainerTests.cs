using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class ProcessRewardTrainerTests
{
    private static RewardModel Train(TrainerOptions options, List<TrainingStep> steps, LabelledTrace[]? traces = null)
    {
        RewardModel model = Miniatures.RewardModel();
        new ProcessRewardTrainer(model, 0, options).Train(traces ?? Miniatures.Traces(10), steps.Add);
        return model;
    }

    [Fact]
    public void Accumulation_over_four_is_one_batch_of_four()
    {
        var (first, second) = (new List<TrainingStep>(), new List<TrainingStep>());
        using RewardModel whole = Train(Miniatures.Options(3), first);
        using RewardModel parts = Train(Miniatures.Options(3) with { MicroBatchRows = 1 }, second);
        Miniatures.AssertClose(whole.Trunk.Parameters, parts.Trunk.Parameters, 1e-4);
        AssertClose(first.Select(step => step.Loss).ToArray(), second.Select(step => step.Loss).ToArray(), 1e-4);
    }

    [Fact]
    public void The_first_loss_is_that_of_the_scores_at_the_ends_of_steps()
    {
        using RewardModel model = Miniatures.RewardModel();
        LabelledTrace trace = Miniatures.Traces(2)[1];
        double[] scores = model.Score(trace.Ids, trace.Ends);
        double expected = scores.Zip(trace.Labels, (z, y) => -(y * -Math.Log(1 + Math.Exp(-z))) - ((1 - y) * -Math.Log(1 + Math.Exp(z)))).Average();
        var steps = new List<TrainingStep>();
        Train(Miniatures.Options(1) with { BatchSize = 1 }, steps, [trace]).Dispose();
        AssertClose([expected], [steps[0].Loss]);
    }

    [Fact]
    public void Training_separates_right_from_wrong_steps()
    {
        var steps = new List<TrainingStep>();
        LabelledTrace[] traces = Miniatures.Traces(12).Select(trace => trace with { Ends = [3], Labels = [trace.Labels[0]] }).ToArray();
        using RewardModel model = Train(Miniatures.Options(40) with { LearningRate = 3e-3 }, steps, traces);
        Assert.Equal(1, steps[^1].Metrics["accuracy"], 6);
    }
}
