using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>The schema of an input: the union by column name of the ports it reads.</summary>
internal static class SchemaUnion
{
    /// <summary>Null if an upstream stage is broken or types conflict.</summary>
    public static InputNode? Resolve(InputDefinition input, IReadOnlyDictionary<string, StageDraft> drafts, DiagnosticBag diagnostics)
    {
        var fields = new List<Field>();
        var origin = new Dictionary<string, string>(StringComparer.Ordinal);
        var edges = new List<PortEdge>();
        bool good = input.Ports.Count > 0;
        foreach (PortReference reference in input.Ports)
        {
            if (drafts.GetValueOrDefault(reference.Stage)?.Node is not StageNode upstream)
            {
                good = false;
                continue;
            }

            if (FindPort(upstream, reference, diagnostics) is not PortDeclaration port)
            {
                good = false;
                continue;
            }

            edges.Add(new PortEdge(upstream.Name, port.Name));
            foreach (Field field in port.Schema.FieldsList)
            {
                Field? earlier = fields.Find(known => known.Name == field.Name);
                if (earlier is null)
                {
                    fields.Add(field);
                    origin[field.Name] = reference.Stage;
                }
                else if (!Columns.SameType(earlier.DataType, field.DataType))
                {
                    diagnostics.Error(
                        DiagnosticCodes.ColumnConflict, reference.Span,
                        $"column '{field.Name}' is {ArrowValues.TypeName(field.DataType)} from '{reference.Stage}' but {ArrowValues.TypeName(earlier.DataType)} from '{origin[field.Name]}'");
                    good = false;
                }
            }
        }

        return good ? new InputNode(input.Name, new Schema(fields, null), edges) : null;
    }

    private static PortDeclaration? FindPort(StageNode upstream, PortReference reference, DiagnosticBag diagnostics)
    {
        if (reference.Port == ErrorRows.Port)
        {
            return new PortDeclaration(ErrorRows.Port, ErrorRows.Schema, Optional: true);
        }

        if (upstream.Ports.Count == 0)
        {
            diagnostics.Error(DiagnosticCodes.UnknownPort, reference.Span, $"'{upstream.Name}' ({upstream.Descriptor.Name}) is a sink and has no rows to give");
            return null;
        }

        PortDeclaration? port = reference.Port is null ? upstream.Ports[0] : upstream.Ports.FirstOrDefault(known => known.Name == reference.Port);
        if (port is null)
        {
            diagnostics.Error(
                DiagnosticCodes.UnknownPort, reference.Span, $"stage '{upstream.Name}' has no port '{reference.Port}'",
                Suggest.DidYouMean(reference.Port!, upstream.Ports.Select(known => known.Name).Append(ErrorRows.Port)));
        }

        return port;
    }
}
