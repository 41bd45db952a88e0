using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Testing;

/// <summary>Compares cases with the pipeline before any is run, so that all their mistakes are told together.</summary>
internal sealed class CasePreparation(PipelineArguments arguments, PluginCatalog catalog, CasePlaces places, DiagnosticBag diagnostics)
{
    private const string Sink = "io.jsonl_sink";

    /// <summary>Null if there is a mistake in it; the bag says which.</summary>
    public PreparedCase? Prepare(string name, TestCase test)
    {
        new CaseRules(places, diagnostics).Check(name, test);
        string folder = Directory.CreateTempSubdirectory("dataflow-test-").FullName;
        PreparedCase? prepared = null;
        try
        {
            return prepared = Prepare(name, test, folder);
        }
        finally
        {
            if (prepared is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private PreparedCase? Prepare(string name, TestCase test, string folder)
    {
        LoadResult loaded = Load(name, test, folder);
        PipelineGraph? graph = null;
        if (loaded.Definition is PipelineDefinition definition)
        {
            CheckModels(definition, name, test);
            PipelineDefinition fed = new SourceFeed(definition, catalog, places, folder, diagnostics).Feed(name, test);
            // With a bag of its own, since a mistake in reading need not keep the ports from being known.
            var compiled = new DiagnosticBag();
            graph = GraphCompiler.Compile(fed, catalog, compiled);
            loaded.Diagnostics.AddRange(compiled.All);
        }

        diagnostics.AddRange(loaded.Diagnostics.All.Where(diagnostic => diagnostic.Severity == Severity.Error).Select(diagnostic => diagnostic with { Message = loaded.Secrets.Redact(diagnostic.Message) }));
        if (graph is null)
        {
            CheckStages(loaded.Definition, name, test);
            return null;
        }

        var captures = new Captures(graph, catalog.Stages[Sink], Path.Combine(folder, "captured"));
        var captured = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string port in test.Expect.Keys)
        {
            if (captures.Add(port, out CaptureProblem? problem) is string file)
            {
                captured[port] = file;
            }
            else
            {
                diagnostics.Error(problem!.Code, places.Of($"cases.{name}.expect.{port}"), problem.Message, problem.Hint);
            }
        }

        return new PreparedCase(name, test, places.Of($"cases.{name}"), folder, captures.Graph, loaded.Secrets, captured);
    }

    private LoadResult Load(string name, TestCase test, string folder)
    {
        IEnumerable<KeyValuePair<string, string>> own = test.Set.Where(set => !arguments.Overrides.ContainsKey(set.Key));
        return PipelineLoader.Load(arguments.File, new LoadOptions
        {
            Overrides = arguments.Overrides.Concat(own).ToDictionary(),
            OverridePlaces = own.ToDictionary(set => set.Key, set => places.Of($"cases.{name}.set.{set.Key}")),
            RunVariables = RunVariables.For("test", PreparedCase.RunFolderIn(folder), ""),
            RequireSecrets = test.Models.Values.Any(model => model.Record),
        });
    }

    private void CheckModels(PipelineDefinition definition, string name, TestCase test)
    {
        string[] known = definition.Models.Select(model => model.Name).ToArray();
        foreach (string unknown in test.Models.Keys.Except(known, StringComparer.Ordinal))
        {
            diagnostics.Error(DiagnosticCodes.UnknownModel, places.Of($"cases.{name}.models.{unknown}"), $"the pipeline has no model '{unknown}'", Suggest.DidYouMean(unknown, known));
        }
    }

    // Without a graph there are no ports to compare with, but the stages have names.
    private void CheckStages(PipelineDefinition? definition, string name, TestCase test)
    {
        string[] known = definition?.Stages.Select(stage => stage.Name).ToArray() ?? [];
        foreach (string port in test.Expect.Keys.Where(port => known.Length > 0 && !known.Contains(port.Split('.')[0])))
        {
            CaptureProblem problem = CaptureProblem.NoStage(port.Split('.')[0], known);
            diagnostics.Error(problem.Code, places.Of($"cases.{name}.expect.{port}"), problem.Message, problem.Hint);
        }
    }
}
