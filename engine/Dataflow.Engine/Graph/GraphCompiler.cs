using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>
/// Definition + catalogue -> graph: names, options, models, cycles, schemas, phases. Goes on after each mistake; a
/// stage that hangs on a broken one is not complained about again.
/// </summary>
public sealed class GraphCompiler
{
    private static readonly HashSet<string> ReaderMistakes = new(StringComparer.Ordinal)
    {
        DiagnosticCodes.UnknownStage, DiagnosticCodes.UnknownPort, DiagnosticCodes.Missing, DiagnosticCodes.DuplicateKey, DiagnosticCodes.BadName, DiagnosticCodes.BadInput,
    };

    private readonly PipelineDefinition definition;
    private readonly PluginCatalog catalog;
    private readonly StageDeclaring declaring;
    private readonly DiagnosticBag diagnostics;
    private readonly Dictionary<string, StageDraft> drafts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelNode> models = new(StringComparer.Ordinal);
    private readonly HashSet<string> brokenModels = new(StringComparer.Ordinal);
    private ErrorBudget runBudget = ErrorBudget.Default;

    private GraphCompiler(PipelineDefinition definition, PluginCatalog catalog, DiagnosticBag diagnostics)
    {
        this.definition = definition;
        this.catalog = catalog;
        declaring = new StageDeclaring(definition.SourcePath, models, diagnostics);
        this.diagnostics = diagnostics;
    }

    /// <summary>The graph, or null if there was any error; the bag holds all of them.</summary>
    public static PipelineGraph? Compile(PipelineDefinition definition, PluginCatalog catalog, DiagnosticBag diagnostics) =>
        new GraphCompiler(definition, catalog, diagnostics).Compile();

    private PipelineGraph? Compile()
    {
        runBudget = Budget(definition.Run.MaxErrors, definition.RunPlaces.TryGetValue("max_errors", out SourceSpan place) ? place : null) ?? ErrorBudget.Default;
        foreach (StageDefinition stage in definition.Stages)
        {
            DraftStage(stage);
        }

        foreach (ModelDefinition model in definition.Models)
        {
            DraftModel(model);
        }

        var references = new ModelReferences(definition, models, brokenModels, diagnostics);
        foreach (StageDraft draft in drafts.Values)
        {
            references.Resolve(draft);
            ResolveInputs(draft);
        }

        StageDraft[] ordered = GraphOrder.Sort(drafts, models, diagnostics);
        var nodes = new List<StageNode>();
        foreach (StageDraft draft in ordered)
        {
            if (Finish(draft) is StageNode node)
            {
                nodes.Add(node);
                draft.Node = node;
            }
        }

        WarnUnconnected(nodes);
        new SinkTargets(drafts.Values, models.Values, definition.SourcePath, diagnostics).Check();
        if (diagnostics.HasErrors)
        {
            return null;
        }

        WarnUnused();
        RunDefinition run = definition.Run;
        return new PipelineGraph(
            definition.Name, definition.Description, definition.SourcePath, definition.Hash,
            new RunSettings(run.Seed, run.BatchRows, run.BlockCapacity, run.Threads, runBudget, run.QueueBytes, run.StallAfter, run.MaxCost), nodes, models,
            nodes.Select(node => node.Descriptor.Plugin).Concat(models.Values.Select(model => model.Descriptor.Plugin)).Distinct().OrderBy(p => p.Name, StringComparer.Ordinal).ToArray())
        {
            RunPlace = definition.RunPlace,
        };
    }

    private void DraftStage(StageDefinition stage)
    {
        var draft = new StageDraft(stage);
        drafts[stage.Name] = draft;
        if (!catalog.Stages.TryGetValue(stage.Uses, out StageDescriptor? descriptor))
        {
            string? hint = Suggest.DidYouMean(stage.Uses, catalog.Stages.Keys) ?? catalog.HiddenHint() ?? "see 'dataflow list'";
            diagnostics.Error(DiagnosticCodes.UnknownStageType, stage.UsesSpan, $"unknown stage '{stage.Uses}'", hint);
            draft.Broken = true;
            return;
        }

        draft.Descriptor = descriptor;
        var binder = new OptionsBinder(diagnostics);
        draft.Options = binder.BindPartly(descriptor.OptionsType, stage.With, stage.NameSpan, out bool whole);
        draft.Whole = whole;
        draft.BadOptions = binder.Bad;
        draft.Places = binder.Places;
        draft.Broken |= !whole;
        draft.Budget = stage.Settings.MaxErrors is string own ? Budget(own, stage.SettingsSpan) : null;
    }

