using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Engine.Diagnostics;

/// <summary>Diagnostics as a SARIF 2.1.0 log (OASIS), which code hosts and editors show at their lines.</summary>
public static class SarifLog
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="folder">Files under it are written relative to it, others as file URIs.</param>
    public static string Write(IEnumerable<Diagnostic> diagnostics, string folder)
    {
        Diagnostic[] all = diagnostics.ToArray();
        string[] rules = all.Select(diagnostic => diagnostic.Code).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var log = new JsonObject
        {
            ["$schema"] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            ["version"] = "2.1.0",
            ["runs"] = new JsonArray(new JsonObject
            {
                ["tool"] = new JsonObject
                {
                    ["driver"] = new JsonObject
                    {
                        ["name"] = "dataflow",
                        ["version"] = typeof(SarifLog).Assembly.GetName().Version!.ToString(3),
                        ["rules"] = new JsonArray([.. rules.Select(Rule)]),
                    },
                },
                ["columnKind"] = "utf16CodeUnits",
                ["originalUriBaseIds"] = new JsonObject { ["ROOT"] = new JsonObject { ["uri"] = FileUri(Path.TrimEndingDirectorySeparator(folder) + "/") } },
                ["results"] = new JsonArray([.. all.Select(diagnostic => Result(diagnostic, System.Array.IndexOf(rules, diagnostic.Code), folder))]),
            }),
        };
        return log.ToJsonString(Indented);
    }

    private static JsonObject Rule(string code) => new() { ["id"] = code, ["name"] = DiagnosticCodes.NameOf(code) };

    private static JsonObject Result(Diagnostic diagnostic, int rule, string folder)
    {
        var result = new JsonObject
        {
            ["ruleId"] = diagnostic.Code,
            ["ruleIndex"] = rule,
            ["level"] = diagnostic.Severity.ToString().ToLowerInvariant(),
            ["message"] = new JsonObject { ["text"] = diagnostic.Message + (diagnostic.Hint is null ? "" : $" ({diagnostic.Hint})") },
        };
        if (diagnostic.Span is SourceSpan span)
        {
            result["locations"] = new JsonArray(new JsonObject
            {
                ["physicalLocation"] = new JsonObject
                {
                    ["artifactLocation"] = Artifact(span.File, folder),
                    ["region"] = new JsonObject { ["startLine"] = span.Line, ["startColumn"] = span.Column },
                },
            });
        }

        return result;
    }

    private static JsonObject Artifact(string file, string folder)
    {
        string path = Path.GetFullPath(file, folder);
        string relative = Path.GetRelativePath(folder, path);
        return relative.StartsWith("..", StringComparison.Ordinal)
            ? new JsonObject { ["uri"] = FileUri(path) }
            : new JsonObject { ["uri"] = string.Join('/', relative.Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString)), ["uriBaseId"] = "ROOT" };
    }

    private static string FileUri(string path) => new UriBuilder { Scheme = Uri.UriSchemeFile, Host = "", Path = path }.Uri.AbsoluteUri;
}
