using Dataflow.Abstractions;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>
/// Draws pipelines: one to three sources (some empty, some of one row, batches of uneven size), up to ten stages of
/// every streaming and whole-stream kind over unions, diamonds, named ports and errors ports, and sinks on what is left.
/// </summary>
public sealed class GraphGenerator
{
    private readonly SeededRandom random;
    private readonly ulong seed;
    private readonly List<NodeSpec> nodes = [];
    private readonly List<PortSpec> ports = [];
    private readonly HashSet<PortSpec> read = [];

    private GraphGenerator(ulong seed)
    {
        this.seed = seed;
        random = new SeededRandom(Seeds.Derive(seed, "random-graph"));
    }

    public static GraphSpec Draw(ulong seed) => new GraphGenerator(seed).Draw();

    private GraphSpec Draw()
    {
        int sources = random.Next(1, 4);
        for (int i = 0; i < sources; i++)
        {
            AddSource($"s{i}");
        }

        int stages = random.Next(1, 11);
        for (int i = 0; i < stages; i++)
        {
            AddStage($"n{i}");
        }

        AddSinks();
        if (Chance(30))
        {
            PlantFault();
        }

        return new GraphSpec(seed, Chance(20) ? 1 : random.Next(2, 30), Chance(70) ? 1 : random.Next(2, 5), nodes);
    }

    private bool Chance(int percent) => random.Next(100) < percent;

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private void AddSource(string name)
    {
        int rows = random.Next(10) switch
        {
            0 => 0,
            1 => 1,
            < 8 => random.Next(2, 40),
            _ => random.Next(40, 150),
        };
        var options = new Dictionary<string, object> { ["rows"] = (long)rows, ["start"] = (long)random.Next(5), ["tell"] = true };
        if (Chance(30))
        {
            options["distinct"] = (long)random.Next(1, 12);
        }

        if (Chance(60))
        {
            options["batches"] = Enumerable.Range(0, random.Next(1, 5)).Select(_ => (long)random.Next(0, 17)).ToArray();
        }

        if (Chance(20))
        {
            options["error_every"] = (long)random.Next(3, 9);
        }

        if (Chance(20))
        {
            options["null_every"] = (long)random.Next(3, 9);
        }

        Add(new NodeSpec(name, "alpha.generate", new Dictionary<string, IReadOnlyList<PortSpec>>(), options, new Dictionary<string, object>()), ("out", ColumnRules.Source));
    }

    private void AddStage(string name)
    {
        switch (random.Next(12))
        {
            case 0 or 1:
                AddMap(name);
                break;
            case 2:
                AddFilter(name);
                break;
            case 3:
                AddWhere(name);
                break;
            case 4 or 5 or 6:
                AddFan(name);
                break;
            case 7:
                AddPassing(name, "alpha.head", ("n", (long)random.Next(0, 30)));
                break;
            case 8:
                AddPassing(name, "data.limit", ("n", (long)random.Next(0, 30)));
                break;
            case 9:
                AddPassing(name, "data.shuffle");
                break;
            case 10:
                AddJoin(name);
                break;
            default:
                if (Chance(50))
                {
                    AddDedup(name);
                }
                else
                {
                    AddTwice(name);
                }

                break;
        }
    }

    private void AddMap(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        string column = Chance(30) ? "value" : "m_" + name;
        var options = new Dictionary<string, object> { ["by"] = NumberColumn(columns), ["column"] = column, ["factor"] = (long)random.Next(-2, 4), ["tell"] = true };
        MaybeFail(options);
        MaybeFail(options, "cancel_every", percent: 15);
        Add(Node(name, "alpha.map", from, options, parallel: true), ("out", ColumnRules.With(columns, column, isNumber: true)));
    }