    private void DraftModel(ModelDefinition model)
    {
        if (!catalog.Models.TryGetValue(model.Uses, out ModelDescriptor? descriptor))
        {
            string? hint = Suggest.DidYouMean(model.Uses, catalog.Models.Keys) ?? catalog.HiddenHint() ?? "see 'dataflow list models'";
            diagnostics.Error(DiagnosticCodes.UnknownModelType, model.UsesSpan, $"unknown model provider '{model.Uses}'", hint);
            brokenModels.Add(model.Name);
            return;
        }

        object? options = new ModelDeclaring(definition.SourcePath, diagnostics).Declare(model, descriptor, out int? context);
        if (model.From is not null && !CheckTrainer(model, descriptor))
        {
            options = null;
        }

        if (options is null)
        {
            brokenModels.Add(model.Name);
            return;
        }

        LimitsDefinition l = model.Limits;
        var limits = new ModelLimits(l.Concurrency, l.RequestsPerMinute, l.TokensPerMinute, l.Retries, l.Timeout, l.GiveUpAfter);
        var cost = new ModelCost(model.Cost.Input, model.Cost.Output);
        models[model.Name] = new ModelNode(model.Name, model.NameSpan, descriptor, options, model.From, limits, cost) { ContextLength = context };
    }

    private bool CheckTrainer(ModelDefinition model, ModelDescriptor descriptor)
    {
        if (!descriptor.AcceptsArtifact)
        {
            diagnostics.Error(DiagnosticCodes.WrongModelKind, model.FromSpan, $"'{model.Uses}' does not read checkpoints, so it cannot come from a stage");
            return false;
        }

        if (!drafts.TryGetValue(model.From!, out StageDraft? trainer))
        {
            diagnostics.Error(DiagnosticCodes.UnknownStage, model.FromSpan, $"unknown stage '{model.From}'", Suggest.DidYouMean(model.From!, drafts.Keys));
            return false;
        }

        if (trainer.Descriptor is not null && trainer.Descriptor.Kind != StageKind.Trainer)
        {
            diagnostics.Error(DiagnosticCodes.WrongModelKind, model.FromSpan, $"stage '{model.From}' ({trainer.Descriptor.Name}) trains nothing; a model comes from a trainer");
            return false;
        }

        return true;
    }

    private void ResolveInputs(StageDraft draft)
    {
        StageDefinition stage = draft.Definition;
        bool misnamed = false;
        foreach (InputDefinition input in stage.Inputs)
        {
            if (draft.Descriptor is StageDescriptor descriptor && !descriptor.Inputs.Any(known => known.Name == input.Name))
            {
                if (!misnamed)
                {
                    (string wrong, string? hint) = Misnamed(descriptor, input.Name);
                    diagnostics.Error(DiagnosticCodes.BadInput, input.Span, wrong, hint);
                }

                misnamed = true;
                draft.Broken = true;
                continue;
            }

            foreach (PortReference port in input.Ports)
            {
                if (!drafts.ContainsKey(port.Stage))
                {
                    diagnostics.Error(DiagnosticCodes.UnknownStage, port.Span, $"unknown stage '{port.Stage}'", Suggest.DidYouMean(port.Stage, drafts.Keys));
                    draft.Broken = true;
                }
            }
        }

        foreach (StageInputDescriptor needed in draft.Descriptor?.Inputs ?? [])
        {
            // What is missing was perhaps given under the wrong name.
            if (!misnamed && !needed.Optional && !stage.Inputs.Any(input => input.Name == needed.Name && input.Ports.Count > 0))
            {
                string name = needed.Name == StageInputs.Default ? "'from'" : $"input '{needed.Name}'";
                diagnostics.Error(DiagnosticCodes.Missing, stage.NameSpan, $"stage '{stage.Name}' needs {name}");
                draft.Broken = true;
            }
        }
    }

