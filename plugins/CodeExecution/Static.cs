using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.static", "Looks at programs without running them: the language's own parser or compiler, and its linter where one is installed. Findings have their place.", Version = 3)]
public sealed class Static(StaticOptions options) : IRowStage, IStage<StaticOptions>, IEnvironmentCheck, IAsyncDisposable
{
    private static readonly IArrowType Findings = Columns.ListOf(
        Columns.Struct(("line", Columns.Integer), ("column", Columns.Integer), ("severity", Columns.Text), ("code", Columns.Text), ("message", Columns.Text)));

    private readonly LanguageSandbox sandbox = new(options.Slots, options.Sandbox);

    public static void Declare(StaticOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.Column, "column", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        Schema schema = declaration.Input.With(("parses", Columns.Boolean), ("findings", Findings), ("static_report", Columns.Text));
        declaration.Port("out", schema, optional: true);
        declaration.Port("clean", schema, optional: true);
        declaration.Port("flagged", schema, optional: true);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) => CodeRunner.CheckEnvironmentAsync(options.Sandbox, options.Language, cancellationToken);

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(options.Language, row);
        SourceAnalysis analysis = await sandbox.UseAsync(language, pool => new StaticAnalyser(pool).AnalyseAsync(language, row.Text(options.Column), cancellationToken));
        bool clean = analysis.Parses == true && !analysis.Findings.Any(finding => finding.Severity <= options.FlagFrom);
        (string, object?)[] values =
        [
            ("parses", analysis.Parses),
            ("findings", analysis.Findings.Select(finding => (object?)new Dictionary<string, object?>
            {
                ["line"] = (long)finding.Line, ["column"] = (long)finding.Column, ["severity"] = SnakeCase.From(finding.Severity.ToString()), ["code"] = finding.Code, ["message"] = finding.Message,
            }).ToArray()),
            ("static_report", string.Join('\n', analysis.Findings.Select(Line))),
        ];
        output.Emit("out", values);
        output.Emit(clean ? "clean" : "flagged", values);
    }

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    private static string Line(Finding finding) => string.Create(
        CultureInfo.InvariantCulture, $"{finding.Line}:{finding.Column}: {SnakeCase.From(finding.Severity.ToString())}{(finding.Code.Length > 0 ? " " + finding.Code : "")}: {finding.Message}");
}

public sealed record StaticOptions
{
    [Description("Column with the program.")]
    public string Column { get; init; } = "code";

    [Description("Language of the code; if absent, the row's column 'language' says it.")]
    public CodeLanguage? Language { get; init; }

    [Description("Least serious finding for which a program that parses is flagged: error, warning or note.")]
    public Severity FlagFrom { get; init; } = Severity.Error;

    [Description("Programs at a time; the number of processors if absent."), Range(1, 64)]
    public int? Slots { get; init; }

    [Description("What isolates the tools: bubblewrap, or podman or runsc, which need root.")]
    public SandboxBackend Sandbox { get; init; } = SandboxBackend.Bubblewrap;
}
