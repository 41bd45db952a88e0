using System.Reflection;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>
/// For plugin authors who think in rows: a record in, zero or more records out. Properties map to columns by
/// snake_case name; input columns that <typeparamref name="TOut"/> does not name pass through.
/// </summary>
public abstract class RowTransform<TIn, TOut> : IRowStage
    where TIn : class
    where TOut : class
{
    private static readonly RecordMap<TIn> InputMap = new();
    private static readonly RecordMap<TOut> OutputMap = new();

    /// <summary>Handles one row. Throw <see cref="RowFailedException"/> for a row that cannot be handled.</summary>
    protected abstract IAsyncEnumerable<TOut> TransformAsync(TIn row, StageContext context, string rowId, CancellationToken cancellationToken);

    /// <summary>True (default) if one row always becomes exactly one row, which then keeps its id.</summary>
    protected virtual bool KeepsRowId => true;

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        await foreach (TOut result in TransformAsync(InputMap.Read(row), context, row.Id, cancellationToken))
        {
            (string, object?)[] values = OutputMap.Write(result);
            if (KeepsRowId)
            {
                output.Emit("out", values);
            }
            else
            {
                output.EmitChild("out", values);
            }
        }
    }

    /// <summary>The declaration that follows from the two records; call it from the stage's <c>Declare</c>.</summary>
    protected static void DeclareRecords(StageDeclaration declaration)
    {
        foreach ((string column, IArrowType type) in InputMap.Settable)
        {
            string name = ArrowValues.TypeName(type);
            // Every integer is a number, so a number property reads an integer column too.
            declaration.Require(column, "", StageInputs.Default, name == "number" ? [name, "integer"] : [name]);
        }

        declaration.Out(declaration.Input.With(OutputMap.Columns));
    }
}

/// <summary>Maps a record's constructor and properties to columns by snake_case name.</summary>
internal sealed class RecordMap<T>
    where T : class
{
    private readonly (string Column, PropertyInfo Property, IArrowType Type)[] members = typeof(T)
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.CanRead && property.Name != "EqualityContract")
        .Select(property => (SnakeCase.From(property.Name), property, ColumnType(property.PropertyType)))
        .ToArray();

    private readonly ConstructorInfo constructor;
    private readonly ParameterInfo[] parameters;
    private readonly bool[] parameterNullable;

    // Properties that the constructor does not set.
    private readonly (string Column, PropertyInfo Property, bool Nullable)[] others;

    public RecordMap()
    {
        var nullability = new NullabilityInfoContext();
        constructor = typeof(T).GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();
        parameters = constructor.GetParameters();
        parameterNullable = parameters.Select(parameter => IsNullable(nullability.Create(parameter))).ToArray();
        others = members
            .Where(member => member.Property.CanWrite && !parameters.Any(p => string.Equals(p.Name, member.Property.Name, StringComparison.OrdinalIgnoreCase)))
            .Select(member => (member.Column, member.Property, IsNullable(nullability.Create(member.Property)))).ToArray();
    }

    /// <summary>The columns that a record is read from: a property that is computed needs none.</summary>
    public (string, IArrowType)[] Settable => members.Where(member => member.Property.CanWrite).Select(member => (member.Column, member.Type)).ToArray();

    public (string, IArrowType)[] Columns => members.Select(member => (member.Column, member.Type)).ToArray();

    public T Read(Row row)
    {
        var arguments = new object?[parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            arguments[i] = Convert(row[SnakeCase.From(parameters[i].Name!)], parameters[i].ParameterType, parameterNullable[i], parameters[i].Name!);
        }

        var result = (T)constructor.Invoke(arguments);
        foreach ((string column, PropertyInfo property, bool nullable) in others)
        {
            property.SetValue(result, Convert(row[column], property.PropertyType, nullable, property.Name));
        }

        return result;
    }

    public (string, object?)[] Write(T record) =>
        members.Select(member => (member.Column, Plain(member.Property.GetValue(record)))).ToArray();

    private static object? Plain(object? value) => value switch
    {
        int number => (long)number,
        float number => (double)number,
        IEnumerable<string> texts when value is not string => texts.Cast<object?>().ToArray(),
        _ => value,
    };

    private static bool IsNullable(NullabilityInfo info) => info.WriteState != NullabilityState.NotNull;

    private static object? Convert(object? value, Type type, bool nullable, string name)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (value is null)
        {
            return nullable ? null : throw new RowFailedException("missing_value", $"column '{SnakeCase.From(name)}' is null");
        }

        if (target == typeof(IReadOnlyList<string>))
        {
            return ((IReadOnlyList<object?>)value).Select(item => item as string ?? "").ToArray();
        }

        try
        {
            return target.IsInstanceOfType(value) ? value : System.Convert.ChangeType(value, target, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (OverflowException failure)
        {
            throw new RowFailedException("wrong_type", $"column '{SnakeCase.From(name)}' holds {ArrowValues.Display(value)}, too large for {target.Name}", failure);
        }
    }

    private static IArrowType ColumnType(Type type)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        return target switch
        {
            _ when target == typeof(string) => Abstractions.Columns.Text,
            _ when target == typeof(long) || target == typeof(int) => Abstractions.Columns.Integer,
            _ when target == typeof(double) || target == typeof(float) => Abstractions.Columns.Number,
            _ when target == typeof(bool) => Abstractions.Columns.Boolean,
            _ when typeof(IEnumerable<string>).IsAssignableFrom(target) => Abstractions.Columns.ListOf(Abstractions.Columns.Text),
            _ => throw new NotSupportedException($"{typeof(T).Name} has a property of type {target.Name}; rows carry string, long, int, double, float, bool and lists of string"),
        };
    }
}
