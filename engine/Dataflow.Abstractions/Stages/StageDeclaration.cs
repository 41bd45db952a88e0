using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>
/// A stage's side of the graph compile: it reads its input schemas here, says which columns it needs, and names its
/// ports. Every complaint names the option it is about, so that it can be shown at its line and column.
/// </summary>
/// <param name="unknown">Inputs whose columns nobody knows, since what they read has mistakes of its own.</param>
/// <param name="contexts">Context lengths of the stage's models, by constructor parameter, of those where it is known.</param>
public sealed class StageDeclaration(
    IReadOnlyDictionary<string, Schema> inputs, Func<string, string> resolvePath, IReadOnlySet<string>? unknown = null, IReadOnlyDictionary<string, int>? contexts = null)
{
    private readonly Dictionary<string, PortDeclaration> ports = new(StringComparer.Ordinal);
    private readonly List<DeclarationIssue> issues = [];

    /// <summary>Schemas of the named inputs. Empty for sources.</summary>
    public IReadOnlyDictionary<string, Schema> Inputs { get; } = inputs;

    /// <summary>Schema of the one input of a stage that names none; empty if there is none.</summary>
    public Schema Input => Inputs.TryGetValue(StageInputs.Default, out Schema? schema) ? schema : new Schema([], null);

    /// <summary>
    /// True if the columns of an input cannot be told: its schema is empty here, <see cref="Require"/> complains of
    /// nothing, and a stage should complain of its options alone.
    /// </summary>
    public bool ColumnsUnknown(string input = StageInputs.Default) => unknown?.Contains(input) == true;

    /// <summary>Tokens of the longest sequence that a model of the stage takes; null where that is not known before it runs.</summary>
    /// <param name="model">The stage's constructor parameter.</param>
    public int? ContextOf(string model) => contexts?.TryGetValue(model, out int tokens) == true ? tokens : null;

    public IReadOnlyDictionary<string, PortDeclaration> Ports => ports;

    public IReadOnlyList<DeclarationIssue> Issues => issues;

    /// <summary>Resolves a path of the YAML against the pipeline file's folder.</summary>
    public string ResolvePath(string path) => resolvePath(path);

    /// <summary>Names a port. The first one named is what <c>from: stage</c> means.</summary>
    /// <param name="optional">Leaving it unconnected is not worth a warning.</param>
    public void Port(string name, Schema schema, bool optional = false) => ports[name] = new PortDeclaration(name, schema, optional);

    /// <summary>Names the port <c>out</c>.</summary>
    public void Out(Schema schema) => Port("out", schema);

    /// <summary>Names a filter's two ports: <c>kept</c> with the input's schema, <c>rejected</c> with a reason beside it.</summary>
    public void FilterPorts()
    {
        Port("kept", Input);
        Port("rejected", Input.With((RejectedReason, Columns.Text)), optional: true);
    }

    /// <summary>The column that a <c>rejected</c> port adds.</summary>
    public const string RejectedReason = "reason";

    /// <summary>Says that an input must have a column; complains at the option that names it.</summary>
    /// <param name="types">Accepted type names as <see cref="ArrowValues.TypeName"/> gives them; none means any.</param>
    /// <returns>The field, or null if it is missing or of another type.</returns>
    public Field? Require(string column, string option, string input = StageInputs.Default, params ReadOnlySpan<string> types)
    {
        Schema schema = Inputs.TryGetValue(input, out Schema? found) ? found : new Schema([], null);
        Field? field = schema.Find(column);
        if (field is null && ColumnsUnknown(input))
        {
            return null;
        }

        if (field is null)
        {
            issues.Add(new DeclarationIssue(option, $"the input has no column '{column}'", column, schema.FieldsList.Select(f => f.Name).ToArray()));
            return null;
        }

        if (types.Length > 0 && !types.Contains(ArrowValues.TypeName(field.DataType)))
        {
            Error(option, $"column '{column}' is {ArrowValues.TypeName(field.DataType)}, but {string.Join(" or ", types.ToArray())} is needed");
            return null;
        }

        return field;
    }

    /// <summary>A mistake at an option (a snake_case path such as <c>columns.prompt</c>).</summary>
    public void Error(string option, string message) => issues.Add(new DeclarationIssue(option, message, null, []));

    public void Warning(string option, string message) => issues.Add(new DeclarationIssue(option, message, null, [], IsWarning: true));
}

/// <summary>A port and the columns that leave by it.</summary>
public sealed record PortDeclaration(string Name, Schema Schema, bool Optional);

/// <summary>A complaint about an option; the engine turns it into a diagnostic with a place and a 'did you mean'.</summary>
public sealed record DeclarationIssue(string Option, string Message, string? Wanted, IReadOnlyList<string> Candidates, bool IsWarning = false);
