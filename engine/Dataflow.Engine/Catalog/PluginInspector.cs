using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>Reads the stages and models that a plugin's exported types declare.</summary>
internal sealed class PluginInspector(PluginInfo plugin, DiagnosticBag diagnostics)
{
    private static readonly (Type Type, StageKind Kind)[] Kinds =
    [
        (typeof(ISource), StageKind.Source), (typeof(IBatchTransform), StageKind.Transform), (typeof(IFilter), StageKind.Filter),
        (typeof(IRowStage), StageKind.Row), (typeof(IAggregate), StageKind.Aggregate), (typeof(ITrainer), StageKind.Trainer), (typeof(ISink), StageKind.Sink),
    ];

    public IReadOnlyList<StageDescriptor> Stages(IEnumerable<Type> types)
    {
        var found = new List<StageDescriptor>();
        foreach (Type type in types.Where(type => type.GetCustomAttribute<StageAttribute>() is not null))
        {
            StageAttribute attribute = type.GetCustomAttribute<StageAttribute>()!;
            (Type Type, StageKind Kind)[] kinds = Kinds.Where(kind => kind.Type.IsAssignableFrom(type)).ToArray();
            Type? options = OptionsOf(type, typeof(IStage<>));
            string? wrong = kinds.Length != 1 ? $"implements {kinds.Length} stage kinds, not one"
                : options is null ? "does not implement IStage<TOptions>"
                : type.GetConstructors().Length == 0 ? "has no public constructor"
                : type.IsAbstract ? "is abstract"
                : null;
            if (wrong is not null)
            {
                diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{plugin.DllPath}: stage class {type.FullName} {wrong}");
                continue;
            }

            found.Add(new StageDescriptor(attribute.Name, attribute.Summary, attribute.Version, kinds[0].Kind, type, options!, Inputs(type, kinds[0].Kind), attribute.Cacheable, plugin));
        }

        return found;
    }

    public IReadOnlyList<ModelDescriptor> Models(IEnumerable<Type> types)
    {
        var found = new List<ModelDescriptor>();
        foreach (Type type in types.Where(type => type.GetCustomAttribute<ModelAttribute>() is not null))
        {
            ModelAttribute attribute = type.GetCustomAttribute<ModelAttribute>()!;
            Type[] kinds = type.GetInterfaces()
                .Where(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IModelProvider<>))
                .Select(face => face.GetGenericArguments()[0]).ToArray();
            Type? options = type.GetConstructors().SingleOrDefault()?.GetParameters().Select(p => p.ParameterType).FirstOrDefault(t => t != typeof(ModelContext));
            if (kinds.Length == 0 || options is null)
            {
                diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"{plugin.DllPath}: model class {type.FullName} needs IModelProvider<T> and one constructor with its options record");
                continue;
            }

            found.Add(new ModelDescriptor(attribute.Name, attribute.Summary, type, options, kinds, attribute.AcceptsArtifact, plugin));
        }

        return found;
    }

    private static StageInputDescriptor[] Inputs(Type type, StageKind kind)
    {
        StageInputDescriptor[] named = type.GetCustomAttributes<StageInputAttribute>().Select(input => new StageInputDescriptor(input.Name, input.Optional)).ToArray();
        return named.Length > 0 || kind == StageKind.Source ? named : [new StageInputDescriptor(StageInputs.Default, Optional: false)];
    }

    private static Type? OptionsOf(Type type, Type generic) =>
        type.GetInterfaces().FirstOrDefault(face => face.IsGenericType && face.GetGenericTypeDefinition() == generic)?.GetGenericArguments()[0];
}
