using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>The reference's toy attention, run on the rows that are shipped.</summary>
public sealed class SharedPromptBatchTests
{
    private static readonly RankedGroup Group = new([1, 2, 3], [[4, 5], [6, 7, 8], [9]]);

    [Fact]
    public void A_shared_row_gives_the_scores_of_separate_rows_whatever_the_order()
    {
        using var scope = NewDisposeScope();
        double[] separate = Numbers("rm", "toy_separate");
        AssertClose(separate, Toy(Build(SharedPromptMode.Exact, [2, 0, 1])), 2e-6);
        AssertClose(separate, Toy(Build(SharedPromptMode.Exact, [0, 1, 2])), 2e-6);
        double[] alone = Group.Responses.Select(response => Toy(SharedPromptBatch.Build([Group with { Responses = [response] }], SharedPromptMode.Exact, _ => [0], 0, get_default_device()))[0]).ToArray();
        AssertClose(alone, Toy(Build(SharedPromptMode.Exact, [2, 0, 1])), 1e-14);
    }

    [Fact]
    public void Positions_that_do_not_restart_give_other_scores()
    {
        using var scope = NewDisposeScope();
        SharedPromptBatch row = Build(SharedPromptMode.Exact, [2, 0, 1]);
        AssertClose(Numbers("rm", "toy_tree_norestart_201"), Toy(row with { Positions = null }), 2e-6);
    }

    [Fact]
    public void The_approximate_mode_is_plain_causal_attention()
    {
        using var scope = NewDisposeScope();
        AssertClose(Numbers("rm", "toy_plain_012"), Toy(Build(SharedPromptMode.Approximate, [0, 1, 2])), 2e-6);
        AssertClose(Numbers("rm", "toy_plain_201"), Toy(Build(SharedPromptMode.Approximate, [2, 0, 1])), 2e-6);
    }

    [Fact]
    public void A_padded_row_gives_the_scores_of_its_own()
    {
        using var scope = NewDisposeScope();
        var longer = new RankedGroup([1, 2, 3, 4, 5, 6], [[4, 5, 7], [6, 7, 8]]);
        SharedPromptBatch both = SharedPromptBatch.Build([Group, longer], SharedPromptMode.Exact, b => b == 0 ? [2, 0, 1] : [1, 0], 0, get_default_device());
        AssertClose(Numbers("rm", "toy_separate"), Toy(both)[..3], 2e-6);
    }

    private static SharedPromptBatch Build(SharedPromptMode mode, int[] order) => SharedPromptBatch.Build([Group], mode, _ => order, 0, get_default_device());

    // e_t[k] = sin(0.7 (t+1) (k+1)), d = 4; twice h ← h + softmax(RoPE(h) RoPE(h)ᵀ / 2, mask) h; the score is Σh at a response's end.
    private static double[] Toy(SharedPromptBatch row)
    {
        long rows = row.Ids.shape[0];
        int width = (int)row.Ids.shape[1];
        long[] ids = row.Ids.data<long>().ToArray();
        Tensor h = tensor(ids.SelectMany(t => Enumerable.Range(0, 4).Select(k => Math.Sin(0.7 * (t + 1) * (k + 1)))).ToArray(), [rows, width, 4]);
        long[] positions = row.Positions is null ? Enumerable.Range(0, (int)rows).SelectMany(_ => Enumerable.Range(0, width).Select(t => (long)t)).ToArray() : row.Positions.data<long>().ToArray();
        Tensor mask = row.Mask is null ? ones(width, width).tril().to(ScalarType.Bool) : row.Mask.squeeze(1);
        for (int layer = 0; layer < 2; layer++)
        {
            Tensor rotated = Rotate(h, positions);
            Tensor scores = rotated.matmul(rotated.transpose(1, 2)).Over(2).masked_fill(mask.logical_not(), double.NegativeInfinity);
            h = h.Plus(scores.softmax(-1).matmul(h));
        }

        return h.reshape(-1, 4).index_select(0, row.Ends).sum(1).Values();
    }

    private static Tensor Rotate(Tensor h, long[] positions)
    {
        double[] x = h.Values();
        var y = new double[x.Length];
        for (int i = 0; i < x.Length; i += 2)
        {
            double angle = positions[i / 4] * Math.Pow(10_000, -(i % 4) / 4.0);
            y[i] = (x[i] * Math.Cos(angle)) - (x[i + 1] * Math.Sin(angle));
            y[i + 1] = (x[i] * Math.Sin(angle)) + (x[i + 1] * Math.Cos(angle));
        }

        return tensor(y, h.shape);
    }
}