    private void AddFilter(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        var options = new Dictionary<string, object> { ["by"] = NumberColumn(columns), ["modulo"] = (long)random.Next(1, 5) };
        MaybeFail(options);
        MaybeFail(options, "cancel_every", percent: 15);
        Add(Node(name, "alpha.keep", from, options, parallel: true), ("kept", columns), ("rejected", ColumnRules.With(columns, "reason", isNumber: false)));
    }

    private void AddWhere(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        var options = new Dictionary<string, object> { ["column"] = NumberColumn(columns), ["min"] = (long)random.Next(0, 10), ["max"] = (long)random.Next(10, 60) };
        Add(Node(name, "data.where", from, options, parallel: true), ("kept", columns), ("rejected", ColumnRules.With(columns, "reason", isNumber: false)));
    }

    private void AddFan(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        var options = new Dictionary<string, object> { ["by"] = NumberColumn(columns), ["copies"] = (long)random.Next(0, 4), ["tell"] = true };
        MaybeFail(options);
        MaybeFail(options, "crash_every", percent: 15);
        MaybeFail(options, "flaky_every", percent: 15);

        if (Chance(40))
        {
            options["same"] = true;
        }

        if (Chance(20))
        {
            options["delay_milliseconds"] = 1L;
        }

        Add(Node(name, "alpha.fan", from, options, parallel: true), ("out", ColumnRules.With(columns, "copy", isNumber: true)), ("odd", columns));
    }

    private void AddPassing(string name, string uses, params (string Option, object Value)[] options)
    {
        IReadOnlyList<PortSpec> from = Union();
        Add(Node(name, uses, from, options.ToDictionary(option => option.Option, option => option.Value)), ("out", ColumnRules.Union(from)));
    }

    private void AddTwice(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        Add(Node(name, "alpha.twice", from, new Dictionary<string, object> { ["by"] = NumberColumn(columns) }), ("out", ColumnRules.With(columns, "sum", isNumber: true)));
    }

    private void AddDedup(string name)
    {
        IReadOnlyList<PortSpec> from = Union();
        IReadOnlyList<ColumnSpec> columns = ColumnRules.Union(from);
        string[] by = Enumerable.Range(0, random.Next(1, 3)).Select(_ => Pick(columns).Name).Distinct().ToArray();
        Add(Node(name, "data.dedup", from, new Dictionary<string, object> { ["by"] = by }), ("kept", columns), ("rejected", ColumnRules.With(columns, "reason", isNumber: false)));
    }

    private void AddJoin(string name)
    {
        IReadOnlyList<PortSpec> left = Union();
        IReadOnlyList<PortSpec> right = Union();
        IReadOnlyList<ColumnSpec> leftColumns = ColumnRules.Union(left);
        IReadOnlyList<ColumnSpec> rightColumns = ColumnRules.Union(right);
        string[] keys = leftColumns.Intersect(rightColumns).Where(column => column.IsNumber).Select(column => column.Name).ToArray();
        if (keys.Length == 0)
        {
            AddPassing(name, "data.shuffle");
            return;
        }

        string on = Pick(keys);
        string how = Pick(["inner", "left", "semi", "anti"]);
        IReadOnlyList<ColumnSpec>? columns = how is "semi" or "anti" ? leftColumns : ColumnRules.Join(leftColumns, rightColumns, on);
        if (columns is null)
        {
            AddPassing(name, "data.shuffle");
            return;
        }

        Add(
            new NodeSpec(
                name, "data.join", new Dictionary<string, IReadOnlyList<PortSpec>> { ["left"] = left, ["right"] = right },
                new Dictionary<string, object> { ["on"] = new[] { on }, ["how"] = how }, new Dictionary<string, object>()),
            ("out", columns));
    }

    private void AddSinks()
    {
        PortSpec[] unread = ports.Where(port => !read.Contains(port)).ToArray();
        int sinks = 0;
        foreach (PortSpec port in unread.Where(port => port.Port != "errors" || Chance(40)))
        {
            AddSink($"k{sinks++}", [port]);
        }

        int more = random.Next(0, 3);
        for (int i = 0; i < more; i++)
        {
            AddSink($"k{sinks++}", Union());
        }
    }

