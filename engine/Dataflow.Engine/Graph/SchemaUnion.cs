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
            if (drafts.GetValueOrDefault(reference.Stage) is not StageDraft upstream || !HasPort(upstream, reference, diagnostics) || upstream.Node is not StageNode node)
            {
                good = false;
                continue;
            }

            PortDeclaration port = reference.Port switch
            {
                null => node.Ports[0],
                ErrorRows.Port => new PortDeclaration(ErrorRows.Port, ErrorRows.Schema, Optional: true),
                string name => node.Port(name),
            };
            edges.Add(new PortEdge(node.Name, port.Name));
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

    // A stage with mistakes of its own still has ports; where even these cannot be told, nothing is said.
    private static bool HasPort(StageDraft upstream, PortReference reference, DiagnosticBag diagnostics)
    {
        if (reference.Port == ErrorRows.Port || upstream.PortNames is not IReadOnlyList<string> names)
        {
            return true;
        }

        if (names.Count == 0)
        {
            diagnostics.Error(DiagnosticCodes.UnknownPort, reference.Span, $"'{upstream.Definition.Name}' ({upstream.Descriptor!.Name}) is a sink and has no rows to give");
            return false;
        }

        if (reference.Port is null || names.Contains(reference.Port))
        {
            return true;
        }

        diagnostics.Error(
            DiagnosticCodes.UnknownPort, reference.Span, $"stage '{upstream.Definition.Name}' has no port '{reference.Port}'",
            Suggest.DidYouMean(reference.Port, names.Append(ErrorRows.Port)));
        return false;
    }
}
