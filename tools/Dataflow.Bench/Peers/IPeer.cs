namespace Dataflow.Bench;

/// <summary>One way to run the same two graphs: batches in, rows counted at the end.</summary>
internal interface IPeer
{
    string Name { get; }

    /// <summary>source -> rebuild twice -> rebuild once -> filter -> count.</summary>
    /// <returns>Rows kept and rows rejected.</returns>
    Task<(long Kept, long Rejected)> LinearAsync(int batches, int rows);

    /// <summary>source -> (rebuild twice, rebuild once) -> filter -> count; every row goes both ways.</summary>
    Task<(long Kept, long Rejected)> DiamondAsync(int batches, int rows);
}
