using System.ComponentModel;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.dialog", "Makes training dialogs of programs that passed: problem and program, or the way there by feedback, of which only the passing answer is trained on.")]
public sealed class Dialog(DialogOptions options) : IRowStage, IStage<DialogOptions>
{
    private static readonly IArrowType Messages = Columns.ListOf(Columns.Struct(("role", Columns.Text), ("content", Columns.Text), ("train", Columns.Boolean)));

    public static void Declare(DialogOptions options, StageDeclaration declaration)
    {
        declaration.Require("problem", "trajectory", StageInputs.Default, "text");
        declaration.Require("response", "trajectory", StageInputs.Default, "text");
        declaration.Require("passed", "trajectory", StageInputs.Default, "boolean");
        declaration.Out(declaration.Input.With((options.Output, Messages)));
        declaration.Port("rejected", declaration.Input.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        if (!row.Flag("passed"))
        {
            output.Emit("rejected", (StageDeclaration.RejectedReason, "the program did not pass"));
            return ValueTask.CompletedTask;
        }

        var messages = new List<object?>();
        if (options.System is not null)
        {
            messages.Add(Message("system", options.System, false));
        }

        // Rows that passed at once come from a stage without turns, or have none.
        var turns = options.Trajectory && row.Has("turns") ? row["turns"] as IReadOnlyList<object?> : null;
        if (turns is { Count: > 0 })
        {
            messages.AddRange(turns.Cast<IReadOnlyDictionary<string, object?>>().Select((turn, i) => Message((string)turn["role"]!, (string)turn["content"]!, i == turns.Count - 1)));
        }
        else
        {
            messages.Add(Message("user", row.Text("problem"), false));
            messages.Add(Message("assistant", row.Text("response"), true));
        }

        output.Emit("out", (options.Output, messages.ToArray()));
        return ValueTask.CompletedTask;
    }

    private static Dictionary<string, object?> Message(string role, string content, bool train) => new() { ["role"] = role, ["content"] = content, ["train"] = train };
}

public sealed record DialogOptions
{
    [Description("Whether a repaired program is told with the failing answers and the feedback before it; if not, as problem and last answer.")]
    public bool Trajectory { get; init; } = true;

    [Description("System message put first.")]
    public string? System { get; init; }

    [Description("Column for the dialog: a list of role, content and train.")]
    public string Output { get; init; } = "messages";
}
