using Dataflow.Engine.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dataflow.Cli;

/// <summary>Sends the engine's spans and metrics by OTLP where the usual environment variables ask for it.</summary>
internal sealed class TelemetryExport : IDisposable
{
    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    private TelemetryExport()
    {
        ResourceBuilder resource = ResourceBuilder.CreateDefault().AddService("dataflow", serviceVersion: typeof(TelemetryExport).Assembly.GetName().Version!.ToString(3)).AddEnvironmentVariableDetector();
        if (Exports("TRACES"))
        {
            traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(EngineTelemetry.Name).AddOtlpExporter().Build();
        }

        if (Exports("METRICS"))
        {
            metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(EngineTelemetry.Name).AddOtlpExporter().Build();
        }
    }

    /// <summary>Null, at no cost, where nothing is asked for.</summary>
    public static TelemetryExport? FromEnvironment() =>
        !string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase) && (Exports("TRACES") || Exports("METRICS"))
            ? new TelemetryExport()
            : null;

    /// <summary>Sends what is still held back.</summary>
    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    private static bool Exports(string signal) => Environment.GetEnvironmentVariable($"OTEL_{signal}_EXPORTER") switch
    {
        "none" => false,
        "otlp" => true,
        _ => IsSet("OTEL_EXPORTER_OTLP_ENDPOINT") || IsSet($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"),
    };

    private static bool IsSet(string name) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name));
}
