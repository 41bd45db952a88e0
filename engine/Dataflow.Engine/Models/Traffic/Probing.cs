namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// How fast a limit is raised again after a refusal: hardly for a few seconds, so that a limit just found is kept, then
/// twice as fast each second, so that capacity which came back is soon found.
/// </summary>
internal static class Probing
{
    private const double Slow = 0.01;
    private const double QuietFor = 3;
    private const double Fastest = 1;

    /// <summary>Share of the limit added per second, after <paramref name="quiet"/> seconds without a refusal.</summary>
    public static double Growth(double quiet) => Math.Min(Fastest, Slow * Math.Pow(2, Math.Max(0, quiet - QuietFor)));
}
