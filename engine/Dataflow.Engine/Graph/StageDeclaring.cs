using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>Asks a stage class what it needs and produces, and turns its complaints into diagnostics.</summary>
internal static class StageDeclaring
{
    /// <summary>The stage's ports; null if it complained.</summary>
    public static IReadOnlyList<PortDeclaration>? Declare(StageDraft draft, IReadOnlyList<InputNode> inputs, string sourcePath, DiagnosticBag diagnostics)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;
        var declaration = new StageDeclaration(inputs.ToDictionary(input => input.Name, input => input.Schema), path => Path.GetFullPath(path, folder));
        StageDescriptor descriptor = draft.Descriptor!;
        try
        {
            Type contract = typeof(IStage<>).MakeGenericType(descriptor.OptionsType);
            InterfaceMapping map = descriptor.StageType.GetInterfaceMap(contract);
            map.TargetMethods.Single().Invoke(null, BindingFlags.DoNotWrapExceptions, null, [draft.Options, declaration], null);
        }
        catch (Exception failure)
        {
            // A plugin's own mistake; it must not hide the mistakes of the YAML.
            diagnostics.Error(DiagnosticCodes.Declaration, draft.Definition.NameSpan, $"stage '{draft.Definition.Name}' ({descriptor.Name}) could not be declared: {failure.Message}", descriptor.Plugin.DllPath);
            return null;
        }

        bool good = true;
        foreach (DeclarationIssue issue in declaration.Issues)
        {
            SourceSpan place = draft.PlaceOf(issue.Option);
            if (issue.IsWarning)
            {
                diagnostics.Warning(DiagnosticCodes.OptionRejected, place, issue.Message);
                continue;
            }

            good = false;
            string code = issue.Wanted is null ? DiagnosticCodes.OptionRejected : DiagnosticCodes.Column;
            diagnostics.Error(code, place, issue.Message, issue.Wanted is null ? null : Suggest.DidYouMean(issue.Wanted, issue.Candidates));
        }

        if (!good)
        {
            return null;
        }

        return declaration.Ports.Count == 0 && descriptor.Kind == StageKind.Trainer
            ? [new PortDeclaration("out", MetricRows.Schema, Optional: true)]
            : declaration.Ports.Values.ToArray();
    }
}
