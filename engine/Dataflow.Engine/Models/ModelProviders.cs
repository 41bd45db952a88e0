using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Models;

/// <summary>Builds a provider: its constructor's parameters are its options record and a <see cref="ModelContext"/>.</summary>
internal static class ModelProviders
{
    public static IModelProvider Create(ModelNode node, ModelContext context)
    {
        ConstructorInfo constructor = node.Descriptor.ProviderType.GetConstructors().Single();
        object?[] arguments = constructor.GetParameters()
            .Select(parameter => parameter.ParameterType == typeof(ModelContext) ? context : parameter.ParameterType == node.Descriptor.OptionsType ? node.Options : null)
            .ToArray();
        return (IModelProvider)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }
}
