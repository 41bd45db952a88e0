using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

    [Description("Column holding how much better the chosen response is; without it all rows are trained on.")]
    public string? Rating { get; init; }

    [Description("Ratings that are trained on.")]
    public IReadOnlyList<string> KeepRatings { get; init; } = ["significantly_better", "better"];

    [Description("Chosen and rejected whose tokens are so similar (1 - edits / longer length) say too little, and are left out; edits are exempt."), Range(0.0, 1.0)]
    public double MaxSimilarity { get; init; } = 0.9;
}

/// <summary>Reads preferences and encodes them.</summary>
/// <param name="rowLength">Most tokens of a prompt with all its responses, where they share a row.</param>
internal sealed class PreferenceRows(PreferenceColumns columns, LlamaTokenizer tokenizer, TrainingRun run, int rowLength)
{
    private const string TooSimilar = "near-equal responses";

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

        if (columns.Rating is string rating)
        {
            declaration.Require(rating, "rating", StageInputs.Default, "text");
        }
    }

    /// <summary>Responses of a row, ranked: edited, chosen, rejected. What is equal, or too similar, is left out.</summary>
    public Reading<RankedGroup> Group(Row row)
    {
        if (Problem(row) is string problem)
        {
            return Reading<RankedGroup>.Drop(problem);
        }

        List<DialogMessage> prompt = Messages(row, columns.Prompt, "user");
        int[] promptIds = template.EncodePrompt(prompt);
        bool similar = AreSimilar(row);
        var responses = new List<int[]>();
        foreach (string column in Ranked(row).Where(column => !similar || column != columns.Rejected))
        {
            int[] ids = Encode(prompt, row, column).Ids[promptIds.Length..];
            if (!responses.Any(other => other.AsSpan().SequenceEqual(ids)))
            {
                responses.Add(ids);
            }
        }

        var group = new RankedGroup(promptIds, responses);
        return responses.Count < 2 ? Reading<RankedGroup>.Drop(TooSimilar)
            : promptIds.Length + responses.Max(response => response.Length) > run.MaxLength || group.Length > rowLength ? Reading<RankedGroup>.Drop(run.TooLong)
            : Reading<RankedGroup>.Of(group);
    }

    /// <summary>The pair of a row: (edited, rejected) where there is an edit, else (chosen, rejected).</summary>
    public Reading<PreferencePair> Pair(Row row, bool maskTerminators)
    {
        if (Problem(row) is string problem)
        {
            return Reading<PreferencePair>.Drop(problem);
        }

        string better = Ranked(row).First();
        if (better == columns.Chosen && AreSimilar(row))
        {
            return Reading<PreferencePair>.Drop(TooSimilar);
        }

        List<DialogMessage> prompt = Messages(row, columns.Prompt, "user");
        int promptLength = template.EncodePrompt(prompt).Length;
        (TrainingExample chosen, bool[] chosenCounted) = Side(prompt, promptLength, row, better, maskTerminators);
        (TrainingExample rejected, bool[] rejectedCounted) = Side(prompt, promptLength, row, columns.Rejected, maskTerminators);
        var pair = new PreferencePair(chosen, rejected, chosenCounted, rejectedCounted);
        return pair.Problem(run.MaxLength) is string wrong ? Reading<PreferencePair>.Drop(wrong) : Reading<PreferencePair>.Of(pair);
    }

    // Why a row is no preference to learn from; null if it may be one.
    private string? Problem(Row row)
    {
        if (columns.Rating is string rating && !columns.KeepRatings.Contains(row[rating] as string ?? "", StringComparer.Ordinal))
        {
            return "another rating";
        }

        string? missing = new[] { columns.Prompt, columns.Chosen, columns.Rejected }.FirstOrDefault(column => row[column] is null);
        return missing is null ? null : $"no '{missing}'";
    }

    // What was said is compared, without the headers that all responses share.
    private bool AreSimilar(Row row)
    {
        int[] Said(string column) => [.. tokenizer.Encode(string.Join('\n', Messages(row, column, "assistant").Select(message => message.Content)))];
        return TokenSimilarity.Reaches(Said(columns.Chosen), Said(columns.Rejected), columns.MaxSimilarity);
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
        object other => throw new StageFailedException($"row {row.Id}: column '{column}' holds {other.GetType().Name}"),
        null => throw new StageFailedException($"row {row.Id}: column '{column}' is null"),
    };
}
