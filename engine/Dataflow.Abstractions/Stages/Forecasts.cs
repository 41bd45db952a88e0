namespace Dataflow.Abstractions;

/// <summary>Optional for a source: how many rows it has, found without making rows of them. Used by the forecasts of <c>preview</c>.</summary>
public interface ICountedSource
{
    /// <summary>Null if that cannot be told cheaply.</summary>
    ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken);
}

/// <summary>
/// Optional for a stage whose rows out are not a share of its rows in. It is asked without its models being open:
/// constructor parameters other than the options record are null.
/// </summary>
public interface IRowForecast
{
    /// <summary>Rows that will leave by a port; null where a share of the rows in is right.</summary>
    double? ForecastRows(string port, double rowsIn);
}

/// <summary>Optional for a trainer whose work is steps of one length. Models are not open, as above.</summary>
public interface IStepForecast
{
    /// <summary>Steps on so many rows.</summary>
    long Steps(double rows);

    /// <summary>The options record with at most so many steps, for the sample of a preview.</summary>
    object Shortened(int steps);
}
