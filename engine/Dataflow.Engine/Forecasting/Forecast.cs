namespace Dataflow.Engine.Forecasting;

/// <summary>What a stage will see on the whole input.</summary>
/// <param name="Calls">To models, retries not counted.</param>
/// <param name="Cost">By the models' <c>cost</c>.</param>
/// <param name="Seconds">Of its own work, were it alone.</param>
public sealed record StageForecast(string Stage, double RowsIn, IReadOnlyDictionary<string, double> RowsOut, double Calls, double InputTokens, double OutputTokens, double Cost, double Seconds);

/// <summary>A forecast for the whole input, from a sample.</summary>
/// <param name="Seconds">Wall time.</param>
/// <param name="Remarks">What it does not know.</param>
public sealed record Forecast(IReadOnlyList<StageForecast> Stages, double Seconds, IReadOnlyList<string> Remarks)
{
    public double Calls => Stages.Sum(stage => stage.Calls);

    public double InputTokens => Stages.Sum(stage => stage.InputTokens);

    public double OutputTokens => Stages.Sum(stage => stage.OutputTokens);

    public double Cost => Stages.Sum(stage => stage.Cost);
}
