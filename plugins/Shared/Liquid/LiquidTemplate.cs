using System.Diagnostics.CodeAnalysis;
using Dataflow.Abstractions;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace Dataflow.Plugins.Liquid;

/// <summary>A parsed Liquid template over columns. Thread-safe.</summary>
internal sealed class LiquidTemplate
{
    private static readonly FluidParser Parser = new();
    private static readonly TemplateOptions Options = MakeOptions();
    private readonly IFluidTemplate template;
    private readonly string[] mentioned;

    private LiquidTemplate(IFluidTemplate template)
    {
        this.template = template;
        var visitor = new NameVisitor();
        visitor.VisitTemplate(template);
        mentioned = [.. visitor.Mentioned];
    }

    /// <summary>Parses a template that was checked before.</summary>
    public static LiquidTemplate Parse(string text) =>
        TryParse(text, out LiquidTemplate? template, out string? error) ? template : throw new StageFailedException($"template: {error}");

    public static bool TryParse(string text, [NotNullWhen(true)] out LiquidTemplate? template, [NotNullWhen(false)] out string? error)
    {
        if (Parser.TryParse(text, out IFluidTemplate parsed, out error))
        {
            template = new LiquidTemplate(parsed);
            return true;
        }

        template = null;
        // The parser appends the source, which the reader of the message has before him.
        error = error?.Split('\n', 2)[0].Trim() ?? "cannot be parsed";
        return false;
    }

    /// <summary>Complains at the option about bad syntax and about names that are not among the columns.</summary>
    public static void Check(string? text, string option, StageDeclaration declaration, params ReadOnlySpan<string> alsoKnown)
    {
        if (text is null)
        {
            return;
        }

        if (!TryParse(text, out LiquidTemplate? template, out string? error))
        {
            declaration.Error(option, $"template: {error}");
            return;
        }

        string[] known = alsoKnown.ToArray();
        foreach (string name in template.Names())
        {
            if (!known.Contains(name))
            {
                declaration.Require(name, option);
            }
        }

        TemplateTypes.Check(template.template, option, declaration, known);
    }

    /// <summary>Names the template reads from outside, in order of appearance.</summary>
    public IReadOnlyList<string> Names()
    {
        var visitor = new NameVisitor();
        visitor.VisitTemplate(template);
        return visitor.Free;
    }

    /// <summary>Renders over the columns that the template mentions, and looks at no other.</summary>
    /// <param name="added">Values besides the columns, or in their place.</param>
    public string Render(Row row, params ReadOnlySpan<(string Name, object? Value)> added)
    {
        var context = new TemplateContext(Options);
        foreach (string name in mentioned)
        {
            if (row[name] is object value)
            {
                context.SetValue(name, FluidValue.Create(value, Options));
            }
        }

        foreach ((string name, object? value) in added)
        {
            context.SetValue(name, FluidValue.Create(value, Options));
        }

        return template.Render(context);
    }

    public string Render(IReadOnlyDictionary<string, object?> values)
    {
        var context = new TemplateContext(Options);
        foreach ((string name, object? value) in values)
        {
            context.SetValue(name, FluidValue.Create(value, Options));
        }

        return template.Render(context);
    }

    internal static bool HasFilter(string name) => Options.Filters.TryGetValue(name, out _);

    private static TemplateOptions MakeOptions()
    {
        var options = new TemplateOptions { MemberAccessStrategy = new UnsafeMemberAccessStrategy(), MaxSteps = 1_000_000 };
        // Liquid's numbers are decimals; a double that would lose digits there, or has no decimal, stays text.
        options.ValueConverters.Add(value => value is double number && !IsDecimal(number) ? ArrowValues.Display(number) : null);
        options.Filters.AddFilter("reverse_text", (input, _, _) =>
        {
            char[] letters = input.ToStringValue().ToCharArray();
            Array.Reverse(letters);
            return new StringValue(new string(letters));
        });
        options.Filters.AddFilter("sort_text", (input, _, _) => new StringValue(new string(input.ToStringValue().Order().ToArray())));
        options.Filters.AddFilter("code_block", (input, _, _) => new StringValue(CodeBlock.First(input.ToStringValue())));
        return options;
    }

    private static bool IsDecimal(double number) => Math.Abs(number) < 1e15 && (double)(decimal)number == number;

    /// <summary>Names that the template reads, and those that it binds itself.</summary>
    internal sealed class NameVisitor : AstVisitor
    {
        private static readonly HashSet<string> Words = new(StringComparer.Ordinal) { "forloop", "empty", "blank", "nil", "null", "true", "false" };

        private readonly HashSet<string> bound = new(Words, StringComparer.Ordinal);
        private readonly List<string> free = [];

        public IReadOnlySet<string> Bound => bound;

        public IReadOnlyList<string> Free => [.. free.Where(name => !bound.Contains(name)).Distinct(StringComparer.Ordinal)];

        /// <summary>All names: a loop variable may also be read before its loop.</summary>
        public IEnumerable<string> Mentioned => free.Where(name => !Words.Contains(name)).Distinct(StringComparer.Ordinal);

        protected override Expression VisitMemberExpression(MemberExpression expression)
        {
            if (expression.Segments[0] is IdentifierSegment identifier)
            {
                free.Add(identifier.Identifier);
            }

            return base.VisitMemberExpression(expression);
        }

        protected override Statement VisitAssignStatement(AssignStatement statement)
        {
            bound.Add(statement.Identifier);
            return base.VisitAssignStatement(statement);
        }

        protected override Statement VisitCaptureStatement(CaptureStatement statement)
        {
            bound.Add(statement.Identifier);
            return base.VisitCaptureStatement(statement);
        }

        protected override Statement VisitForStatement(ForStatement statement)
        {
            bound.Add(statement.Identifier);
            return base.VisitForStatement(statement);
        }
    }
}
