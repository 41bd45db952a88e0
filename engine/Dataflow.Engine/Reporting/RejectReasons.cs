using System.Text.Json;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Reporting;

/// <summary>Counts the reasons in a run's files of rejected rows.</summary>
internal static class RejectReasons
{
    public static IReadOnlyList<(string Stage, string Reason, long Rows)> Read(string folder)
    {
        string rejects = Path.Combine(folder, "rejects");
        var counts = new Dictionary<(string Stage, string Reason), long>();
        foreach (string file in Directory.Exists(rejects) ? Directory.GetFiles(rejects, "*.rejected.jsonl") : [])
        {
            string stage = Path.GetFileName(file)[..^".rejected.jsonl".Length];
            foreach (string line in File.ReadLines(file))
            {
                using JsonDocument row = JsonDocument.Parse(line);
                string reason = row.RootElement.TryGetProperty(StageDeclaration.RejectedReason, out JsonElement value) ? value.ToString() : "";
                counts[(stage, reason)] = counts.GetValueOrDefault((stage, reason)) + 1;
            }
        }

        return counts.OrderByDescending(pair => pair.Value).Take(50).Select(pair => (pair.Key.Stage, pair.Key.Reason, pair.Value)).ToArray();
    }
}
