using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Text;

/// <summary>Base of filters that judge each row by one text column; a null is rejected as missing.</summary>
public abstract class TextFilter(string column) : IFilter
{
    public ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        IArrowArray values = batch.Column(batch.Schema.GetFieldIndex(column));
        var verdicts = new FilterVerdict[batch.Length];
        for (int i = 0; i < verdicts.Length; i++)
        {
            verdicts[i] = ArrowValues.Get(values, i) is string text
                ? Reject(text) is string reason ? FilterVerdict.Rejected(reason) : FilterVerdict.Kept
                : FilterVerdict.Rejected("missing");
        }

        return ValueTask.FromResult<IReadOnlyList<FilterVerdict>>(verdicts);
    }

    /// <summary>Why a text is rejected; null keeps it.</summary>
    protected abstract string? Reject(string text);

    protected static void DeclareColumn(string column, StageDeclaration declaration)
    {
        declaration.Require(column, "column", StageInputs.Default, "text");
        declaration.FilterPorts();
    }
}
