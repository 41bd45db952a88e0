using System.Text.RegularExpressions;
using Dataflow.Abstractions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>Reads entries of <c>models:</c> and <c>stages:</c>.</summary>
internal sealed partial class EntryReader(DiagnosticBag diagnostics, PipelineParts parts, Scope scope)
{
    private static readonly string[] ModelKeys = ["uses", "with", "from", "limits", "cost"];
    private static readonly string[] StageKeys = ["uses", "from", "with", "concurrency", "batch_rows", "max_errors", "retries", "order"];

    public void ReadModel(ConfigEntry entry)
    {
        if (!Begin(entry, ModelKeys, out ConfigMapping? body, out string name) || Uses(body, entry) is not ConfigScalar uses)
        {
            return;
        }

        ConfigEntry? from = body.Find("from");
        string? trainer = null;
        if (from is not null)
        {
            if (from.Value is ConfigScalar { IsNull: false } stage)
            {
                trainer = scope.Resolve(stage.Text);
            }
            else
            {
                diagnostics.Error(DiagnosticCodes.WrongType, from.Value.Span, $"'from' of a model names the trainer stage it comes from, but is {from.Value.Kind}");
            }
        }

        ConfigMapping limitsNode = Mapping(body, "limits");
        LimitsDefinition limits = new OptionsBinder(diagnostics).BindPartly<LimitsDefinition>(limitsNode, limitsNode.Span);
        ConfigMapping costNode = Mapping(body, "cost");
        CostDefinition cost = new OptionsBinder(diagnostics).BindPartly<CostDefinition>(costNode, costNode.Span);
        parts.Models.Add(new ModelDefinition(name, entry.KeySpan, uses.Text, uses.Span, Mapping(body, "with"), trainer, from?.Value.Span ?? entry.KeySpan, limits, cost, scope));
        parts.Hash.AddModel(name, entry.Value);
    }

    public void ReadStage(ConfigEntry entry)
    {
        if (!Begin(entry, StageKeys, out ConfigMapping? body, out string name) || Uses(body, entry) is not ConfigScalar uses)
        {
            return;
        }

        string[] settingKeys = ["concurrency", "batch_rows", "max_errors", "retries", "order"];
        var settingsNode = new ConfigMapping(body.Entries.Where(e => settingKeys.Contains(e.Key)).ToArray(), body.Span);
        StageSettings settings = new OptionsBinder(diagnostics).BindPartly<StageSettings>(settingsNode, body.Span);
        SourceSpan settingsSpan = body.Find("max_errors")?.Value.Span ?? entry.KeySpan;
        parts.Stages.Add(new StageDefinition(name, entry.KeySpan, uses.Text, uses.Span, Inputs(body), Mapping(body, "with"), settings, settingsSpan, scope));
        parts.Hash.AddStage(name, entry.Value);
    }

    private bool Begin(ConfigEntry entry, string[] known, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ConfigMapping? body, out string name)
    {
        name = scope.Prefix + entry.Key;
        body = entry.Value as ConfigMapping;
        if (!Name().IsMatch(entry.Key) || entry.Key == "errors")
        {
            diagnostics.Error(DiagnosticCodes.BadName, entry.KeySpan, $"'{entry.Key}' cannot be a name", "letters, digits and underscores, beginning with a letter");
        }

        if (parts.Names.TryGetValue(name, out SourceSpan earlier))
        {
            diagnostics.Error(DiagnosticCodes.DuplicateKey, entry.KeySpan, $"the name '{name}' is used twice", $"first at {earlier}");
            return false;
        }

        parts.Names[name] = entry.KeySpan;
        if (body is null)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, entry.Value.Span, $"'{entry.Key}' must be a mapping with 'uses', but is {entry.Value.Kind}");
            return false;
        }

        foreach (ConfigEntry key in body.Entries)
        {
            if (!known.Contains(key.Key))
            {
                diagnostics.Error(DiagnosticCodes.UnknownKey, key.KeySpan, $"unknown key '{key.Key}'", Suggest.DidYouMean(key.Key, known) ?? "options of the stage itself belong under 'with'");
            }
        }

        return true;
    }

    private ConfigScalar? Uses(ConfigMapping body, ConfigEntry entry)
    {
        ConfigNode? uses = body.Find("uses")?.Value;
        if (uses is ConfigScalar { IsNull: false } scalar)
        {
            return scalar;
        }

        if (uses is null)
        {
            diagnostics.Error(DiagnosticCodes.Missing, entry.KeySpan, $"'{entry.Key}' has no 'uses'");
        }
        else
        {
            diagnostics.Error(DiagnosticCodes.WrongType, uses.Span, $"'uses' must be a name, but is {uses.Kind}");
        }

        return null;
    }

    private List<InputDefinition> Inputs(ConfigMapping body)
    {
        ConfigEntry? from = body.Find("from");
        var inputs = new List<InputDefinition>();
        switch (from?.Value)
        {
            case null:
                break;
            case ConfigMapping named:
                foreach (ConfigEntry input in named.Entries)
                {
                    inputs.Add(new InputDefinition(input.Key, input.KeySpan, Ports(input.Value)));
                }

                break;
            default:
                inputs.Add(new InputDefinition(StageInputs.Default, from.Value.Span, Ports(from.Value)));
                break;
        }

        return inputs;
    }

    private List<PortReference> Ports(ConfigNode node)
    {
        var ports = new List<PortReference>();
        foreach (ConfigNode item in node is ConfigSequence sequence ? sequence.Items : [node])
        {
            if (item is not ConfigScalar { IsNull: false } scalar)
            {
                diagnostics.Error(DiagnosticCodes.WrongType, item.Span, $"'from' names a stage or stage.port, but this is {item.Kind}");
                continue;
            }

            string[] names = scalar.Text.Split('.');
            if (names.Length > 2 || names.Any(string.IsNullOrWhiteSpace))
            {
                diagnostics.Error(DiagnosticCodes.BadInput, scalar.Span, $"'{scalar.Text}' is not of the form stage or stage.port");
                continue;
            }

            ports.Add(new PortReference(scope.Resolve(names[0]), names.Length == 2 ? names[1] : null, scalar.Span));
        }

        return ports;
    }

    private ConfigMapping Mapping(ConfigMapping body, string key)
    {
        ConfigNode? node = body.Find(key)?.Value;
        if (node is not null and not ConfigMapping and not ConfigScalar { IsNull: true })
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Span, $"'{key}' must be a mapping, but is {node.Kind}");
        }

        return node as ConfigMapping ?? ConfigMapping.Empty(body.Span);
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]*$")]
    private static partial Regex Name();
}
