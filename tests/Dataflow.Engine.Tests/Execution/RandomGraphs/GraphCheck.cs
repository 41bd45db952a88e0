using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>Holds a finished run's folder and counts against the sequential reference.</summary>
internal sealed class GraphCheck(GraphSpec graph, SequentialReference reference, string runFolder)
{
    public void Check(RunResult result)
    {
        if (reference.Faults.Count > 0)
        {
            CheckFailed(result);
            return;
        }

        Expect(result.Outcome == RunOutcome.Completed, $"ended as {result.Outcome}: {result.Cause}");
        foreach (NodeSpec sink in Sinks())
        {
            Expect(File.Exists(Output(sink)), $"{sink.Name}: no output");
            CheckOutput(sink);
        }

        foreach (NodeSpec node in graph.Nodes)
        {
            CheckRejects(node, "errors");
            CheckRejects(node, "rejected");
            CheckCounts(node, result.Stages.Single(stage => stage.Stage == node.Name));
        }

        CheckNoRemains();
    }

    // The first phase with a fault fails the run: nothing behind the fault and nothing of a later phase is published;
    // a sink beside it may have been done before, and then it is whole.
    private void CheckFailed(RunResult result)
    {
        Expect(result.Outcome == RunOutcome.Failed, $"should have failed, but ended as {result.Outcome}");
        int phase = reference.Faults.Min(fault => reference.Phase(fault.Stage));
        (string Stage, string Message)[] first = reference.Faults.Where(fault => reference.Phase(fault.Stage) == phase).ToArray();
        Expect(
            first.Any(fault => fault.Message.Length > 0 ? result.Cause == $"stage '{fault.Stage}': {fault.Message}" : result.Cause!.StartsWith($"stage '{fault.Stage}': ", StringComparison.Ordinal)),
            $"the cause is \"{result.Cause}\", not one of {string.Join(", ", first)}");
        HashSet<string> behind = first.Select(fault => fault.Stage).ToHashSet(StringComparer.Ordinal);
        foreach (NodeSpec node in graph.Nodes.Where(node => node.Edges.Any(edge => behind.Contains(edge.Stage))))
        {
            behind.Add(node.Name);
        }

        foreach (NodeSpec sink in Sinks())
        {
            bool published = File.Exists(Output(sink));
            Expect(!published || (reference.Phase(sink.Name) <= phase && !behind.Contains(sink.Name)), $"{sink.Name}: published by a failed run");
            Expect(published || reference.Phase(sink.Name) >= phase, $"{sink.Name}: its phase was done, but it has no output");
            if (published)
            {
                CheckOutput(sink);
            }
        }

        CheckNoRemains();
    }

    private void CheckOutput(NodeSpec sink)
    {
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(sink.Inputs["in"]);
        IEnumerable<string> expected = reference.Input(sink).Select(row => row.ToJson(columns, "id"));
        Compare(sink.Name, expected, File.ReadAllLines(Output(sink)), ordered: !sink.Settings.ContainsKey("order"));
    }

    private void CheckRejects(NodeSpec node, string port)
    {
        string file = Path.Combine(runFolder, "rejects", $"{node.Name}.{port}.jsonl");
        IReadOnlyList<ReferenceRow> rows = reference.Port(node.Name, port);
        bool read = graph.Nodes.Any(reader => reader.Edges.Any(edge => edge.Stage == node.Name && edge.Port == port));
        Expect(File.Exists(file) == (!read && rows.Count > 0), $"{node.Name}.{port}: {rows.Count} rows, {(read ? "read" : "not read")}, but {(File.Exists(file) ? "a" : "no")} rejects file");
        if (File.Exists(file))
        {
            IEnumerable<ColumnSpec> columns = port == "errors" ? ColumnRules.Errors : ColumnRules.With(ColumnRules.Union(node.Inputs["in"]), "reason", isNumber: false);
            Compare($"rejects of {node.Name}.{port}", rows.Select(row => row.ToJson(columns, "row_id")), File.ReadAllLines(file), ordered: false);
        }
    }

    private void CheckCounts(NodeSpec node, StageCounts counts)
    {
        foreach ((string port, long rows) in counts.RowsOut)
        {
            int expected = reference.Port(node.Name, port).Count;
            Expect(rows == expected, $"{node.Name}.{port}: counted {rows} rows, should be {expected}");
        }

        int errors = reference.Port(node.Name, "errors").Count;
        Expect(counts.Errors == errors, $"{node.Name}: counted {counts.Errors} errors, should be {errors}");
        int read = node.IsSource ? reference.Port(node.Name, "out").Count : node.Inputs.Keys.Sum(input => reference.Input(node, input).Count);
        Expect(counts.RowsIn == read, $"{node.Name}: counted {counts.RowsIn} rows in, should be {read}");
    }

    private void CheckNoRemains() => Expect(Directory.GetFiles(runFolder, "*.tmp").Length == 0, "half-written files are left");

    private IEnumerable<NodeSpec> Sinks() => graph.Nodes.Where(node => node.Uses == "io.jsonl_sink");

    private string Output(NodeSpec sink) => Path.Combine(runFolder, sink.Name + ".jsonl");

    private static void Compare(string what, IEnumerable<string> expected, IEnumerable<string> actual, bool ordered)
    {
        string[] wanted = (ordered ? expected : expected.Order(StringComparer.Ordinal)).ToArray();
        string[] got = (ordered ? actual : actual.Order(StringComparer.Ordinal)).ToArray();
        int at = Enumerable.Range(0, Math.Min(wanted.Length, got.Length)).FirstOrDefault(i => wanted[i] != got[i], -1);
        Expect(at < 0, at < 0 ? "" : $"{what}: row {at} of {wanted.Length} is\n  {got[at]}\nnot\n  {wanted[at]}");
        Expect(wanted.Length == got.Length, $"{what}: {got.Length} rows, should be {wanted.Length}");
    }

    private static void Expect(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
