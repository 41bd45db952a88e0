using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>Resolves options marked <see cref="ModelReferenceAttribute"/> to model resources and constructor parameters.</summary>
internal sealed class ModelReferences(
    PipelineDefinition definition, IReadOnlyDictionary<string, ModelNode> models, IReadOnlySet<string> broken, DiagnosticBag diagnostics)
{
    public void Resolve(StageDraft draft)
    {
        if (draft.Descriptor is null || draft.Options is null)
        {
            return;
        }

        foreach (PropertyInfo property in draft.Descriptor.OptionsType.GetProperties())
        {
            if (property.GetCustomAttribute<ModelReferenceAttribute>() is ModelReferenceAttribute reference && property.GetValue(draft.Options) is string written)
            {
                Resolve(draft, property, reference, draft.Definition.Scope.Resolve(written));
            }
        }
    }

    private void Resolve(StageDraft draft, PropertyInfo property, ModelReferenceAttribute reference, string name)
    {
        SourceSpan place = draft.PlaceOf(SnakeCase.From(property.Name));
        if (broken.Contains(name))
        {
            draft.Broken = true;
            return;
        }

        if (!models.TryGetValue(name, out ModelNode? model))
        {
            diagnostics.Error(DiagnosticCodes.UnknownModel, place, $"unknown model '{name}'", Suggest.DidYouMean(name, definition.Models.Select(m => m.Name)));
            draft.Broken = true;
            return;
        }

        if (!model.Descriptor.Kinds.Contains(reference.Kind))
        {
            string offers = string.Join(", ", model.Descriptor.Kinds.Select(KindName));
            diagnostics.Error(DiagnosticCodes.WrongModelKind, place, $"model '{name}' ({model.Descriptor.Name}) offers {offers}, but {KindName(reference.Kind)} is needed");
            draft.Broken = true;
            return;
        }

        string parameter = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
        draft.Models[parameter] = name;
    }

    private static string KindName(Type kind) => kind.Name switch
    {
        "IChatClient" => "chat",
        nameof(Checkpoint) => "a checkpoint",
        nameof(IRewardModel) => "rewards",
        "IEmbeddingGenerator`2" => "embeddings",
        _ => kind.Name,
    };
}
