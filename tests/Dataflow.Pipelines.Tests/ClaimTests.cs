using Dataflow.Prove;

namespace Dataflow.Pipelines.Tests;

/// <summary>A small version of every claim of tools/prove.</summary>
public sealed class ClaimTests(ITestOutputHelper log)
{
    public static TheoryData<string> Names => [.. Claim.All.Select(claim => claim.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_claim_holds_on_a_small_scale(string name)
    {
        var output = new StringWriter();
        bool holds = await Claim.All.Single(claim => claim.Name == name).HoldsAsync(Scale.Small, output);
        log.WriteLine(output.ToString());
        Assert.True(holds, output.ToString());
    }
}
