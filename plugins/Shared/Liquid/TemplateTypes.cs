using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Fluid.Ast;
using Fluid.Ast.BinaryExpressions;

namespace Dataflow.Plugins.Liquid;

/// <summary>
/// Complains where a column's type makes an expression of a template meaningless: arithmetic on what is no number, a
/// structure printed or compared as if it were text, a field that a column lacks. What may be right is left alone: a list
/// of text prints its items, and text that has gone through another filter may be digits.
/// </summary>
internal sealed class TemplateTypes : AstVisitor
{
    private static readonly HashSet<string> Arithmetic = new(StringComparer.Ordinal)
    {
        "plus", "minus", "times", "divided_by", "modulo", "abs", "ceil", "floor", "round", "at_least", "at_most",
    };

    private readonly string option;
    private readonly StageDeclaration declaration;
    private readonly Func<string, bool> isColumn;

    private TemplateTypes(string option, StageDeclaration declaration, Func<string, bool> isColumn)
    {
        this.option = option;
        this.declaration = declaration;
        this.isColumn = isColumn;
    }

    /// <param name="alsoKnown">Names that are given besides the columns, and hide columns of the same name.</param>
    public static void Check(Fluid.IFluidTemplate template, string option, StageDeclaration declaration, IReadOnlyCollection<string> alsoKnown)
    {
        var names = new LiquidTemplate.NameVisitor();
        names.VisitTemplate(template);
        new TemplateTypes(option, declaration, name => !alsoKnown.Contains(name) && !names.Bound.Contains(name)).VisitTemplate(template);
    }

    protected override Statement VisitOutputStatement(OutputStatement outputStatement)
    {
        if (TypeOf(outputStatement.Expression, out string name) is IArrowType type && IsStructured(type))
        {
            declaration.Error(option, $"template: '{name}' is {ArrowValues.TypeName(type)}, which has no text form; print a field of it, or its items in a loop");
        }

        return base.VisitOutputStatement(outputStatement);
    }

    protected override Expression VisitFilterExpression(FilterExpression filterExpression)
    {
        if (!LiquidTemplate.HasFilter(filterExpression.Name))
        {
            declaration.Error(option, $"template: there is no filter '{filterExpression.Name}'");
        }

        if (Arithmetic.Contains(filterExpression.Name) && TypeOf(filterExpression.Input, out string name) is IArrowType type && !CanBeNumber(type))
        {
            declaration.Error(option, $"template: filter '{filterExpression.Name}' needs a number, but '{name}' is {ArrowValues.TypeName(type)}{(type is StringType or LargeStringType ? "; if it holds digits, say so by 'strip' before it" : "")}");
        }

        return base.VisitFilterExpression(filterExpression);
    }

    protected override Expression VisitEqualBinaryExpression(EqualBinaryExpression equalBinaryExpression)
    {
        Compare(equalBinaryExpression);
        return base.VisitEqualBinaryExpression(equalBinaryExpression);
    }

    protected override Expression VisitNotEqualBinaryExpression(NotEqualBinaryExpression notEqualBinaryExpression)
    {
        Compare(notEqualBinaryExpression);
        return base.VisitNotEqualBinaryExpression(notEqualBinaryExpression);
    }

    protected override Expression VisitMemberExpression(MemberExpression memberExpression)
    {
        if (memberExpression.Segments is [IdentifierSegment column, ..] && ColumnType(column.Identifier) is IArrowType type)
        {
            CheckFields(column.Identifier, type, memberExpression.Segments);
        }

        return base.VisitMemberExpression(memberExpression);
    }

    private void CheckFields(string name, IArrowType type, IReadOnlyList<MemberSegment> segments)
    {
        for (int i = 1; i < segments.Count; i++)
        {
            string? field = (segments[i] as IdentifierSegment)?.Identifier;
            if (Member(type, field) is IArrowType inner)
            {
                name += field is null ? "[…]" : "." + field;
                type = inner;
                continue;
            }

            string? problem = (type, field) switch
            {
                (_, null or "size") => null,
                (StructType record, _) => $"'{name}' has no field '{field}'; it has {string.Join(", ", record.Fields.Select(known => known.Name))}",
                (ListType, _) => $"'{name}' is {ArrowValues.TypeName(type)}, which has no field '{field}'; take an item of it, such as '{name}.first'",
                (StringType or LargeStringType or IntegerType or FloatingPointType or BooleanType, not ("first" or "last")) =>
                    $"'{name}' is {ArrowValues.TypeName(type)}, which has no field '{field}'",
                _ => null,
            };
            if (problem is not null)
            {
                declaration.Error(option, "template: " + problem);
            }

            return;
        }
    }

    /// <param name="field">Null for an item by its number.</param>
    private static IArrowType? Member(IArrowType type, string? field) => type switch
    {
        StructType record => record.Fields.FirstOrDefault(known => known.Name == field)?.DataType,
        ListType list when field is null or "first" or "last" => list.ValueDataType,
        _ => null,
    };

    // A structure never equals a text or a number.
    private void Compare(BinaryExpression comparison)
    {
        foreach ((Expression side, Expression other) in new[] { (comparison.Left, comparison.Right), (comparison.Right, comparison.Left) })
        {
            if (TypeOf(side, out string name) is IArrowType type and (StructType or ListType)
                && other is LiteralExpression { Value: Fluid.Values.StringValue or Fluid.Values.NumberValue } literal && literal.Value.ToStringValue().Length > 0)
            {
                declaration.Error(option, $"template: '{name}' is {ArrowValues.TypeName(type)}, so it never equals '{literal.Value.ToStringValue()}'");
            }
        }
    }

    private IArrowType? TypeOf(Expression expression, out string name)
    {
        name = "";
        if (expression is not MemberExpression { Segments: [IdentifierSegment column, ..] } member || ColumnType(column.Identifier) is not IArrowType type)
        {
            return null;
        }

        name = column.Identifier;
        for (int i = 1; i < member.Segments.Count; i++)
        {
            string? field = (member.Segments[i] as IdentifierSegment)?.Identifier;
            if (Member(type, field) is not IArrowType found)
            {
                return null;
            }

            name += field is null ? "[…]" : "." + field;
            type = found;
        }

        return type;
    }

    private IArrowType? ColumnType(string name) => isColumn(name) ? declaration.Input.Find(name)?.DataType : null;

    private static bool IsStructured(IArrowType type) => type is StructType || (type is ListType list && list.ValueDataType is StructType or ListType);

    private static bool CanBeNumber(IArrowType type) => type is IntegerType or FloatingPointType or NullType;
}
