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
            if (property.GetCustomAttribute<ModelReferenceAttribute>() is not ModelReferenceAttribute reference)
            {
                continue;
            }

            string parameter = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            if (property.GetValue(draft.Options) is string written)
            {
                Resolve(draft, parameter, property, reference, draft.Definition.Scope.Resolve(written));
            }
            else if (property.GetValue(draft.Options) is IReadOnlyList<string> list)
            {
                for (int i = 0; i < list.Count; i++)
                {
                    // An empty name stands for one that could not be read.
                    if (list[i].Length == 0)
                    {
                        continue;
                    }

                    Resolve(draft, ItemOf(parameter, i), property, reference, draft.Definition.Scope.Resolve(list[i]));
                }
            }
        }
    }

    /// <summary>The name under which a constructor parameter's list of models has its item.</summary>
    public static string ItemOf(string parameter, int index) => $"{parameter}[{index}]";

    private void Resolve(StageDraft draft, string parameter, PropertyInfo property, ModelReferenceAttribute reference, string name)
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
