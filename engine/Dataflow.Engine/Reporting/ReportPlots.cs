using System.Globalization;
using System.Text;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Reporting;

/// <summary>Plots as inline SVG.</summary>
internal static class ReportPlots
{
    /// <summary>Headline results as bars with their intervals, on a scale of 0 to 100%.</summary>
    public static string Evaluations(IReadOnlyList<StageMetric> metrics)
    {
        Metric[] headlines = metrics.Select(metric => metric.Metric).Where(metric => metric.Headline).ToArray();
        if (headlines.Length == 0)
        {
            return "<p>no evaluation</p>";
        }

        const int left = 190;
        const int span = 560;
        int height = (headlines.Length * 30) + 26;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg width=\"{left + span + 190}\" height=\"{height}\" role=\"img\" aria-label=\"evaluation results\">");
        for (int percent = 0; percent <= 100; percent += 25)
        {
            double x = left + (span * percent / 100.0);
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{x}\" x2=\"{x}\" y1=\"4\" y2=\"{height - 20}\"/><text class=\"soft\" x=\"{x}\" y=\"{height - 5}\" text-anchor=\"middle\">{percent}%</text>");
        }

        for (int i = 0; i < headlines.Length; i++)
        {
            Metric metric = headlines[i];
            int y = 8 + (i * 30);
            double Clamp(double value) => left + (span * Math.Clamp(value, 0, 1));
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left - 8}\" y=\"{y + 14}\" text-anchor=\"end\">{ReportWriter.Text(metric.Label + " " + metric.Name)}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"{left}\" y=\"{y}\" width=\"{Clamp(metric.Value) - left:0.0}\" height=\"18\" rx=\"2\"/>");
            string interval = "";
            if (metric is { Low: double low, High: double high })
            {
                svg.Append(CultureInfo.InvariantCulture, $"<line class=\"whisker\" x1=\"{Clamp(low):0.0}\" x2=\"{Clamp(high):0.0}\" y1=\"{y + 9}\" y2=\"{y + 9}\"/>");
                interval = string.Create(CultureInfo.InvariantCulture, $" [{100 * low:0.0}, {100 * high:0.0}]");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + span + 12}\" y=\"{y + 14}\">{100 * metric.Value:0.0}%{interval}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>One metric by step, a curve for each stage that reported it.</summary>
    public static string Curves(IReadOnlyList<StageMetric> metrics, string name)
    {
        IGrouping<string, StageMetric>[] stages = metrics.Where(metric => metric.Metric.Name == name && metric.Metric.Step is not null && double.IsFinite(metric.Metric.Value)).GroupBy(metric => metric.Stage).ToArray();
        if (stages.Length == 0)
        {
            return name == "loss" ? "<p>nothing was trained</p>" : "";
        }

        const int width = 900;
        const int height = 220;
        const int left = 56;
        double maxStep = stages.Max(stage => stage.Max(metric => metric.Metric.Step!.Value));
        double maxValue = stages.Max(stage => stage.Max(metric => metric.Metric.Value)) * 1.05;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<h3>{ReportWriter.Text(name)} by step</h3><svg width=\"{width + 220}\" height=\"{height + 30}\" role=\"img\" aria-label=\"{ReportWriter.Text(name)} by step\">");
        for (int i = 0; i <= 4; i++)
        {
            double y = 8 + (height * (1 - (i / 4.0)));
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{left}\" x2=\"{left + width}\" y1=\"{y}\" y2=\"{y}\"/><text class=\"soft\" x=\"{left - 6}\" y=\"{y + 4}\" text-anchor=\"end\">{maxValue * i / 4:0.00}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"soft\" x=\"{left + (width * i / 4.0)}\" y=\"{height + 26}\" text-anchor=\"middle\">{maxStep * i / 4:0}</text>");
        }

        for (int s = 0; s < stages.Length; s++)
        {
            IEnumerable<string> points = stages[s].OrderBy(metric => metric.Metric.Step).Select(metric => string.Create(
                CultureInfo.InvariantCulture,
                $"{left + (width * metric.Metric.Step!.Value / maxStep):0.0},{8 + (height * (1 - (metric.Metric.Value / Math.Max(maxValue, 1e-9)))):0.0}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"curve c{s % 5}\" points=\"{string.Join(' ', points)}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"curve c{s % 5}\" x1=\"{left + width + 14}\" x2=\"{left + width + 34}\" y1=\"{20 + (s * 20)}\" y2=\"{20 + (s * 20)}\"/><text x=\"{left + width + 40}\" y=\"{24 + (s * 20)}\">{ReportWriter.Text(stages[s].Key)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }
}
