using Dataflow.Abstractions;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>Reads a dialog column.</summary>
internal static class Dialogs
{
    public static void Require(string column, StageDeclaration declaration)
    {
        if (declaration.Require(column, "messages") is { } field && !Columns.SameType(field.DataType, Columns.Messages))
        {
            declaration.Error("messages", $"column '{column}' is {ArrowValues.TypeName(field.DataType)}, but a list of {{role, content}} is needed; see chat.messages");
        }
    }

    /// <param name="lastOnly">Only the last assistant message is trained on.</param>
    public static List<DialogMessage> Read(Row row, string column, bool lastOnly)
    {
        var items = row[column] as IReadOnlyList<object?> ?? throw new StageFailedException($"row {row.Id}: column '{column}' is null");
        var messages = items.Cast<IReadOnlyDictionary<string, object?>>()
            .Select(item => new DialogMessage((string)item["role"]!, (string?)item["content"] ?? "")).ToList();
        int last = messages.FindLastIndex(message => message.Role == "assistant");
        return lastOnly ? [.. messages.Select((message, i) => message with { Train = i == last })] : messages;
    }

    /// <summary>An encoded dialog as an example, or why it is none.</summary>
    public static Reading<TrainingExample> Example(EncodedDialog dialog, int maxLength)
    {
        var example = new TrainingExample(dialog.Ids, dialog.Train);
        return example.Ids.Length > maxLength ? Reading<TrainingExample>.Drop("longer than max_length")
            : example.TrainedTokens == 0 ? Reading<TrainingExample>.Drop("no token to train on")
            : Reading<TrainingExample>.Of(example);
    }
}
