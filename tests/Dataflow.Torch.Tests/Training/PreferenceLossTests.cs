using Dataflow.Torch.Text;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class PreferenceLossTests
{
    private static PreferenceTerms Batch() => new(
        tensor(new double[] { -12, -30 }), tensor(new double[] { -15, -28 }), tensor(new double[] { -13, -29 }), tensor(new double[] { -14, -29.5 }),
        tensor(new double[] { 8, 40 }), tensor(new double[] { 10, 35 }));

    [Fact]
    public void Dpo_losses_and_gradient_match_the_reference()
    {
        using var scope = NewDisposeScope();
        PreferenceTerms terms = Batch();
        Tensor chosen = terms.PolicyChosen.requires_grad_(true);
        Tensor losses = PreferenceLoss.Pairs(terms, new PreferenceLossOptions());
        losses[0].backward();
        AssertClose(Numbers("dpo", "batch_losses"), losses.Values());
        AssertClose(Number("dpo", "batch_mean"), losses.mean());
        AssertClose(Number("dpo", "single"), losses[0]);
        AssertClose(Number("dpo", "grad_logp_c"), chosen.grad![0]);
    }

    [Theory]
    [InlineData(NllNormalization.Sequence, "per_seq")]
    [InlineData(NllNormalization.Token, "token")]
    [InlineData(NllNormalization.Sum, "sum")]
    public void The_nll_term_matches_the_reference_in_each_normalisation(NllNormalization kind, string name)
    {
        using var scope = NewDisposeScope();
        PreferenceTerms terms = Batch();
        Tensor nll = PreferenceLoss.Nll(terms.PolicyChosen, terms.ChosenLengths, 2, 48, kind);
        AssertClose((double)At("dpo", "nll")[name]!, nll);
        AssertClose((double)At("dpo", "total")[name]!, PreferenceLoss.Pairs(terms, new PreferenceLossOptions()).mean().Plus(nll.Times(0.2)));
    }

    [Fact]
    public void Length_normalised_dpo_and_simpo_match_the_reference()
    {
        using var scope = NewDisposeScope();
        AssertClose(Numbers("dpo", "dpo_norm_b5"), PreferenceLoss.Pairs(Batch(), new PreferenceLossOptions(PreferenceLossKind.LengthNormalized, 5)).Values());
        AssertClose(Numbers("dpo", "simpo_b2_g.5"), PreferenceLoss.Pairs(Batch() with { ReferenceChosen = null }, new PreferenceLossOptions(PreferenceLossKind.SimPo, 2, 0.5)).Values());
    }

    [Fact]
    public void Ipo_draws_the_difference_per_token_to_half_of_one_over_beta()
    {
        using var scope = NewDisposeScope();
        PreferenceTerms terms = Batch();
        double[] expected = [Math.Pow((1.0 / 8) + (1.0 / 10) - 5, 2), Math.Pow((-1.0 / 40) - (1.5 / 35) - 5, 2)];
        AssertClose(expected, PreferenceLoss.Pairs(terms, new PreferenceLossOptions(PreferenceLossKind.Ipo)).Values(), 1e-9);
    }

    [Theory]
    [InlineData(PreferenceLossKind.Dpo)]
    [InlineData(PreferenceLossKind.LengthNormalized)]
    [InlineData(PreferenceLossKind.SimPo)]
    [InlineData(PreferenceLossKind.Ipo)]
    public void Gradients_are_slopes(PreferenceLossKind kind) => AssertGradient(
        x =>
        {
            PreferenceTerms terms = Batch() with { PolicyChosen = x.narrow(0, 0, 2), PolicyRejected = x.narrow(0, 2, 2) };
            Tensor nll = PreferenceLoss.Nll(terms.PolicyChosen, terms.ChosenLengths, 2, 48, NllNormalization.Sequence);
            return PreferenceLoss.Pairs(terms, new PreferenceLossOptions(kind)).mean().Plus(nll.Times(0.2));
        },
        [-12, -30, -15, -28]);

    [Fact]
    public void A_terminator_that_counts_can_turn_the_sign()
    {
        using var scope = NewDisposeScope();
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        int eot = tokenizer.Specials.EndOfTurn;
        double Loss(bool masked)
        {
            (Tensor policy, Tensor reference) chosen = Sums([-.5, -1, -.25, -3], [-.6, -1.2, -.5, -.1], [97, 98, 99, eot], masked);
            (Tensor policy, Tensor reference) rejected = Sums([-.7, -2, -.02], [-.5, -1.5, -.2], [97, 98, eot], masked);
            return PreferenceLoss.Pairs(new PreferenceTerms(chosen.policy, rejected.policy, chosen.reference, rejected.reference, ones(1), ones(1)), new PreferenceLossOptions()).item<double>();
        }

        AssertClose([Number("dpo", "with_eot")], [Loss(masked: false)]);
        AssertClose([Number("dpo", "masked_eot")], [Loss(masked: true)]);
        Tensor nll = PreferenceLoss.Nll(tensor(new[] { -4.75 }), tensor(new[] { 4.0 }), 1, 4, NllNormalization.Sequence);
        AssertClose([Number("dpo", "masked_plus_nll_full")], [Loss(masked: true) + (0.2 * nll.item<double>())]);

        (Tensor, Tensor) Sums(double[] policy, double[] reference, int[] ids, bool masked)
        {
            bool[] counted = PreferenceMask.Counted([1, .. ids], 1, tokenizer.Specials, tokenizer.Encode("ipython").ToArray(), tokenizer.Encode("\n\n").ToArray(), masked)[1..];
            Tensor sequences = tensor(counted.Select(flag => flag ? 0L : 1L).ToArray(), [1, ids.Length]);
            return (Losses.SumBySequence(tensor(policy, [1, ids.Length]), sequences, 1), Losses.SumBySequence(tensor(reference, [1, ids.Length]), sequences, 1));
        }
    }

    [Fact]
    public void Headers_terminators_and_tool_results_do_not_count()
    {
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        SpecialTokens s = tokenizer.Specials;
        var template = new ChatTemplate(tokenizer);
        int prompt = template.EncodePrompt([new("user", "q")]).Length;
        int[] ids = template.Encode([new("user", "q"), new("assistant", "ab", EndsMessage: true), new("ipython", "out"), new("assistant", "cd")]).Ids;
        bool[] counted = PreferenceMask.Counted(ids, prompt, s, tokenizer.Encode("ipython").ToArray(), tokenizer.Encode("\n\n").ToArray());
        Assert.Equal("abcd", tokenizer.Decode(ids.Where((_, t) => counted[t])));
        Assert.Equal(4, counted.Count(flag => flag));
        bool[] withEnds = PreferenceMask.Counted(ids, prompt, s, tokenizer.Encode("ipython").ToArray(), tokenizer.Encode("\n\n").ToArray(), maskTerminators: false);
        Assert.Equal([s.EndOfMessage, s.EndOfTurn], ids.Where((_, t) => withEnds[t] && !counted[t]));
    }
}
