using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

/// <summary>What the test stages have in common: the number that decides what happens to a row.</summary>
internal static class Numbers
{
    /// <summary>The row's number in an integer column; a missing one counts as 0.</summary>
    public static long At(RecordBatch batch, string column, int row) => ((Int64Array)batch.Column(batch.Schema.GetFieldIndex(column))).GetValue(row) ?? 0;

    /// <summary>Throws for the whole batch at its first row of trouble, as batch code does.</summary>
    public static long[] Checked(RecordBatch batch, string column, int failEvery, long? faultAt, int cancelEvery = 0)
    {
        var numbers = new long[batch.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = At(batch, column, i);
            Check(numbers[i], failEvery, faultAt);
            if (IsMultiple(numbers[i], cancelEvery))
            {
                throw new TaskCanceledException($"{numbers[i]} took too long");
            }
        }

        return numbers;
    }

    /// <exception cref="RowFailedException">A multiple of <paramref name="failEvery"/> other than 0.</exception>
    /// <exception cref="StageFailedException">The number is <paramref name="faultAt"/>.</exception>
    public static void Check(long number, int failEvery, long? faultAt)
    {
        if (number == faultAt)
        {
            throw new StageFailedException($"fault at {number}");
        }

        if (IsMultiple(number, failEvery))
        {
            throw new RowFailedException("multiple", $"{number} is a multiple of {failEvery}");
        }
    }

    public static bool IsMultiple(long number, int of) => of > 0 && number != 0 && number % of == 0;
}
