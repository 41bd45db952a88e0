using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

public enum PreferenceLossKind
{
    /// <summary>−log σ(β Δ) (Rafailov et al. 2023).</summary>
    Dpo,

    /// <summary>DPO on log-ratios divided by their response's counted tokens (Lambert et al. 2024, Tülu 3).</summary>
    LengthNormalized,

    /// <summary>−log σ(β (log π_c / n_c − log π_r / n_r) − γ), without a reference (Meng et al. 2024).</summary>
    SimPo,

    /// <summary>(Δ − 1 / 2β)² on log-ratios per counted token (Azar et al. 2023; averaged as its authors advise).</summary>
    Ipo,
}

/// <summary>What the NLL term of the chosen response is divided by.</summary>
public enum NllNormalization
{
    /// <summary>Mean over a response's tokens, then over the pairs (Pang et al. 2024, revised).</summary>
    Sequence,

    /// <summary>Mean over all chosen tokens of the step.</summary>
    Token,

    /// <summary>Sum over a response's tokens, mean over the pairs.</summary>
    Sum,
}

/// <summary>Settings of a preference loss. Llama 3: β 0.1, NLL weight 0.2.</summary>
/// <param name="Margin">SimPO's γ / β.</param>
public sealed record PreferenceLossOptions(
    PreferenceLossKind Kind = PreferenceLossKind.Dpo, double Beta = 0.1, double Margin = 0.5, double NllWeight = 0.2,
    NllNormalization NllNormalization = NllNormalization.Sequence);

/// <summary>Log-probabilities of pairs, each summed over the counted tokens of a response; all [N].</summary>
/// <param name="ReferenceChosen">Null where the loss takes no reference.</param>
/// <param name="ChosenLengths">Counted tokens of each chosen response.</param>
public sealed record PreferenceTerms(
    Tensor PolicyChosen, Tensor PolicyRejected, Tensor? ReferenceChosen, Tensor? ReferenceRejected, Tensor ChosenLengths, Tensor RejectedLengths);

/// <summary>Losses of preference pairs (Llama 3 paper, section 4.1.4).</summary>
public static class PreferenceLoss
{
    /// <summary>Loss [N] of each pair, without the NLL term.</summary>
    public static Tensor Pairs(PreferenceTerms terms, PreferenceLossOptions options)
    {
        Tensor chosen = Ratio(terms.PolicyChosen, terms.ReferenceChosen, options.Kind);
        Tensor rejected = Ratio(terms.PolicyRejected, terms.ReferenceRejected, options.Kind);
        if (options.Kind != PreferenceLossKind.Dpo)
        {
            chosen = chosen.div(terms.ChosenLengths);
            rejected = rejected.div(terms.RejectedLengths);
        }

        Tensor difference = chosen.sub(rejected);
        return options.Kind switch
        {
            PreferenceLossKind.Ipo => difference.Plus(-1 / (2 * options.Beta)).Squared(),
            PreferenceLossKind.SimPo => difference.Times(options.Beta).Plus(-options.Beta * options.Margin).LogSigmoid().neg(),
            _ => difference.Times(options.Beta).LogSigmoid().neg(),
        };
    }

    /// <summary>NLL of the chosen responses, to be added with its weight; micro-batches of one step add up.</summary>
    /// <param name="logProbabilities">[N]: log p summed over all tokens of a chosen response, terminators included.</param>
    /// <param name="lengths">[N]: how many those are.</param>
    /// <param name="pairs">Pairs in the whole step.</param>
    /// <param name="tokens">Chosen tokens in the whole step.</param>
    public static Tensor Nll(Tensor logProbabilities, Tensor lengths, long pairs, long tokens, NllNormalization normalization) => normalization switch
    {
        NllNormalization.Sequence => logProbabilities.div(lengths).sum().neg().Over(pairs),
        NllNormalization.Token => logProbabilities.sum().neg().Over(tokens),
        _ => logProbabilities.sum().neg().Over(pairs),
    };

    private static Tensor Ratio(Tensor policy, Tensor? reference, PreferenceLossKind kind) =>
        kind == PreferenceLossKind.SimPo ? policy
        : reference is null ? throw new ArgumentException($"{kind} needs the reference's log-probabilities")
        : policy.sub(reference);
}
