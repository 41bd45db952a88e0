using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>The quickstart pipeline: where it is, how to make it small, what it prints.</summary>
internal static partial class Quickstart
{
    public static string Pipeline { get; } = Path.Combine(DataflowCommand.Root, "pipelines/quickstart.yaml");

    /// <summary>Settings that keep every stage and take seconds. The model stays too weak to show a gain.</summary>
    public static string[] Settings(Scale scale) => scale == Scale.Full
        ? []
        :
        [
            "--set", "tasks=3000", "--set", "pretrain_steps=150", "--set", "prompts=60", "--set", "samples=4", "--set", "sft_steps=20", "--set", "held_out=60", "--set", "min_held_out=40",
        ];

    /// <summary>The results a run printed, by label: percentages.</summary>
    public static Dictionary<string, (double Value, double Low, double High)> Results(string output) =>
        Line().Matches(output).ToDictionary(match => match.Groups[1].Value, match => (Number(match, 2), Number(match, 3), Number(match, 4)));

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\w+) pass@1 +([0-9.]+)%  \[([0-9.]+), ([0-9.]+)\]")]
    private static partial Regex Line();
}
