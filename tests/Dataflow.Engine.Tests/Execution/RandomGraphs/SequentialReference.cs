using System.Text;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>
/// What a random pipeline must give, worked out one stage after the other on lists in memory, from the stages'
/// descriptions and without any of the engine's code. A row that would fault its stage is noted and passed through, so
/// that <see cref="Faults"/> names every stage that can be the first cause.
/// </summary>
public sealed class SequentialReference
{
    private readonly GraphSpec graph;
    private readonly Dictionary<(string Stage, string Port), List<ReferenceRow>> ports = [];
    private readonly Dictionary<string, int> phases = [];

    public SequentialReference(GraphSpec graph)
    {
        this.graph = graph;
        foreach (NodeSpec node in graph.Nodes)
        {
            phases[node.Name] = node.Edges.Select(edge => phases[edge.Stage]).DefaultIfEmpty(0).Max() + (node.IsAggregate ? 1 : 0);
            Evaluate(node);
        }
    }

    /// <summary>Stages that fault, with what they say; empty for a run that completes.</summary>
    public List<(string Stage, string Message)> Faults { get; } = [];

    public long MostRows => ports.Values.Select(rows => (long)rows.Count).DefaultIfEmpty(0).Max();

    public int Phase(string stage) => phases[stage];

    /// <summary>The rows of a port, in order.</summary>
    public IReadOnlyList<ReferenceRow> Port(string stage, string port) => ports.TryGetValue((stage, port), out List<ReferenceRow>? rows) ? rows : [];

    /// <summary>The rows of an input, in order.</summary>
    public List<ReferenceRow> Input(NodeSpec node, string input = "in")
    {
        IReadOnlyList<PortSpec> edges = node.Inputs[input];
        var rows = new List<ReferenceRow>();
        for (int i = 0; i < edges.Count; i++)
        {
            int index = i;
            IEnumerable<ReferenceRow> read = Port(edges[i].Stage, edges[i].Port);
            rows.AddRange(edges.Count == 1 ? read : read.Select(row => row with { Place = [index, .. row.Place] }));
        }

        rows.Sort(ReferenceRow.Compare);
        return rows;
    }

    private void Evaluate(NodeSpec node)
    {
        switch (node.Uses)
        {
            case "alpha.generate": Generate(node); break;
            case "alpha.map": Map(node); break;
            case "alpha.keep": Keep(node); break;
            case "data.where": Where(node); break;
            case "alpha.fan": Fan(node); break;
            case "alpha.head": Aggregate(node, "out", Input(node).Take((int)node.Number("n")), newIds: true); break;
            case "data.limit": Aggregate(node, "out", Input(node).Take((int)node.Number("n"))); break;
            case "data.shuffle": Shuffle(node); break;
            case "alpha.twice": Twice(node); break;
            case "data.dedup": Dedup(node); break;
            case "data.join": Join(node); break;
            case "alpha.broken_sink": BrokenSink(node); break;
            case "io.jsonl_sink": break;
            default: throw new NotSupportedException(node.Uses);
        }

        int errors = node.Settings.ContainsKey("max_errors") ? Port(node.Name, "errors").Count : 0;
        if (errors > 0 && (errors > (long)node.Settings["max_errors"] || errors == Input(node).Count))
        {
            Faults.Add((node.Name, ""));
        }
    }

    private void Generate(NodeSpec node)
    {
        IReadOnlyList<long> sizes = node.Options.TryGetValue("batches", out object? given) && ((IReadOnlyList<long>)given).Any(size => size > 0)
            ? (IReadOnlyList<long>)given
            : [graph.BatchRows];
        var ids = new ReferenceIds(node.Name);
        long rows = node.Number("rows");
        long sent = 0;
        long unusable = 0;
        for (int batch = 0; sent < rows; batch++)
        {
            long end = Math.Min(rows, sent + sizes[batch % sizes.Count]);
            for (long row = sent; row < end; row++)
            {
                NoteFault(node, row);
                if (IsMultiple(row, node.Number("error_every")))
                {
                    string input = $"input {row}";
                    Fail(node, new ReferenceRow(ReferenceIds.OfInput(node.Name, input, unusable++), [sent], new Dictionary<string, object?>()), "unusable", $"input {row} is unusable", 1, input);
                }

                long value = node.Number("start") + (node.Number("distinct") > 0 ? row % node.Number("distinct") : row);
                bool missing = IsMultiple(row, node.Number("null_every"));
                var values = new Dictionary<string, object?> { ["value"] = missing ? null : value, ["text"] = missing ? null : $"t{value}" };
                Emit(node, "out", new ReferenceRow(ids.Next(values, ColumnRules.Source), [row], values));
            }

            sent = end;
        }

        Sort(node, "errors");
    }

