using System.Text.Json;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// What every training run does around its forward passes: the order of examples, the learning rate, the update, the
/// look at divergence, evaluation, early stop, checkpoints and resume. A trainer takes its turns one by one, adds up
/// gradients, and hands each turn back to <see cref="Update"/>. On the CPU, a resumed run ends in the same bits as an
/// undisturbed one.
/// </summary>
public sealed class TrainingSession : IDisposable
{
    private const string DivergedFile = "diverged-batch.json";

    private readonly TrainableWeights weights;
    private readonly TrainerOptions options;
    private readonly LearningRateSchedule schedule;
    private readonly AdamW optimizer;
    private readonly TrainingCheckpoint? checkpoints;
    private readonly DataOrder order;
    private readonly Func<IReadOnlyDictionary<string, double>>? evaluate;
    private readonly DivergenceWatch watch;
    private LoopState state;

    /// <param name="weights">What is trained.</param>
    /// <param name="examples">How many examples there are.</param>
    /// <param name="evaluate">Measures held-out data without gradients; its <c>loss</c> decides an early stop.</param>
    public TrainingSession(TrainableWeights weights, TrainerOptions options, int examples, Func<IReadOnlyDictionary<string, double>>? evaluate = null)
    {
        this.weights = weights;
        this.options = options;
        this.evaluate = evaluate;
        watch = new DivergenceWatch(options.DivergenceFactor);
        if (KeepsBest && options.CheckpointFolder is null)
        {
            throw new ArgumentException("the best weights are kept in a file: name a checkpoint folder", nameof(options));
        }

        int warmup = Math.Min(options.Steps, Math.Max(options.WarmupSteps, (int)Math.Round(options.WarmupRatio * options.Steps)));
        schedule = new LearningRateSchedule(options.Schedule, options.LearningRate, options.Steps, warmup, options.FloorRatio, options.DecayRatio);
        optimizer = new AdamW(weights.Parameters, options.WeightDecay, options.Optimizer);
        checkpoints = options.CheckpointFolder is null ? null : new TrainingCheckpoint(options.CheckpointFolder);
        order = new DataOrder(examples, options.Seed);
        state = checkpoints?.TryRestore(weights.Parameters, optimizer) ?? LoopState.Start;
        weights.Follow();
    }

    /// <summary>The steps that are left to do, from the last checkpoint on.</summary>
    public IEnumerable<TrainingTurn> Turns(CancellationToken cancellationToken = default)
    {
        while (state.Step < options.Steps && !StoppedEarly)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int step = state.Step + 1;
            yield return new TrainingTurn(step, order.Take((long)(step - 1) * options.BatchSize, options.BatchSize));
        }

        // No evaluation was better than none where each loss was NaN.
        if (KeepsBest && double.IsFinite(state.BestLoss))
        {
            checkpoints!.RestoreBest(weights.Parameters);
        }
    }

    /// <summary>Ends a turn: looks at its loss, updates the weights, evaluates and keeps a checkpoint where it is time to.</summary>
    /// <param name="describe">The batch in words or ids, kept in a file if the loss diverged.</param>
    /// <exception cref="TrainingException">The loss or the gradient is not a number, or the loss exploded.</exception>
    public void Update(TrainingTurn turn, Action<TrainingStep> onStep, Func<object> describe)
    {
        double norm = optimizer.GradientNorm();
        if (watch.Problem(state, turn.Loss, norm) is string problem)
        {
            throw new TrainingException($"{problem} at step {turn.Step}; examples {string.Join(", ", turn.Indices)}{Keep(turn, problem, describe)}");
        }

        double rate = schedule.At(turn.Step);
        optimizer.Step(turn.Step, rate, options.GradientClip, norm);
        weights.Follow();
        state = state.After(turn.Loss);
        if (evaluate is not null && options.EvaluateEvery > 0 && (turn.Step % options.EvaluateEvery == 0 || turn.Step == options.Steps))
        {
            Evaluate(turn);
        }

        onStep(new TrainingStep(turn.Step, turn.Loss, rate, norm, turn.Tokens, turn.Metrics));
        if (options.CheckpointEvery > 0 && turn.Step % options.CheckpointEvery == 0 && turn.Step < options.Steps)
        {
            options.BeforeCheckpoint?.Invoke();
            checkpoints?.Save(weights.Parameters, optimizer, state);
        }
    }

    public void Dispose() => optimizer.Dispose();

    private bool KeepsBest => evaluate is not null && options.EvaluateEvery > 0 && (options.KeepBest || options.Patience > 0);

    private bool StoppedEarly => options.Patience > 0 && state.WithoutGain >= options.Patience;

    private void Evaluate(TrainingTurn turn)
    {
        using var mode = no_grad();
        foreach ((string name, double value) in evaluate!())
        {
            turn.Add("eval_" + name, value);
        }

        double loss = turn.Metrics["eval_loss"];
        bool better = loss < state.BestLoss;
        state = better ? state with { BestLoss = loss, WithoutGain = 0 } : state with { WithoutGain = state.WithoutGain + 1 };
        if (better && KeepsBest)
        {
            checkpoints!.SaveBest(weights.Parameters);
        }
    }

    private string Keep(TrainingTurn turn, string problem, Func<object> describe)
    {
        if (options.CheckpointFolder is null)
        {
            return "";
        }

        Directory.CreateDirectory(options.CheckpointFolder);
        string path = Path.Combine(options.CheckpointFolder, DivergedFile);
        File.WriteAllText(path, JsonSerializer.Serialize(new { turn.Step, problem, Examples = turn.Indices, Batch = describe() }));
        return $"; the batch is in {path}";
    }
}
