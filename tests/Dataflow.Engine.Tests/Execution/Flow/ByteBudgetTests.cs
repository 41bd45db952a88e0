using Dataflow.Engine.Execution.Flow;

namespace Dataflow.Engine.Tests.Execution.Flow;

public sealed class ByteBudgetTests
{
    [Fact]
    public async Task Bytes_wait_for_room_and_a_batch_larger_than_the_budget_passes_alone()
    {
        var budget = new ByteBudget(100);
        await budget.TakeAsync(60, CancellationToken.None);
        ValueTask second = budget.TakeAsync(60, CancellationToken.None);
        Assert.False(second.IsCompleted);
        budget.Return(60);
        await second;
        ValueTask huge = budget.TakeAsync(1000, CancellationToken.None);
        Assert.False(huge.IsCompleted);
        budget.Return(60);
        await huge;
        Assert.Equal(1000, budget.Used);
    }

    [Fact]
    public async Task A_wait_can_be_given_up()
    {
        var budget = new ByteBudget(10);
        await budget.TakeAsync(10, CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        ValueTask waiting = budget.TakeAsync(1, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        Assert.Equal(10, budget.Used);
    }
}
