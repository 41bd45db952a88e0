using System.ComponentModel;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>Columns of a preference: TRL's prompt, chosen and rejected, and the edited response of the Llama 3 paper where there is one.</summary>
public abstract record PreferenceColumns : TrainingSettings
{
    [Description("Column holding the prompt: text, or a dialog up to the response.")]
    public string Prompt { get; init; } = "prompt";

    [Description("Column holding the preferred response: text, or the messages that follow the prompt.")]
    public string Chosen { get; init; } = "chosen";

    [Description("Column holding the other response.")]
    public string Rejected { get; init; } = "rejected";

    [Description("Column holding the chosen response after an edit, better than both; used where it is there and not null.")]
    public string? Edited { get; init; }
}

/// <summary>Reads preferences and encodes them.</summary>
internal sealed class PreferenceRows(PreferenceColumns columns, LlamaTokenizer tokenizer)
{
    private readonly ChatTemplate template = new(tokenizer);
    private readonly int[] ipython = [.. tokenizer.Encode("ipython")];
    private readonly int[] blankLine = [.. tokenizer.Encode("\n\n")];

    public static void Declare(PreferenceColumns columns, StageDeclaration declaration)
    {
        foreach ((string? column, string option) in new[] { (columns.Prompt, "prompt"), (columns.Chosen, "chosen"), (columns.Rejected, "rejected"), (columns.Edited, "edited") })
        {
            if (column is not null && declaration.Require(column, option) is Field field && ArrowValues.TypeName(field.DataType) != "text" && !Dialogs.IsDialog(field.DataType))
            {
                declaration.Error(option, $"column '{column}' is {ArrowValues.TypeName(field.DataType)}, but text or a list of {{role, content}} is needed");
            }
        }
    }

    /// <summary>Responses of a row, ranked: edited, chosen, rejected. Of equal neighbours the later one is left out.</summary>
    public Reading<RankedGroup> Group(Row row)
    {
        List<DialogMessage> prompt = Messages(row, columns.Prompt, "user");
        int[] promptIds = template.EncodePrompt(prompt);
        var responses = new List<int[]>();
        foreach (string column in Ranked(row))
        {
            int[] ids = Encode(prompt, row, column).Ids[promptIds.Length..];
            if (!responses.Any(other => other.AsSpan().SequenceEqual(ids)))
            {
                responses.Add(ids);
            }
        }

        var group = new RankedGroup(promptIds, responses);
        return responses.Count < 2 ? Reading<RankedGroup>.Drop("identical responses")
            : group.Length > columns.MaxLength ? Reading<RankedGroup>.Drop("longer than max_length")
            : Reading<RankedGroup>.Of(group);
    }

    /// <summary>The pair of a row: (edited, rejected) where there is an edit, else (chosen, rejected).</summary>
    public Reading<PreferencePair> Pair(Row row, bool maskTerminators)
    {
        List<DialogMessage> prompt = Messages(row, columns.Prompt, "user");
        int promptLength = template.EncodePrompt(prompt).Length;
        (TrainingExample chosen, bool[] chosenCounted) = Side(prompt, promptLength, row, Ranked(row).First(), maskTerminators);
        (TrainingExample rejected, bool[] rejectedCounted) = Side(prompt, promptLength, row, columns.Rejected, maskTerminators);
        var pair = new PreferencePair(chosen, rejected, chosenCounted, rejectedCounted);
        return pair.Problem(columns.MaxLength) is string problem ? Reading<PreferencePair>.Drop(problem) : Reading<PreferencePair>.Of(pair);
    }

    private (TrainingExample Example, bool[] Counted) Side(List<DialogMessage> prompt, int promptLength, Row row, string column, bool maskTerminators)
    {
        EncodedDialog dialog = Encode(prompt, row, column);
        return (new TrainingExample(dialog.Ids, dialog.Train), PreferenceMask.Counted(dialog.Ids, promptLength, tokenizer.Specials, ipython, blankLine, maskTerminators));
    }

    // Turns of the prompt are context, whoever wrote them.
    private EncodedDialog Encode(List<DialogMessage> prompt, Row row, string column) =>
        template.Encode([.. prompt.Select(message => message with { Train = false }), .. Messages(row, column, "assistant")]);

    private IEnumerable<string> Ranked(Row row)
    {
        if (columns.Edited is string edited && row[edited] is not null)
        {
            yield return edited;
        }

        yield return columns.Chosen;
        yield return columns.Rejected;
    }

    private static List<DialogMessage> Messages(Row row, string column, string role) => row[column] switch
    {
        string text => [new DialogMessage(role, text)],
        IReadOnlyList<object?> => Dialogs.Read(row, column, lastOnly: false),
        _ => throw new StageFailedException($"row {row.Id}: column '{column}' is null"),
    };
}
