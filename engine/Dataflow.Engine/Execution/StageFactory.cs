using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Models;
using Microsoft.Extensions.Logging;

namespace Dataflow.Engine.Execution;

/// <summary>Builds a stage: constructor parameters are its options record, a logger, and the model resources its options name.</summary>
internal static class StageFactory
{
    public static async Task<IStage> CreateAsync(StageNode node, ModelHost models, StageContext context, CancellationToken cancellationToken)
    {
        ConstructorInfo constructor = node.Descriptor.StageType.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        ParameterInfo[] parameters = constructor.GetParameters();
        var arguments = new object?[parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            ParameterInfo parameter = parameters[i];
            if (parameter.ParameterType == node.Descriptor.OptionsType)
            {
                arguments[i] = node.Options;
            }
            else if (node.Models.TryGetValue(parameter.Name!, out string? model))
            {
                arguments[i] = await models.OpenAsync(model, parameter.ParameterType, cancellationToken);
            }
            else if (ListItem(parameter.ParameterType) is Type item && node.Models.ContainsKey(ModelReferences.ItemOf(parameter.Name!, 0)))
            {
                arguments[i] = await OpenListAsync(node, models, parameter.Name!, item, cancellationToken);
            }
            else if (parameter.ParameterType == typeof(ILogger))
            {
                arguments[i] = context.Logger;
            }
            else if (parameter.HasDefaultValue || new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable)
            {
                arguments[i] = parameter.HasDefaultValue ? parameter.DefaultValue : null;
            }
            else
            {
                throw new StageFailedException(
                    $"{node.Descriptor.Name}: constructor parameter '{parameter.Name}' of type {parameter.ParameterType.Name} is neither the options record, a model option nor a logger");
            }
        }

        try
        {
            return (IStage)constructor.Invoke(arguments);
        }
        catch (TargetInvocationException failure) when (failure.InnerException is not null)
        {
            throw new StageFailedException($"{node.Name}: {failure.InnerException.Message}", failure.InnerException);
        }
    }

    private static Type? ListItem(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static async Task<Array> OpenListAsync(StageNode node, ModelHost models, string parameter, Type item, CancellationToken cancellationToken)
    {
        var opened = new List<object>();
        while (node.Models.TryGetValue(ModelReferences.ItemOf(parameter, opened.Count), out string? model))
        {
            opened.Add(await models.OpenAsync(model, item, cancellationToken));
        }

        Array list = Array.CreateInstance(item, opened.Count);
        for (int i = 0; i < opened.Count; i++)
        {
            list.SetValue(opened[i], i);
        }

        return list;
    }
}
