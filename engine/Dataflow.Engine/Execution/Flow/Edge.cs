namespace Dataflow.Engine.Execution.Flow;

/// <summary>One live edge: who sends to whom, and what went over it. Both ends count for themselves, so that a loss shows.</summary>
internal sealed class Edge(string from, string port, string to)
{
    private long sent;
    private long received;
    private int waiting;

    public string From => from;

    public string Port => port;

    public string To => to;

    public long Sent => Interlocked.Read(ref sent);

    public long Received => Interlocked.Read(ref received);

    /// <summary>Batches that wait for room at the reader.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    public void SentRows(int rows) => Interlocked.Add(ref sent, rows);

    public void ReceivedRows(int rows) => Interlocked.Add(ref received, rows);

    public void BeginWait() => Interlocked.Increment(ref waiting);

    public void EndWait() => Interlocked.Decrement(ref waiting);
}
