using System.Reflection;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Catalog;

/// <summary>A port and its rows.</summary>
/// <param name="KeepsInput">They have the columns that come in.</param>
/// <param name="Columns">Name and type of the others, under default options.</param>
public sealed record PortDescription(string Name, bool KeepsInput, IReadOnlyList<(string Name, string Type)> Columns);

/// <summary>What a stage's ports are, asked of the stage itself under its default options, behind inputs that nobody knows.</summary>
public static class PortListing
{
    // Stands for the columns that come in.
    private const string Incoming = "…";

    /// <summary>Empty for a sink, and where the ports hang on options that have no default.</summary>
    public static IReadOnlyList<PortDescription> Describe(StageDescriptor stage)
    {
        var nowhere = new SourceSpan("", 0, 0);
        object options = new OptionsBinder(new DiagnosticBag()).BindPartly(stage.OptionsType, new ConfigMapping([], nowhere), nowhere, out _);
        HashSet<string> inputs = stage.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        var declaration = new StageDeclaration(inputs.ToDictionary(name => name, _ => new Schema([new Field(Incoming, StringType.Default, true)], null)), Path.GetFullPath, inputs);
        try
        {
            InterfaceMapping map = stage.StageType.GetInterfaceMap(typeof(IStage<>).MakeGenericType(stage.OptionsType));
            map.TargetMethods.Single().Invoke(null, BindingFlags.DoNotWrapExceptions, null, [options, declaration], null);
        }
        catch (Exception)
        {
            // Without options that have no default a stage may say nothing, or only a part; 'check' tells what is missing.
        }

        IEnumerable<PortDeclaration> ports = declaration.Ports.Count == 0 && stage.Kind == StageKind.Trainer
            ? [new PortDeclaration("out", MetricRows.Schema, Optional: true)]
            : declaration.Ports.Values;
        return ports.Select(port => new PortDescription(
            port.Name, port.Schema.FieldsList.Any(field => field.Name == Incoming),
            port.Schema.FieldsList.Where(field => field.Name != Incoming).Select(field => (field.Name, ArrowValues.TypeName(field.DataType))).ToArray())).ToArray();
    }

    /// <summary>One line for each group of ports that have the same columns.</summary>
    /// <param name="quote">How a port or column is written.</param>
    public static IEnumerable<string> Lines(StageDescriptor stage, Func<string, string> quote)
    {
        IReadOnlyList<PortDescription> ports = Describe(stage);
        if (ports.Count == 0 && stage.Kind != StageKind.Sink)
        {
            yield return "as its options say";
        }

        foreach (IGrouping<string, PortDescription> group in ports.GroupBy(port => Columns(port, quote)))
        {
            yield return $"{string.Join(", ", group.Select(port => quote(port.Name)))}: {group.Key}";
        }
    }

    private static string Columns(PortDescription port, Func<string, string> quote)
    {
        string own = string.Join(", ", port.Columns.Select(column => $"{quote(column.Name)} ({column.Type})"));
        return (port.KeepsInput, own.Length > 0) switch
        {
            (true, true) => "the input's columns and " + own,
            (true, false) => "the input's columns",
            (false, true) => own,
            _ => "as its options say",
        };
    }
}