    private void Map(NodeSpec node)
    {
        foreach (ReferenceRow row in BatchRows(node))
        {
            Emit(node, "out", row.With(node.Text("column"), (row.Number(node.Text("by")) * node.Number("factor")) + 1));
        }
    }

    private void Keep(NodeSpec node)
    {
        foreach (ReferenceRow row in BatchRows(node))
        {
            long number = row.Number(node.Text("by"));
            Divide(node, row, number % node.Number("modulo") != 0, $"{number} divides");
        }
    }

    private void Where(NodeSpec node)
    {
        string column = node.Text("column");
        foreach (ReferenceRow row in Input(node))
        {
            bool kept = row.Values.GetValueOrDefault(column) is long value && value >= node.Number("min") && value <= node.Number("max");
            Divide(node, row, kept, row.Values.GetValueOrDefault(column) is null ? "missing" : $"{column} is {row.Number(column)}");
        }
    }

    private void Divide(NodeSpec node, ReferenceRow row, bool kept, string reason) => Emit(node, kept ? "kept" : "rejected", kept ? row : row.With("reason", reason));

    private void Fan(NodeSpec node)
    {
        long retries = node.Settings.TryGetValue("retries", out object? set) ? (long)set : 0;
        foreach (ReferenceRow row in Input(node))
        {
            long number = row.Number(node.Text("by"));
            NoteFault(node, number);
            if (IsMultiple(number, node.Number("fail_every")))
            {
                Fail(node, row, "multiple", $"{number} is a multiple of {node.Number("fail_every")}", 1);
            }
            else if (IsMultiple(number, node.Number("crash_every")))
            {
                Fail(node, row, "invalid_operation", $"{number} crashes", retries + 1);
            }
            else if (IsMultiple(number, node.Number("flaky_every")) && retries == 0)
            {
                Fail(node, row, "invalid_operation", $"{number} crashes at first", 1);
            }
            else
            {
                Spread(node, row, number);
            }
        }

        Sort(node, "out");
    }

    private void Spread(NodeSpec node, ReferenceRow row, long number)
    {
        if (node.Options.ContainsKey("same"))
        {
            Emit(node, "out", row.With("copy", -1L));
        }

        long copies = node.Options.ContainsKey("same") ? 0 : Math.Abs(number) % (node.Number("copies") + 1);
        for (long copy = 0; copy < copies; copy++)
        {
            Emit(node, "out", row.With("copy", copy) with { Id = ReferenceIds.Child(row.Id, copy), Place = [.. row.Place, copy] });
        }

        if (number % 2 != 0)
        {
            Emit(node, "odd", row);
        }
    }

    private void Shuffle(NodeSpec node)
    {
        ulong seed = Seeds.Derive(Seeds.Derive(graph.Seed % 1000, "epoch:"), "stage:" + node.Name);
        Aggregate(node, "out", Input(node).OrderBy(row => Seeds.Derive(seed, row.Id)));
    }

    private void Twice(NodeSpec node)
    {
        List<ReferenceRow> rows = Input(node);
        rows.ForEach(row => NoteFault(node, row.Number(node.Text("by"))));
        long sum = rows.Sum(row => row.Number(node.Text("by")));
        Aggregate(node, "out", rows.Select(row => row.With("sum", sum)));
    }

    private void Dedup(NodeSpec node)
    {
        var seen = new HashSet<string>();
        ILookup<bool, ReferenceRow> first = Input(node).ToLookup(row => seen.Add(string.Join('|', node.Texts("by").Select(column => row.Values.GetValueOrDefault(column) ?? "null"))));
        Aggregate(node, "kept", first[true]);
        Aggregate(node, "rejected", first[false].Select(row => row.With("reason", "duplicate")));
    }