    private void AddSink(string name, IReadOnlyList<PortSpec> from)
    {
        var options = new Dictionary<string, object> { ["path"] = $"${{run:folder}}/{name}.jsonl", ["row_id"] = "id" };
        NodeSpec node = Node(name, "io.jsonl_sink", from, options);
        nodes.Add(Chance(15) ? node with { Settings = new Dictionary<string, object> { ["order"] = "any" } } : node);
        read.UnionWith(from);
    }

    // One stage that ends the run, if the row that sets it off gets there: by throwing, by its error budget, or as a sink.
    private void PlantFault()
    {
        if (Chance(20))
        {
            nodes.Add(Node("broken", "alpha.broken_sink", Union(), new Dictionary<string, object> { ["n"] = (long)random.Next(1, 40) }));
            return;
        }

        int[] able = Enumerable.Range(0, nodes.Count).Where(i => nodes[i].Uses.StartsWith("alpha.", StringComparison.Ordinal) && nodes[i].Uses != "alpha.head").ToArray();
        int index = Pick(able);
        NodeSpec node = nodes[index];
        nodes[index] = Chance(30) && node.Options.ContainsKey("fail_every")
            ? node with { Settings = new Dictionary<string, object>(node.Settings) { ["max_errors"] = (long)random.Next(0, 4) } }
            : node with { Options = new Dictionary<string, object>(node.Options) { ["fault_at"] = (long)random.Next(0, 30) } };
    }

    // Ports nobody reads yet are preferred, so that chains grow and few ends are left.
    private IReadOnlyList<PortSpec> Union()
    {
        int count = random.Next(10) switch
        {
            < 6 => 1,
            < 9 => 2,
            _ => 3,
        };
        var chosen = new List<PortSpec>();
        for (int i = 0; i < count; i++)
        {
            PortSpec[] unread = ports.Where(port => !read.Contains(port) && port.Port != "errors").ToArray();
            PortSpec[] data = ports.Where(port => port.Port != "errors").ToArray();
            PortSpec port = unread.Length > 0 && Chance(55) ? Pick(unread) : Chance(12) ? Pick(ports) : Pick(data);
            // One port twice in one list is a mistake of the writer's, not a graph.
            if (!chosen.Contains(port))
            {
                chosen.Add(port);
            }
        }

        read.UnionWith(chosen);
        return chosen;
    }

    private string NumberColumn(IReadOnlyList<ColumnSpec> columns) => Pick(columns.Where(column => column.IsNumber).ToArray()).Name;

    private void MaybeFail(Dictionary<string, object> options, string failure = "fail_every", int percent = 35)
    {
        if (Chance(percent))
        {
            options[failure] = (long)random.Next(2, 12);
        }
    }

    private NodeSpec Node(string name, string uses, IReadOnlyList<PortSpec> from, Dictionary<string, object> options, bool parallel = false)
    {
        var settings = new Dictionary<string, object>();
        if (parallel && Chance(70))
        {
            settings["concurrency"] = (long)random.Next(1, 9);
        }

        if (parallel && Chance(30))
        {
            settings["batch_rows"] = (long)random.Next(1, 12);
        }

        if (parallel && Chance(25))
        {
            settings["retries"] = (long)random.Next(1, 3);
        }

        return new NodeSpec(name, uses, new Dictionary<string, IReadOnlyList<PortSpec>> { ["in"] = from }, options, settings);
    }

    private void Add(NodeSpec node, params ReadOnlySpan<(string Port, IReadOnlyList<ColumnSpec> Columns)> made)
    {
        nodes.Add(node);
        foreach ((string port, IReadOnlyList<ColumnSpec> columns) in made)
        {
            ports.Add(new PortSpec(node.Name, port, columns));
        }

        ports.Add(new PortSpec(node.Name, "errors", ColumnRules.Errors));
    }
}