    private static (string Wrong, string? Hint) Misnamed(StageDescriptor descriptor, string name)
    {
        string[] known = descriptor.Inputs.Select(input => input.Name).ToArray();
        return known switch
        {
            [] => ($"'{descriptor.Name}' is a source and takes no 'from'", null),
            [StageInputs.Default] => ($"'{descriptor.Name}' has one input and no name for it", "give 'from' a stage, or a list of them"),
            _ when name == StageInputs.Default => ($"'{descriptor.Name}' has several inputs, so 'from' must name them", $"from: {{ {string.Join(", ", known.Select(input => input + ": …"))} }}"),
            _ => ($"'{descriptor.Name}' has no input '{name}'", "inputs: " + string.Join(", ", known)),
        };
    }

    private StageNode? Finish(StageDraft draft)
    {
        StageDefinition stage = draft.Definition;
        var inputs = new List<InputNode>();
        bool complete = true;
        foreach (InputDefinition input in stage.Inputs)
        {
            if (SchemaUnion.Resolve(input, drafts, diagnostics) is InputNode node)
            {
                inputs.Add(node);
            }
            else
            {
                complete = false;
            }
        }

        IReadOnlyList<PortDeclaration>? ports = draft.Descriptor is null ? null
            : declaring.Declare(draft, inputs.ToDictionary(input => input.Name, input => input.Schema, StringComparer.Ordinal));
        if (ports is null || !complete)
        {
            draft.Broken = true;
            return null;
        }

        bool barrier = draft.Descriptor!.Kind is StageKind.Aggregate or StageKind.Trainer;
        int phase = inputs.SelectMany(input => input.Edges).Select(edge => drafts[edge.Stage].Node!.Phase).DefaultIfEmpty(0).Max() + (barrier ? 1 : 0);
        foreach (string model in draft.Models.Values)
        {
            if (models.GetValueOrDefault(model)?.FromStage is string trainer && drafts[trainer].Node is StageNode trained)
            {
                phase = Math.Max(phase, trained.Phase + 1);
            }
        }

        StageSettings settings = stage.Settings;
        return new StageNode(
            stage.Name, stage.NameSpan, draft.Descriptor, draft.Options!, inputs, ports, draft.Models, phase,
            settings.Concurrency, settings.BatchRows, settings.Retries, settings.Order == "input", draft.Budget ?? runBudget);
    }

    private void WarnUnconnected(List<StageNode> nodes)
    {
        if (diagnostics.All.Any(diagnostic => ReaderMistakes.Contains(diagnostic.Code)))
        {
            // Some reader is not where it was meant to be, and nobody knows what it would have read.
            return;
        }

        // A reader counts even if it has mistakes of its own.
        ILookup<string, string?> read = definition.Stages.SelectMany(stage => stage.Inputs).SelectMany(input => input.Ports).ToLookup(port => port.Stage, port => port.Port);
        foreach (StageNode node in nodes)
        {
            HashSet<string?> readPorts = read[node.Name].Select(port => port ?? node.Ports.FirstOrDefault()?.Name).ToHashSet(StringComparer.Ordinal);
            foreach (PortDeclaration port in node.Ports.Where(port => !port.Optional && !readPorts.Contains(port.Name)))
            {
                if (node.Descriptor.Kind != StageKind.Trainer)
                {
                    diagnostics.Warning(
                        DiagnosticCodes.UnconnectedPort, drafts[node.Name].Definition.NameSpan,
                        $"nothing reads '{node.Name}.{port.Name}', so its rows go nowhere");
                }
            }
        }
    }

    private void WarnUnused()
    {
        HashSet<string> used = [.. drafts.Values.SelectMany(draft => draft.Models.Values)];
        foreach (ModelDefinition model in definition.Models.Where(model => !used.Contains(model.Name)))
        {
            diagnostics.Warning(DiagnosticCodes.Unused, model.NameSpan, $"no stage uses the model '{model.Name}'");
        }
    }

    private ErrorBudget? Budget(string text, SourceSpan? span)
    {
        if (text.EndsWith('%') && double.TryParse(text[..^1], System.Globalization.CultureInfo.InvariantCulture, out double percent) && percent is >= 0 and <= 100)
        {
            return new ErrorBudget(null, percent / 100);
        }

        if (long.TryParse(text, out long rows) && rows >= 0)
        {
            return new ErrorBudget(rows, null);
        }

        diagnostics.Error(DiagnosticCodes.WrongType, span, $"max_errors must be a number of rows or a share such as 5%, but is '{text}'");
        return null;
    }
}
