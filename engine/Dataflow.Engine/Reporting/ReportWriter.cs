using System.Globalization;
using System.Net;
using System.Text;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Reporting;

/// <summary>Writes report.html of a run: one file, nothing loaded from elsewhere. Rows are hostile text, so all is encoded.</summary>
public static class ReportWriter
{
    public static string PathIn(string folder) => Path.Combine(folder, "report.html");

    /// <summary>Writes the report and returns its path.</summary>
    public static string Write(string folder, PipelineGraph graph)
    {
        RunRecord record = RunRecord.Read(folder).InOrderOf(graph);
        RunManifest manifest = RunFolder.ReadManifest(folder)!;
        var html = new StringBuilder();
        html.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(Text(graph.Name)).Append("</title><style>").Append(ReportStyle.Css).Append("</style></head><body><main>");
        Header(html, graph, manifest);
        html.Append("<section><h2>Results</h2>").Append(ReportPlots.Evaluations(record.Metrics)).Append("</section>");
        html.Append("<section><h2>Graph</h2><div class=\"scroll\">").Append(ReportGraph.Svg(graph, record.Stages)).Append("</div></section>");
        html.Append("<section><h2>Training</h2>").Append(ReportPlots.Curves(record.Metrics, "loss")).Append(ReportPlots.Curves(record.Metrics, "eval_loss")).Append(ReportPlots.Curves(record.Metrics, "gradient_norm")).Append("</section>");
        Stages(html, record);
        Errors(html, record, folder);
        Usage(html, record);
        Samples(html, record);
        Manifest(html, manifest);
        html.Append("</main></body></html>");
        string path = PathIn(folder);
        File.WriteAllText(path + ".tmp", html.ToString());
        File.Move(path + ".tmp", path, overwrite: true);
        return path;
    }

    internal static string Text(string text) => WebUtility.HtmlEncode(text);

    private static void Header(StringBuilder html, PipelineGraph graph, RunManifest manifest)
    {
        html.Append(CultureInfo.InvariantCulture, $"<header><h1>{Text(graph.Name)}</h1><p class=\"state {Text(manifest.State)}\">{Text(manifest.State)}</p>");
        html.Append(CultureInfo.InvariantCulture, $"<p>run {Text(manifest.RunId)}, seed {manifest.Seed}, {graph.Stages.Count} stages in {graph.PhaseCount} phases</p>");
        if (graph.Description is not null)
        {
            html.Append("<p>").Append(Text(graph.Description)).Append("</p>");
        }

        if (manifest.Cause is not null)
        {
            html.Append("<p class=\"cause\">").Append(Text(manifest.Cause)).Append("</p>");
        }

        html.Append("</header>");
    }

    private static void Stages(StringBuilder html, RunRecord record)
    {
        html.Append("<section><h2>Stages</h2><div class=\"scroll\"><table><tr><th>phase<th>stage<th>state<th>rows in<th>rows out<th>gave none<th>errors<th>from journal<th>from cache<th>seconds</tr>");
        foreach (StageCounts stage in record.Stages)
        {
            string ports = string.Join(", ", stage.RowsOut.Select(port => $"{port.Key} {port.Value.ToString("N0", CultureInfo.InvariantCulture)}"));
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{stage.Phase + 1}<td>{Text(stage.Stage)}<td>{Text(stage.State)}<td class=n>{stage.RowsIn:N0}<td>{Text(ports)}<td class=n>{stage.Filtered:N0}<td class=n>{stage.Errors:N0}<td class=n>{stage.Replayed:N0}<td class=n>{stage.Cached:N0}<td class=n>{stage.Elapsed.TotalSeconds:0.0}</tr>");
        }

        html.Append("</table></div></section>");
    }

    private static void Errors(StringBuilder html, RunRecord record, string folder)
    {
        html.Append("<section><h2>Errors and rejections</h2>");
        if (record.Errors.Count > 0)
        {
            html.Append("<div class=\"scroll\"><table><tr><th>stage<th>code<th>rows<th>example</tr>");
            foreach (ErrorGroup group in record.Errors)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(group.Stage)}<td>{Text(group.Code)}<td class=n>{group.Count:N0}<td>{Text(Short(group.Example))}</tr>");
            }

            html.Append("</table></div>");
        }

        IReadOnlyList<(string Stage, string Reason, long Rows)> rejections = RejectReasons.Read(folder);
        if (rejections.Count > 0)
        {
            html.Append("<div class=\"scroll\"><table><tr><th>rejected by<th>reason<th>rows</tr>");
            foreach ((string stage, string reason, long rows) in rejections)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(stage)}<td>{Text(reason)}<td class=n>{rows:N0}</tr>");
            }

            html.Append("</table></div>");
        }

        html.Append(record.Errors.Count + rejections.Count == 0 ? "<p>none</p></section>" : "</section>");
    }

    private static void Usage(StringBuilder html, RunRecord record)
    {
        if (record.Usage.Count == 0)
        {
            return;
        }

        html.Append("<section><h2>Models</h2><table><tr><th>model<th>calls<th>from journal<th>from cache<th>tokens in<th>tokens out<th>retries<th>cost</tr>");
        foreach ((string model, ModelUsage usage) in record.Usage)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(model)}<td class=n>{usage.Calls:N0}<td class=n>{usage.Replayed:N0}<td class=n>{usage.Cached:N0}<td class=n>{usage.InputTokens:N0}<td class=n>{usage.OutputTokens:N0}<td>{Text(usage.Retries > 0 ? usage.DescribeRetries() : "")}<td class=n>{(usage.Cost > 0 ? usage.Cost.ToString("0.00##", CultureInfo.InvariantCulture) : "")}</tr>");
        }

        html.Append("</table></section>");
    }

    private static void Samples(StringBuilder html, RunRecord record)
    {
        html.Append("<section><h2>Sample rows</h2>");
        foreach (IGrouping<string, SampleRow> stage in record.Samples.GroupBy(sample => sample.Stage))
        {
            html.Append(CultureInfo.InvariantCulture, $"<details><summary>{Text(stage.Key)}</summary>");
            foreach (SampleRow sample in stage)
            {
                html.Append(CultureInfo.InvariantCulture, $"<p class=\"row\"><b>{Text(sample.Port)}</b> <code>{Text(sample.RowId)}</code></p><pre>{Text(Short(sample.Json, 2000))}</pre>");
            }

            html.Append("</details>");
        }

        html.Append("</section>");
    }

    private static void Manifest(StringBuilder html, RunManifest manifest)
    {
        html.Append("<section><h2>Manifest</h2><table>");
        void Line(string name, string value) => html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(name)}<td>{Text(value)}</tr>");
        Line("pipeline", manifest.PipelinePath);
        Line("definition", manifest.DefinitionHash);
        Line("epoch", manifest.Epoch.Length == 0 ? "none" : manifest.Epoch);
        Line("threads", manifest.Threads.ToString(CultureInfo.InvariantCulture));
        Line("engine", manifest.EngineVersion);
        Line("machine", manifest.Machine);
        Line("started", manifest.Started.ToString("u", CultureInfo.InvariantCulture));
        foreach ((string name, string value) in manifest.Overrides)
        {
            Line("--set " + name, value);
        }

        foreach (PluginRecord plugin in manifest.Plugins)
        {
            Line("plugin " + plugin.Name, plugin.Hash);
        }

        html.Append("</table></section>");
    }

    private static string Short(string text, int most = 300) => text.Length > most ? text[..most] + "…" : text;
}
