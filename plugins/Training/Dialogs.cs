using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>Reads a dialog column.</summary>
internal static class Dialogs
{
    /// <summary>A list of structs with role and content; <c>train</c> (boolean) and <c>stop</c> (eot or eom) may be there too.</summary>
    public static bool IsDialog(IArrowType type) =>
        type is ListType { ValueDataType: StructType message } && IsText(message, "role") && IsText(message, "content");

    public static void Require(string column, StageDeclaration declaration)
    {
        if (declaration.Require(column, "messages") is { } field && !IsDialog(field.DataType))
        {
            declaration.Error("messages", $"column '{column}' is {ArrowValues.TypeName(field.DataType)}, but a list of {{role, content}} is needed; see chat.messages");
        }
    }

    /// <param name="lastOnly">Only the last assistant message is trained on, unless messages say so themselves by <c>train</c>.</param>
    public static List<DialogMessage> Read(Row row, string column, bool lastOnly)
    {
        var items = (row[column] as IReadOnlyList<object?> ?? throw new StageFailedException($"row {row.Id}: column '{column}' is null"))
            .Cast<IReadOnlyDictionary<string, object?>>().ToArray();
        int last = System.Array.FindLastIndex(items, item => item["role"] is "assistant");
        return items.Select((item, i) => new DialogMessage(
            (string)item["role"]!, (string?)item["content"] ?? "", item.GetValueOrDefault("stop") is "eom",
            item.GetValueOrDefault("train") as bool? ?? (!lastOnly || i == last))).ToList();
    }

    private static bool IsText(StructType message, string name) =>
        message.Fields.FirstOrDefault(field => field.Name == name) is Field field && ArrowValues.TypeName(field.DataType) == "text";

    /// <summary>An encoded dialog as an example, or why it is none.</summary>
    public static Reading<TrainingExample> Example(EncodedDialog dialog, TrainingRun run)
    {
        var example = new TrainingExample(dialog.Ids, dialog.Train);
        return example.Ids.Length > run.MaxLength ? Reading<TrainingExample>.Drop(run.TooLong)
            : example.TrainedTokens == 0 ? Reading<TrainingExample>.Drop("no token to train on")
            : Reading<TrainingExample>.Of(example);
    }
}
