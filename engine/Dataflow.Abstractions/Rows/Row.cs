using Apache.Arrow;

namespace Dataflow.Abstractions;

/// <summary>
/// One row as values: null, bool, long, double, string, byte[], <see cref="DateTimeOffset"/>,
/// <see cref="IReadOnlyList{T}"/> of values for lists, <see cref="IReadOnlyDictionary{TKey, TValue}"/> for structs.
/// </summary>
public readonly struct Row(RecordBatch batch, int index, string id, byte[] order)
{
    private readonly RowReads? reads;

    internal Row(RecordBatch batch, int index, string id, byte[] order, RowReads? reads)
        : this(batch, index, id, order) => this.reads = reads;

    public string Id { get; } = id;

    public byte[] Order { get; } = order;

    public Schema Schema
    {
        get
        {
            reads?.NoteEverything();
            return batch.Schema;
        }
    }

    /// <summary>The same row with a note of what is looked at.</summary>
    internal Row Noting(RowReads noted) => new(batch, index, Id, Order, noted);

    internal RecordBatch Batch => batch;

    internal int Index => index;

    /// <summary>The value of a column; null if the value is null or there is no such column.</summary>
    public object? this[string column]
    {
        get
        {
            int field = batch.Schema.GetFieldIndex(column);
            reads?.Note(field);
            return field < 0 ? null : ArrowValues.Get(batch.Column(field), index);
        }
    }

    public bool Has(string column)
    {
        int field = batch.Schema.GetFieldIndex(column);
        reads?.Note(field);
        return field >= 0;
    }

    /// <summary>The text of a column. A missing value is a row error that names the column.</summary>
    public string Text(string column) => this[column] switch
    {
        string text => text,
        null => throw new RowFailedException("missing_value", $"column '{column}' is null"),
        var other => ArrowValues.Display(other),
    };

    public long Integer(string column) => this[column] switch
    {
        long number => number,
        double number when number == Math.Floor(number) => (long)number,
        var other => throw new RowFailedException("wrong_type", $"column '{column}' holds {ArrowValues.Display(other)}, not an integer"),
    };

    public double Number(string column) => this[column] switch
    {
        long number => number,
        double number => number,
        var other => throw new RowFailedException("wrong_type", $"column '{column}' holds {ArrowValues.Display(other)}, not a number"),
    };

    public bool Flag(string column) => this[column] is bool value
        ? value
        : throw new RowFailedException("wrong_type", $"column '{column}' is not a boolean");

    /// <summary>
    /// All columns, in schema order. A stage that needs some of them asks for those by name: what it does not look at
    /// may change without its result being computed anew.
    /// </summary>
    public IReadOnlyDictionary<string, object?> ToDictionary()
    {
        reads?.NoteEverything();
        var values = new Dictionary<string, object?>(batch.Schema.FieldsList.Count, StringComparer.Ordinal);
        for (int i = 0; i < batch.Schema.FieldsList.Count; i++)
        {
            values[batch.Schema.GetFieldByIndex(i).Name] = ArrowValues.Get(batch.Column(i), index);
        }

        return values;
    }

    /// <summary>The row as one line of JSON.</summary>
    public string ToJson() => RowJson.Write(ToDictionary());
}
