using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>The miniature of post-training over several seeds; docs/evidence.md keeps what it printed.</summary>
internal sealed partial class Evidence : Claim
{
    // Two-sided 95% quantiles of Student's t, by degrees of freedom.
    private static readonly double[] Student = [double.NaN, 12.706, 4.303, 3.182, 2.776];

    private static readonly string[] Averages = ["avg_linear", "avg_task", "avg_ties", "avg_dare", "avg_stock", "avg_slerp"];
    private static readonly string[] Variants = ["sft", "sft_b", "sft_c"];

    public override string Name => "evidence";

    public override string Promise => "over five seeds, with 95% intervals above zero: the reward model is better than chance, best-of-16 beats one sample, and verified SFT beats the unfiltered control; the rest is reported as it comes";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int[] seeds = scale == Scale.Full ? [1, 2, 3, 4, 5] : [1];
        string[] settings = scale == Scale.Full
            ? []
            : ["tasks=3000", "noise=0.2", "pretrain_steps=350", "prompts=80", "samples=6", "sft_steps=10", "reward_steps=20", "dpo_steps=5", "dpo_long_steps=10", "grpo_steps=2", "held_out=60"];
        var results = new List<Dictionary<string, double>>();
        foreach (int seed in seeds)
        {
            using var command = new DataflowCommand();
            CommandResult run = await command.RunAsync(
                ["run", Path.Combine(DataflowCommand.Root, "pipelines/evidence.yaml"), "--run-id", "e", "--set", $"seed={seed}", .. settings.SelectMany(setting => new[] { "--set", setting })]);
            if (run.ExitCode != 0)
            {
                await output.WriteLineAsync(run.All);
                return false;
            }

            results.Add(Line().Matches(run.Output).ToDictionary(match => Label(match), match => double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)));
            await output.WriteLineAsync($"seed {seed} done, {results[^1].Count} results");
        }

        Table(results, output);
        bool reward = Difference(results, "reward accuracy above chance", result => result["reward accuracy"] - 50, output);
        bool best = Difference(results, "best of 16 over best of 1", result => result["best of 16"] - result["best of 1"], output);
        bool filtered = Difference(results, "verified SFT over unfiltered SFT", result => result["sft"] - result["unfiltered"], output);
        Report(results, output);
        return scale == Scale.Small || (reward && best && filtered);
    }

    // pass@k of several k carries the k in its name.
    private static string Label(Match match) => match.Groups[1].Value == "oracle" ? $"oracle, {match.Groups[2].Value} samples" : match.Groups[1].Value;

    private static void Table(List<Dictionary<string, double>> results, TextWriter output)
    {
        output.WriteLine("\n| | mean % | 95% interval over seeds | by seed |\n| --- | --- | --- | --- |");
        foreach (string label in results[0].Keys.Order(StringComparer.Ordinal))
        {
            double[] values = results.Select(result => result[label]).ToArray();
            (double mean, double half) = Interval(values);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {label} | {mean:0.0} | {mean - half:0.0} to {mean + half:0.0} | {string.Join(", ", values.Select(value => value.ToString("0.0", CultureInfo.InvariantCulture)))} |"));
        }

        output.WriteLine("\n| difference, in points | mean | 95% interval over seeds | by seed |\n| --- | --- | --- | --- |");
    }

    // What is not promised is reported all the same. Choices are made on dev, and told on the other set.
    private static void Report(List<Dictionary<string, double>> results, TextWriter output)
    {
        Difference(results, "best of 4 over best of 1", result => result["best of 4"] - result["best of 1"], output);
        Difference(results, "verified SFT over the base", result => result["sft"] - result["base"], output);
        string[] rates = ["dpo_slow", "dpo", "dpo_fast"];
        Difference(results, "DPO, rate chosen on dev, over SFT", result => result[Chosen(result, rates)] - result["sft"], output);
        foreach (string variant in new[] { "dpo_slow", "dpo", "dpo_fast", "dpo_no_nll", "dpo_no_mask", "dpo_long" })
        {
            Difference(results, $"{variant} over SFT", result => result[variant] - result["sft"], output);
        }

        Difference(results, "DPO without its NLL term, over with", result => result["dpo_no_nll"] - result["dpo"], output);
        Difference(results, "DPO with terminators counted, over masked", result => result["dpo_no_mask"] - result["dpo"], output);
        Difference(results, "DPO from the base, over the base", result => result["dpo_base"] - result["base"], output);
        Difference(results, "GRPO over the base", result => result["grpo"] - result["base"], output);
        Difference(results, "GRPO over verified SFT", result => result["grpo"] - result["sft"], output);
        foreach (string average in Averages)
        {
            Difference(results, $"{average} over the single variant chosen on dev", result => result[average] - result[Chosen(result, Variants)], output);
        }

        Difference(results, "average chosen on dev, over the single variant chosen on dev", result => result[Chosen(result, Averages)] - result[Chosen(result, Variants)], output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nKL of best-of-K to the policy is at most ln K - (K - 1) / K: {Bound(4):0.000} nats for 4, {Bound(16):0.000} for 16."));
    }

    private static double Bound(int k) => Dataflow.Torch.Generation.BestOfK.KullbackLeiblerBound(k);

    private static string Chosen(Dictionary<string, double> result, string[] among) => among.MaxBy(label => result[label + " (dev)"])!;

    /// <returns>True if the interval lies above zero.</returns>
    private static bool Difference(List<Dictionary<string, double>> results, string what, Func<Dictionary<string, double>, double> of, TextWriter output)
    {
        double[] values = results.Select(of).ToArray();
        (double mean, double half) = Interval(values);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {what} | {mean:+0.0;-0.0;0.0} | {mean - half:+0.0;-0.0;0.0} to {mean + half:+0.0;-0.0;0.0} | {string.Join(", ", values.Select(value => value.ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture)))} |"));
        return mean - half > 0;
    }

    private static (double Mean, double Half) Interval(double[] values)
    {
        double mean = values.Average();
        double deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        return (mean, Student[values.Length - 1] * deviation / Math.Sqrt(values.Length));
    }

    [GeneratedRegex(@"^ *(.+?) pass@(\d+) +([0-9.]+)%  \[", RegexOptions.Multiline)]
    private static partial Regex Line();
}
