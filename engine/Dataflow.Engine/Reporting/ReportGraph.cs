using System.Globalization;
using System.Text;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Reporting;

/// <summary>The graph as inline SVG: one line of boxes per depth, counts in the boxes and on the edges' tooltips, artifact edges dashed.</summary>
internal static class ReportGraph
{
    private const int Width = 168;
    private const int Height = 46;
    private const int GapX = 20;
    private const int GapY = 34;

    public static string Svg(PipelineGraph graph, IReadOnlyList<StageCounts> counts)
    {
        Dictionary<string, (int X, int Y)> places = Layout(graph);
        Dictionary<string, StageCounts> byName = counts.ToDictionary(count => count.Stage);
        int width = places.Values.Max(place => place.X) + Width + 10;
        int height = places.Values.Max(place => place.Y) + Height + 10;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"pipeline graph\">");
        foreach ((string from, string to, string label, bool artifact) in GraphRenderer.Edges(graph))
        {
            (int x1, int y1) = (places[from].X + (Width / 2), places[from].Y + Height);
            (int x2, int y2) = (places[to].X + (Width / 2), places[to].Y);
            int bend = Math.Max(18, (y2 - y1) / 2);
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"edge{(artifact ? " artifact" : "")}\" d=\"M{x1},{y1} C{x1},{y1 + bend} {x2},{y2 - bend} {x2},{y2}\"><title>{ReportWriter.Text(Title(from, label, artifact, byName))}</title></path>");
        }

        foreach (StageNode stage in graph.Stages)
        {
            (int x, int y) = places[stage.Name];
            StageCounts? count = byName.GetValueOrDefault(stage.Name);
            string numbers = count is null ? "" : Numbers(stage, count);
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{Width}\" height=\"{Height}\" rx=\"6\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 9}\" y=\"{y + 18}\" font-weight=\"600\">{ReportWriter.Text(Cut(stage.Name, 22))}<title>{ReportWriter.Text(stage.Name)}</title></text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"soft\" x=\"{x + 9}\" y=\"{y + 36}\">{ReportWriter.Text(Cut(stage.Descriptor.Name + "  " + numbers, 26))}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    private static Dictionary<string, (int X, int Y)> Layout(PipelineGraph graph)
    {
        var depth = new Dictionary<string, int>(StringComparer.Ordinal);
        (string From, string To, string Label, bool Artifact)[] edges = GraphRenderer.Edges(graph).ToArray();
        foreach (StageNode stage in graph.Stages)
        {
            depth[stage.Name] = edges.Where(edge => edge.To == stage.Name).Select(edge => depth[edge.From] + 1).DefaultIfEmpty(0).Max();
        }

        // Within a line, a stage stands near the middle of what it reads.
        var places = new Dictionary<string, (int X, int Y)>(StringComparer.Ordinal);
        foreach (IGrouping<int, StageNode> line in graph.Stages.GroupBy(stage => depth[stage.Name]).OrderBy(group => group.Key))
        {
            int column = 0;
            IEnumerable<StageNode> sorted = line.OrderBy(stage => edges.Where(edge => edge.To == stage.Name).Select(edge => (double)places[edge.From].X).DefaultIfEmpty(0).Average());
            foreach (StageNode stage in sorted)
            {
                places[stage.Name] = (5 + (column++ * (Width + GapX)), 5 + (line.Key * (Height + GapY)));
            }
        }

        return places;
    }

    private static string Title(string from, string label, bool artifact, Dictionary<string, StageCounts> counts) =>
        artifact ? $"model {label} from {from}"
        : counts.TryGetValue(from, out StageCounts? count) && count.RowsOut.TryGetValue(label, out long rows) ? $"{from}.{label}: {rows} rows" : $"{from}.{label}";

    // Rows by the default port; a sink or trainer is about what it took in.
    private static string Numbers(StageNode stage, StageCounts count)
    {
        bool drinks = stage.Ports.Count == 0 || stage.Descriptor.Kind == StageKind.Trainer;
        long rows = drinks ? count.RowsIn : count.RowsOut.GetValueOrDefault(stage.Ports[0].Name);
        return rows.ToString("N0", CultureInfo.InvariantCulture) + (count.Errors > 0 ? $" ({count.Errors} err)" : "");
    }

    private static string Cut(string text, int most) => text.Length > most ? text[..(most - 1)] + "…" : text;
}
