using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>Binds a model's options and asks its provider, where it has something to say, what is wrong with them.</summary>
internal sealed class ModelDeclaring(string sourcePath, DiagnosticBag diagnostics)
{
    private readonly string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;

    /// <summary>The options; null if there are mistakes.</summary>
    /// <param name="contextLength">What the provider says of it; null if nothing.</param>
    public object? Declare(ModelDefinition model, ModelDescriptor descriptor, out int? contextLength)
    {
        contextLength = null;
        var binder = new OptionsBinder(diagnostics);
        object options = binder.BindPartly(descriptor.OptionsType, model.With, model.NameSpan, out bool whole);
        Type contract = typeof(IDeclaredModel<>).MakeGenericType(descriptor.OptionsType);
        if (!contract.IsAssignableFrom(descriptor.ProviderType))
        {
            return whole ? options : null;
        }

        MethodInfo declare = descriptor.ProviderType.GetInterfaceMap(contract).TargetMethods.Single();
        Exception? failure = null;
        int? context = null;
        DeclarationIssue[] issues = DeclarationIssues.Agreed(
            () =>
            {
                var declaration = new ModelDeclaration(model.From, path => Path.GetFullPath(path, folder));
                try
                {
                    declare.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [options, declaration], null);
                }
                catch (Exception thrown)
                {
                    failure = thrown;
                }

                context = declaration.ContextLength;
                return declaration.Issues;
            },
            binder.Bad,
            whole ? null : binder.Places).ToArray();
        DeclarationIssues.Report(issues, option => binder.Places.TryGetValue(option, out SourceSpan place) ? place : model.NameSpan, diagnostics);
        if (whole && failure is not null)
        {
            // A plugin's own mistake; it must not hide the mistakes of the YAML.
            diagnostics.Error(DiagnosticCodes.Declaration, model.NameSpan, $"model '{model.Name}' ({descriptor.Name}) could not be declared: {failure.Message}", descriptor.Plugin.DllPath);
            return null;
        }

        contextLength = context;
        return whole && issues.All(issue => issue.IsWarning) ? options : null;
    }
}
