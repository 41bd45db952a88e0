using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>What the token losses of a step are divided by.</summary>
public enum PolicyNormalization
{
    /// <summary>Mean over a response's tokens, then over responses (GRPO).</summary>
    Sequence,

    /// <summary>Mean over all tokens of the step (DAPO, Yu et al. 2025): long responses weigh by their length.</summary>
    Token,
}

/// <summary>Settings of group-relative policy optimisation.</summary>
/// <param name="Samples">Responses per prompt.</param>
/// <param name="KlWeight">Weight of the k3 estimate of KL(policy ‖ reference); 0 needs no reference.</param>
public sealed record GrpoOptions(
    int Samples = 8, AdvantageKind Advantage = AdvantageKind.SampleStandard, PolicyNormalization Normalization = PolicyNormalization.Token, double KlWeight = 0);

/// <summary>
/// GRPO with verifiable rewards (Shao et al. 2024): draw a group of responses to each prompt, reward each, and raise the
/// probability of what was better than its group. One update a batch, so that policy and sampler are the same and the
/// ratio is 1. Groups whose rewards are all equal teach nothing and are left out.
/// </summary>
/// <param name="reference">Frozen model for the KL term; null without one.</param>
public sealed class GrpoTrainer(LlamaModel model, LlamaModel? reference, int padId, TrainerOptions options, GrpoOptions grpo, SamplingOptions sampling)
{
    /// <param name="prompts">Token ids, each ended by the header of the response.</param>
    /// <param name="reward">Reward of a response (ids without terminator) to a prompt, by the prompt's index.</param>
    /// <param name="heldOut">Prompts to evaluate on, with the reward of a response by the prompt's index; null for none.</param>
    /// <exception cref="TrainingException">No prompts; a loss that diverges.</exception>
    public void Train(
        IReadOnlyList<int[]> prompts, Func<int, int[], double> reward, Action<TrainingStep> onStep, CancellationToken cancellationToken = default,
        (IReadOnlyList<int[]> Prompts, Func<int, int[], double> Reward)? heldOut = null)
    {
        if (prompts.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no prompts");
        }

        using var weights = new TrainableWeights(model, options);
        var sampler = new LlamaSampler(weights.Model);
        using var session = new TrainingSession(
            weights, options, prompts.Count, heldOut is { Prompts.Count: > 0 } held ? () => Evaluate(sampler, held.Prompts, held.Reward, cancellationToken) : null);
        foreach (TrainingTurn turn in session.Turns(cancellationToken))
        {
            List<Rollout> rollouts = Sample(sampler, prompts, reward, turn, cancellationToken);
            turn.Tokens = rollouts.Sum(rollout => (long)rollout.Sequence.TrainedTokens);
            foreach (Rollout[] rows in rollouts.Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : Math.Max(1, rollouts.Count)))
            {
                using var scope = NewDisposeScope();
                Tensor loss = Loss(weights.Model, rows, rollouts.Count, turn);
                weights.Backward(loss);
                turn.Loss += loss.Number();
            }

            session.Update(turn, onStep, () => rollouts);
        }

        weights.Complete();
    }

    // The likeliest response to each prompt; what is to become small is by how much its reward falls short of 1.
    private Dictionary<string, double> Evaluate(LlamaSampler sampler, IReadOnlyList<int[]> prompts, Func<int, int[], double> reward, CancellationToken cancellationToken)
    {
        SamplingOptions greedy = sampling with { Temperature = 0 };
        double mean = prompts.Select((prompt, i) => reward(i, sampler.SampleGroup(prompt, [0], greedy, cancellationToken)[0].Ids)).Average();
        return new Dictionary<string, double> { ["loss"] = 1 - mean, ["reward"] = mean };
    }

    private sealed record Rollout(TrainingExample Sequence, double Advantage);

    private List<Rollout> Sample(LlamaSampler sampler, IReadOnlyList<int[]> prompts, Func<int, int[], double> reward, TrainingTurn turn, CancellationToken cancellationToken)
    {
        var rollouts = new List<Rollout>();
        for (int i = 0; i < turn.Indices.Length; i++)
        {
            int[] prompt = prompts[turn.Indices[i]];
            ulong[] seeds = Enumerable.Range(0, grpo.Samples).Select(k => DataOrder.Mix(options.Seed ^ DataOrder.Mix(((ulong)turn.Step << 40) ^ ((ulong)i << 20) ^ (ulong)k))).ToArray();
            IReadOnlyList<Sample> samples = sampler.SampleGroup(prompt, seeds, sampling, cancellationToken);
            double[] rewards = samples.Select(sample => reward(turn.Indices[i], sample.Ids)).ToArray();
            double[] advantages = PolicyGradient.Advantages(rewards, grpo.Advantage);
            turn.Add("reward", rewards.Average() / turn.Indices.Length);
            turn.Add("length", samples.Average(sample => sample.Ids.Length) / turn.Indices.Length);
            bool teaches = advantages.Any(advantage => advantage != 0);
            turn.Add("groups_with_signal", teaches ? 1.0 / turn.Indices.Length : 0);
            for (int k = 0; teaches && k < samples.Count; k++)
            {
                int[] response = samples[k].StopToken is int stop ? [.. samples[k].Ids, stop] : samples[k].Ids;
                int[] ids = [.. prompt, .. response];
                rollouts.Add(new Rollout(new TrainingExample(ids, ids.Select((_, t) => t >= prompt.Length).ToArray()), advantages[k]));
            }
        }

        return rollouts;
    }

    private Tensor Loss(LlamaModel passes, Rollout[] rows, int responses, TrainingTurn turn)
    {
        TrainingBatch inputs = TrainingBatch.Pad(rows.Select(row => row.Sequence).ToArray(), padId, model.Device);
        Tensor policy = Losses.TokenLogProbabilities(passes.Forward(inputs.Ids), inputs.Labels);
        Tensor Column(IEnumerable<double> values) => tensor(values.ToArray()).to(policy.dtype).to(model.Device).unsqueeze(1);
        Tensor trained = inputs.Layout.Flags(rows.Select(row => row.Sequence.Train).ToArray(), policy.dtype, model.Device);
        Tensor losses = PolicyGradient.Clipped(policy, policy.detach(), Column(rows.Select(row => row.Advantage)));
        if (grpo.KlWeight > 0)
        {
            Tensor divergence = PolicyGradient.KullbackLeibler(policy, ReferenceOf(inputs));
            turn.Add("kl", divergence.detach().mul(trained).sum().Number() / turn.Tokens);
            losses = losses.Plus(divergence.Times(grpo.KlWeight));
        }

        double Share(Rollout row) => grpo.Normalization == PolicyNormalization.Token ? 1.0 / turn.Tokens : 1.0 / (row.Sequence.TrainedTokens * responses);
        return losses.mul(trained).mul(Column(rows.Select(Share))).sum();
    }

    private Tensor ReferenceOf(TrainingBatch inputs)
    {
        using var mode = no_grad();
        return Losses.TokenLogProbabilities((reference ?? throw new ArgumentException("a KL term needs the reference model")).Forward(inputs.Ids), inputs.Labels);
    }
}
