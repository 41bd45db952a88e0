using System.Text.Json.Nodes;
using Dataflow.Torch.Merging;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Merging;

public sealed class WeightMergeTests
{
    private static Tensor Base => tensor(Numbers("merge", "base"), [2, 4]);

    private static Tensor Delta(string name) => tensor(Numbers("merge", name), [2, 4]);

    private static Tensor[] Models => [Base.Plus(Delta("A")), Base.Plus(Delta("B"))];

    [Fact]
    public void Ties_matches_the_reference()
    {
        using var scope = NewDisposeScope();
        AssertClose(Numbers("merge", "ties_1_1_d.5"), WeightMerge.Ties(Base, Models, [1, 1], 0.5).Values());
        AssertClose(Numbers("merge", "ties_.7_.3_l.5"), WeightMerge.Ties(Base, Models, [0.7, 0.3], 0.5, 0.5).Values());
        AssertClose(Numbers("merge", "ties_.7_.3_nonorm"), WeightMerge.Ties(Base, Models, [0.7, 0.3], 0.5, normalize: false).Values());
    }

    [Fact]
    public void Task_arithmetic_matches_the_reference()
    {
        using var scope = NewDisposeScope();
        AssertClose(Numbers("merge", "task_.5_.5"), WeightMerge.TaskArithmetic(Base, Models, [0.5, 0.5]).Values());
        AssertClose(WeightMerge.Linear(Models, [1, 3]).Values(), WeightMerge.TaskArithmetic(Base, Models, [1, 3], normalize: true).Values(), 1e-12);
    }

    [Fact]
    public void Dare_matches_the_reference()
    {
        using var scope = NewDisposeScope();
        Tensor mask = tensor(Numbers("merge", "dare_mask"), [2, 4]).to(ScalarType.Bool);
        AssertClose([.8, 0, .6, 0, .1, 1.2, 0, 0], WeightMerge.Drop(Delta("A"), mask, 0.5, DareRescale.Density).Values());
        double factor = Number("merge", "dare_l1_factor");
        AssertClose([.4 * factor, 0, .3 * factor, 0, .05 * factor, .6 * factor, 0, 0], WeightMerge.Drop(Delta("A"), mask, 0.5, DareRescale.L1).Values());
        Tensor all = ones(2, 4).to(ScalarType.Bool);
        AssertClose(WeightMerge.TaskArithmetic(Base, Models, [1, 1]).Values(), WeightMerge.Dare(Base, Models, [1, 1], [all, all], 1, DareRescale.Density).Values());
        AssertClose(WeightMerge.Ties(Base, Models, [1, 1], 1, normalize: false).Values(), WeightMerge.Dare(Base, Models, [1, 1], [all, all], 1, DareRescale.L1, elect: true).Values());
    }

    [Fact]
    public void Slerp_matches_the_reference()
    {
        using var scope = NewDisposeScope();
        foreach (JsonNode? item in (JsonArray)At("merge", "slerp"))
        {
            AssertClose(Numbers(item!["out"]!), WeightMerge.Slerp(tensor(Numbers(item["a"]!)), tensor(Numbers(item["b"]!)), (double)item["t"]!).Values());
        }
    }

    [Fact]
    public void Model_stock_matches_the_reference()
    {
        using var scope = NewDisposeScope();
        JsonNode stock = Stock();
        Tensor[] deltas = [tensor(Numbers(stock["d1"]!)), tensor(Numbers(stock["d2"]!))];
        double t = (double)stock["t"]!;
        AssertClose([t], [WeightMerge.ModelStockShare(deltas)]);
        Tensor start = ones(8, float64);
        double[] expected = deltas[0].Plus(deltas[1]).Times(t / 2).Plus(1).Values();
        AssertClose(expected, WeightMerge.ModelStock(start, deltas.Select(delta => start.Plus(delta)).ToArray()).Values());

        static JsonNode Stock() => At("merge", "model_stock");
    }

    [Fact]
    public void Of_equal_magnitudes_the_lower_index_stays()
    {
        using var scope = NewDisposeScope();
        AssertClose([1, -1, 0, 0], WeightMerge.Trim(tensor(new[] { 1.0, -1, 1, -1 }), 0.5).Values());
    }

    [Fact]
    public void A_density_that_keeps_nothing_is_an_error() => Assert.Throws<MergeException>(() => WeightMerge.Trim(ones(3), 0.3));

    [Fact]
    public void Merging_equal_models_changes_nothing()
    {
        using var scope = NewDisposeScope();
        Tensor[] same = [Models[0], Models[0], Models[0]];
        double[] expected = same[0].Values();
        AssertClose(expected, WeightMerge.Linear(same, [1, 2, 3]).Values(), 1e-12);
        AssertClose(expected, WeightMerge.Ties(Base, same, [1, 2, 3], 1).Values(), 1e-12);
        AssertClose(expected, WeightMerge.ModelStock(Base, same).Values(), 1e-12);
        AssertClose(expected, WeightMerge.Slerp(same[0], same[1], 0.3).Values(), 1e-12);
    }

    [Fact]
    public void Half_precision_weights_are_merged_in_full_precision()
    {
        using var scope = NewDisposeScope();
        Tensor[] half = Models.Select(model => model.to(ScalarType.BFloat16)).ToArray();
        Assert.Equal(ScalarType.Float32, WeightMerge.Linear(half, [1, 1]).dtype);
    }
}
