using System.Globalization;
using System.Text.Json;
using Dataflow.Engine.Forecasting;

namespace Dataflow.Cli.Display;

/// <summary>Prints a forecast for the whole input.</summary>
internal static class ForecastPrinter
{
    public static void Print(Forecast forecast, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    Event = "forecast",
                    Stages = forecast.Stages.Select(stage => new { stage.Stage, stage.RowsIn, stage.RowsOut, stage.Calls, stage.InputTokens, stage.OutputTokens, stage.Cost }),
                    forecast.Calls,
                    forecast.InputTokens,
                    forecast.OutputTokens,
                    forecast.Cost,
                    forecast.Seconds,
                    forecast.Remarks,
                },
                new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }));
            return;
        }

        Console.WriteLine("forecast for the whole input:");
        foreach (StageForecast stage in forecast.Stages)
        {
            string ports = string.Join(", ", stage.RowsOut.Where(port => port.Value >= 0.5).Select(port => $"{Number(port.Value)} {port.Key}"));
            string calls = stage.Calls > 0 ? $"; {Number(stage.Calls)} calls, tokens {Number(stage.InputTokens)} in, {Number(stage.OutputTokens)} out{Money(stage.Cost)}" : "";
            Console.WriteLine($"  {stage.Stage}: {Number(stage.RowsIn)} rows{(ports.Length > 0 ? " -> " + ports : "")}{calls}");
        }

        string total = forecast.Calls > 0 ? $", {Number(forecast.Calls)} calls, tokens {Number(forecast.InputTokens)} in, {Number(forecast.OutputTokens)} out{Money(forecast.Cost)}" : "";
        Console.WriteLine($"  about {Time(forecast.Seconds)}{total}");
        foreach (string remark in forecast.Remarks)
        {
            Console.WriteLine("  " + remark);
        }
    }

    private static string Number(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Money(double cost) => cost > 0 ? string.Create(CultureInfo.InvariantCulture, $", cost {cost:0.00##}") : "";

    private static string Time(double seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
