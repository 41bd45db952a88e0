using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Execution.Spill;
using Dataflow.Engine.Execution.Tapping;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution;

/// <summary>
/// Lays the edges of one phase: within the phase bounded blocks, across phases spills. Sinks whose rows would arrive
/// out of order read a spill too, so that what they write does not hang on parallelism.
/// </summary>
internal sealed class PhaseWiring
{
    private readonly PipelineGraph graph;
    private readonly RunFolder folder;
    private readonly int phase;
    private readonly Dictionary<string, StageRuntime> runtimes;
    private readonly List<Pump> pumps = [];

    public PhaseWiring(PipelineGraph graph, int phase, RunFolder folder, Journal journal, RunState state, Func<StageNode, EngineStageContext> context)
    {
        this.graph = graph;
        this.folder = folder;
        this.phase = phase;
        runtimes = graph.Stages.Where(stage => stage.Phase == phase)
            .ToDictionary(stage => stage.Name, stage => new StageRuntime(stage, context(stage), state, journal));
        foreach (StageRuntime runtime in runtimes.Values)
        {
            AddPorts(runtime, journal);
        }

        foreach (StageRuntime runtime in runtimes.Values.Where(runtime => Streams(runtime.Node)))
        {
            AddInput(runtime);
        }

        foreach (StageRuntime runtime in runtimes.Values)
        {
            AddSpillsAndRejects(runtime);
        }
    }

    public IReadOnlyCollection<StageRuntime> Runtimes => runtimes.Values;

    /// <summary>Spilled ports of earlier phases that feed streaming inputs of this one.</summary>
    public IReadOnlyList<Pump> Pumps => pumps;

    /// <summary>True if the stage reads its input live in its phase.</summary>
    public bool Streams(StageNode node) => node.Descriptor.Kind switch
    {
        StageKind.Transform or StageKind.Filter or StageKind.Row => true,
        StageKind.Sink => !node.Ordered || (node.Inputs[0].Edges.Count == 1 && IsOrdered(node.Inputs[0].Edges[0])),
        _ => false,
    };

    /// <summary>The complete inputs of a barrier or late sink.</summary>
    public void OpenStreams(StageRuntime runtime)
    {
        foreach (InputNode input in runtime.Node.Inputs)
        {
            runtime.Streams[input.Name] = new SpillStream(input.Schema, input.Edges.Select((edge, i) => Part(edge, Adapter(input, i))).ToArray());
        }
    }

    private static EdgeAdapter Adapter(InputNode input, int edge) => new(input.Edges.Count > 1 ? edge : null);

    private SpillPart Part(PortEdge edge, EdgeAdapter adapter) =>
        new(folder.SpillFolder(edge.Stage, edge.Port), PortOf(graph.Stage(edge.Stage), edge.Port).Schema, adapter);

    private static PortDeclaration PortOf(StageNode node, string port) =>
        port == ErrorRows.Port ? new PortDeclaration(port, ErrorRows.Schema, Optional: true) : node.Port(port);

    // Order is kept by sources, batch stages and aggregates, and lost by row stages, unions, and the errors port.
    private bool IsOrdered(PortEdge edge)
    {
        StageNode node = graph.Stage(edge.Stage);
        return edge.Port != ErrorRows.Port && node.Descriptor.Kind switch
        {
            StageKind.Source or StageKind.Aggregate or StageKind.Trainer => true,
            StageKind.Transform or StageKind.Filter =>
                node.Inputs[0].Edges.Count == 1 && (graph.Stage(node.Inputs[0].Edges[0].Stage).Phase < node.Phase || IsOrdered(node.Inputs[0].Edges[0])),
            _ => false,
        };
    }

    private static void AddPorts(StageRuntime runtime, Journal journal)
    {
        var sampler = new RowSampler(runtime.Node.Name, journal);
        TapPoint Tap(string port) => runtime.State.Taps.Point(runtime.Node.Name, port);
        for (int i = 0; i < runtime.Node.Ports.Count; i++)
        {
            int index = i;
            PortDeclaration port = runtime.Node.Ports[i];
            runtime.Ports[port.Name] = new PortOutput(runtime.Node.Name, port, rows => runtime.Counter.Out(index, rows), sampler, Tap(port.Name));
        }

        var errors = new PortDeclaration(ErrorRows.Port, ErrorRows.Schema, Optional: true);
        runtime.Ports[ErrorRows.Port] = new PortOutput(runtime.Node.Name, errors, _ => { }, sampler, Tap(ErrorRows.Port));
    }

    private void AddInput(StageRuntime runtime)
    {
        InputNode input = runtime.Node.Inputs[0];
        int parallelism = runtime.Node.Concurrency ?? 4;
        // Capacity counts batches; below twice the parallelism it would itself be the limit.
        var block = new StageInput(input.Schema, runtime.Node.Descriptor.Kind == StageKind.Row ? graph.Settings.BlockCapacity : Math.Max(graph.Settings.BlockCapacity, 2 * parallelism), graph.Settings.QueueBytes);
        runtime.Input = block;
        runtime.Counter.QueueFill = () => block.Waiting;
        for (int i = 0; i < input.Edges.Count; i++)
        {
            PortEdge edge = input.Edges[i];
            if (runtimes.TryGetValue(edge.Stage, out StageRuntime? producer))
            {
                producer.Ports[edge.Port].AddReader(block, runtime.Node.Name, Adapter(input, i));
            }
            else
            {
                var live = new Edge(edge.Stage, edge.Port, runtime.Node.Name);
                block.AddProducer(live);
                pumps.Add(new Pump(new SpillStream(input.Schema, [Part(edge, Adapter(input, i))]), block, live));
            }
        }
    }

    private void AddSpillsAndRejects(StageRuntime runtime)
    {
        StageNode node = runtime.Node;
        foreach (PortOutput port in runtime.Ports.Values)
        {
            string name = port.Declaration.Name;
            StageNode[] readers = graph.Stages
                .Where(stage => stage.Inputs.Any(input => input.Edges.Contains(new PortEdge(node.Name, name)))).ToArray();
            if (readers.Any(reader => reader.Phase > phase || !Streams(reader)))
            {
                port.Spill = new SpillWriter(folder.SpillFolder(node.Name, name), port.Declaration.Schema);
            }

            if (readers.Length == 0 && name is ErrorRows.Port or "rejected")
            {
                port.Rejects = new RejectsFile(Path.Combine(folder.RejectsFolder, $"{node.Name}.{name}.jsonl"));
            }
        }
    }
}

/// <summary>Feeds a streaming input from a port of an earlier phase.</summary>
internal sealed record Pump(SpillStream Spill, StageInput Input, Edge Edge)
{
    public async Task RunAsync(RunState state)
    {
        await foreach (RowBatch batch in Spill.ReadAsync(state.Stopping))
        {
            await Input.SendAsync(batch, Edge, state.Aborted);
        }

        Input.ProducerDone();
    }
}
