using System.Reflection;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>
/// Asks a stage class what it needs and produces, and turns its complaints into diagnostics. A stage with mistakes of its
/// own, or behind one that has, is asked too: what it says of the options that are right still holds.
/// </summary>
internal sealed class StageDeclaring(string sourcePath, IReadOnlyDictionary<string, ModelNode> models, DiagnosticBag diagnostics)
{
    private readonly string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;

    /// <summary>The stage's ports; null if it has mistakes, or complained.</summary>
    /// <param name="inputs">Those inputs whose columns are known.</param>
    public IReadOnlyList<PortDeclaration>? Declare(StageDraft draft, IReadOnlyDictionary<string, Schema> inputs)
    {
        bool certain = draft.Whole && draft.Descriptor!.Inputs.All(input => input.Optional || inputs.ContainsKey(input.Name));
        return certain && !draft.Broken ? DeclareWhole(draft, inputs) : DeclarePartly(draft, inputs);
    }

    private PortDeclaration[]? DeclareWhole(StageDraft draft, IReadOnlyDictionary<string, Schema> inputs)
    {
        StageDescriptor descriptor = draft.Descriptor!;
        StageDeclaration declaration = Ask(draft, inputs, out Exception? failure);
        if (failure is IOException or UnauthorizedAccessException)
        {
            // A file that is there and cannot be read is no fault of the plugin.
            diagnostics.Error(DiagnosticCodes.OptionRejected, draft.PlaceOf("path"), failure.Message);
            return null;
        }

        if (failure is not null)
        {
            // A plugin's own mistake; it must not hide the mistakes of the YAML.
            diagnostics.Error(DiagnosticCodes.Declaration, draft.Definition.NameSpan, $"stage '{draft.Definition.Name}' ({descriptor.Name}) could not be declared: {failure.Message}", descriptor.Plugin.DllPath);
            return null;
        }

        draft.PortNames = NamesOf(declaration, descriptor);
        DeclarationIssues.Report(declaration.Issues, draft.PlaceOf, diagnostics);
        if (declaration.Issues.Any(issue => !issue.IsWarning))
        {
            return null;
        }

        return declaration.Ports.Count == 0 && descriptor.Kind == StageKind.Trainer
            ? [new PortDeclaration("out", MetricRows.Schema, Optional: true)]
            : [.. declaration.Ports.Values];
    }

    private PortDeclaration[]? DeclarePartly(StageDraft draft, IReadOnlyDictionary<string, Schema> inputs)
    {
        IEnumerable<DeclarationIssue> issues = DeclarationIssues.Agreed(
            () =>
            {
                StageDeclaration declaration = Ask(draft, inputs, out _);
                draft.PortNames ??= NamesOf(declaration, draft.Descriptor!);
                return declaration.Issues;
            },
            draft.BadOptions,
            draft.Whole ? null : draft.Places);
        DeclarationIssues.Report(issues, draft.PlaceOf, diagnostics);
        return null;
    }

    private StageDeclaration Ask(StageDraft draft, IReadOnlyDictionary<string, Schema> inputs, out Exception? failure)
    {
        StageDescriptor descriptor = draft.Descriptor!;
        var unknown = descriptor.Inputs.Where(input => !input.Optional && !inputs.ContainsKey(input.Name)).Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var schemas = new Dictionary<string, Schema>(inputs, StringComparer.Ordinal);
        foreach (string name in unknown)
        {
            schemas[name] = new Schema([], null);
        }

        var contexts = draft.Models
            .Select(pair => (Parameter: pair.Key, models.GetValueOrDefault(pair.Value)?.ContextLength))
            .Where(pair => pair.ContextLength is not null).ToDictionary(pair => pair.Parameter, pair => pair.ContextLength!.Value, StringComparer.Ordinal);
        var declaration = new StageDeclaration(schemas, path => Path.GetFullPath(path, folder), unknown, contexts);
        try
        {
            Type contract = typeof(IStage<>).MakeGenericType(descriptor.OptionsType);
            InterfaceMapping map = descriptor.StageType.GetInterfaceMap(contract);
            map.TargetMethods.Single().Invoke(null, BindingFlags.DoNotWrapExceptions, null, [draft.Options, declaration], null);
            failure = null;
        }
        catch (Exception thrown)
        {
            failure = thrown;
        }

        return declaration;
    }

    private static string[]? NamesOf(StageDeclaration declaration, StageDescriptor descriptor) => descriptor.Kind switch
    {
        StageKind.Sink => [],
        StageKind.Trainer when declaration.Ports.Count == 0 => ["out"],
        _ => declaration.Ports.Count == 0 ? null : [.. declaration.Ports.Keys],
    };
}
