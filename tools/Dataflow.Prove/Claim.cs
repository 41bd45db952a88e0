namespace Dataflow.Prove;

/// <summary>How much of a claim to run: the whole of it, or a version small enough for the test suite.</summary>
internal enum Scale
{
    Small,
    Full,
}

/// <summary>One promise about the product and the experiment that would break it.</summary>
internal abstract class Claim
{
    public abstract string Name { get; }

    /// <summary>The promise, in one sentence.</summary>
    public abstract string Promise { get; }

    /// <summary>Runs the experiment, prints inputs and numbers, and says whether the promise held.</summary>
    public abstract Task<bool> HoldsAsync(Scale scale, TextWriter output);

    public static IReadOnlyList<Claim> All { get; } =
    [
        new QuickstartSeeds(), new QuickstartKills(), new QuickstartEndpoint(), new OutsidePlugin(),
        new EngineKills(), new Caches(), new RandomDags(), new Memory10M(),
        new SeededMistakes(), new MutatedPipelines(), new PreviewForecast(), new StageTemplate(),
        new EndpointFaults(), new EndpointBucket(), new EndpointRecovery(), new EndpointRefusal(), new EndpointOutage(),
        new TrainingMemory(),
        new TorchMemory(), new TrainStops(), new ServeLoad(), new Evidence(),
        new SandboxRuns(), new SandboxKills(),
    ];
}