    private void Join(NodeSpec node)
    {
        string on = node.Texts("on")[0];
        IReadOnlyList<ColumnSpec> leftColumns = ColumnRules.Union(node.Inputs["left"]);
        IReadOnlyList<ColumnSpec> rightColumns = ColumnRules.Union(node.Inputs["right"]);
        List<ReferenceRow> right = Input(node, "right");
        var joined = new List<ReferenceRow>();
        foreach (ReferenceRow row in Input(node, "left"))
        {
            // A missing key equals no other.
            ReferenceRow[] matches = right.Where(other => row.Values.GetValueOrDefault(on) is not null && Equals(other.Values.GetValueOrDefault(on), row.Values.GetValueOrDefault(on))).ToArray();
            string how = node.Text("how");
            if ((how == "semi" && matches.Length > 0) || (how is "anti" or "left" && matches.Length == 0))
            {
                joined.Add(row);
            }

            if (how is "inner" or "left")
            {
                joined.AddRange(matches.Select(match => Merge(row, leftColumns, match, rightColumns, on)));
            }
        }

        Aggregate(node, "out", joined);
    }

    private static ReferenceRow Merge(ReferenceRow left, IReadOnlyList<ColumnSpec> leftColumns, ReferenceRow right, IReadOnlyList<ColumnSpec> rightColumns, string on)
    {
        var values = new Dictionary<string, object?>(left.Values);
        foreach (string column in rightColumns.Select(column => column.Name).Where(column => column != on))
        {
            values[leftColumns.Any(other => other.Name == column) ? column + "_right" : column] = right.Values.GetValueOrDefault(column);
        }

        return new ReferenceRow(ReferenceIds.Joined(left.Id, right.Id), [], values);
    }

    private void BrokenSink(NodeSpec node)
    {
        if (Input(node).Count >= node.Number("n"))
        {
            Faults.Add((node.Name, $"broken after {node.Number("n")}"));
        }
    }

    // A whole-stream stage's rows stand in the order it gives them.
    private void Aggregate(NodeSpec node, string port, IEnumerable<ReferenceRow> rows, bool newIds = false)
    {
        IReadOnlyList<ColumnSpec> columns = newIds ? ColumnRules.Union(node.Inputs["in"]) : [];
        var ids = new ReferenceIds(node.Name);
        long position = 0;
        foreach (ReferenceRow row in rows)
        {
            Emit(node, port, row with { Place = [position++], Id = newIds ? ids.Next(row.Values, columns) : row.Id });
        }
    }

    // The rows that a batch stage of the test plugin handles; the others fail singly.
    private IEnumerable<ReferenceRow> BatchRows(NodeSpec node)
    {
        long attempts = node.Settings.TryGetValue("retries", out object? retries) ? (long)retries + 1 : 1;
        foreach (ReferenceRow row in Input(node))
        {
            long number = row.Number(node.Text("by"));
            NoteFault(node, number);
            if (IsMultiple(number, node.Number("fail_every")))
            {
                Fail(node, row, "multiple", $"{number} is a multiple of {node.Number("fail_every")}", attempts);
            }
            else if (IsMultiple(number, node.Number("cancel_every")))
            {
                Fail(node, row, "task_canceled", $"{number} took too long", attempts);
            }
            else
            {
                yield return row;
            }
        }
    }

    private void NoteFault(NodeSpec node, long number)
    {
        if (number == node.FaultAt)
        {
            Faults.Add((node.Name, $"fault at {number}"));
        }
    }

    private void Fail(NodeSpec node, ReferenceRow row, string code, string message, long attempts, string? input = null) =>
        Emit(node, "errors", row with
        {
            Values = new Dictionary<string, object?>
            {
                ["row_id"] = row.Id,
                ["stage"] = node.Name,
                // Three lines stand above the stages.
                ["place"] = $"pipeline.yaml:{graph.Nodes.ToList().IndexOf(node) + 4}:3",
                ["code"] = code,
                ["message"] = message,
                ["attempts"] = attempts,
                ["input"] = input ?? row.ToJson(ColumnRules.Union(node.Inputs["in"])),
            },
        });

    private void Emit(NodeSpec node, string port, ReferenceRow row)
    {
        if (!ports.TryGetValue((node.Name, port), out List<ReferenceRow>? rows))
        {
            ports[(node.Name, port)] = rows = [];
        }

        rows.Add(row);
    }

    private void Sort(NodeSpec node, string port)
    {
        if (ports.TryGetValue((node.Name, port), out List<ReferenceRow>? rows))
        {
            rows.Sort(ReferenceRow.Compare);
        }
    }

    private static bool IsMultiple(long number, long of) => of > 0 && number != 0 && number % of == 0;
}
