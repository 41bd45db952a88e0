using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Spill;

/// <summary>How a <see cref="RowBatch"/> lies on disk: the user's columns, then row id and order key.</summary>
internal static class SpillSchema
{
    private const string IdColumn = "__row_id";
    private const string OrderColumn = "__order";

    public static Schema For(Schema user) => user.With((IdColumn, StringType.Default), (OrderColumn, BinaryType.Default));

    /// <summary>A batch that shares the user's columns; the caller disposes it.</summary>
    public static RecordBatch Pack(RowBatch batch)
    {
        RecordBatch data = batch.Data.SliceShared(0, batch.Length);
        var ids = new StringArray.Builder().Reserve(batch.Length);
        var order = new BinaryArray.Builder().Reserve(batch.Length);
        for (int i = 0; i < batch.Length; i++)
        {
            ids.Append(batch.RowIds[i]);
            order.Append(batch.Order[i].AsSpan());
        }

        return new RecordBatch(For(data.Schema), [.. data.Arrays, ids.Build(), order.Build()], batch.Length);
    }

    /// <summary>Takes over <paramref name="packed"/>.</summary>
    public static RowBatch Unpack(RecordBatch packed, Schema user)
    {
        int columns = user.FieldsList.Count;
        var ids = (StringArray)packed.Column(columns);
        var order = (BinaryArray)packed.Column(columns + 1);
        var rowIds = new string[packed.Length];
        var keys = new byte[packed.Length][];
        for (int i = 0; i < packed.Length; i++)
        {
            rowIds[i] = ids.GetString(i);
            keys[i] = order.GetBytes(i).ToArray();
        }

        var data = new RecordBatch(user, packed.Arrays.Take(columns), packed.Length);
        ids.Dispose();
        order.Dispose();
        return new RowBatch(data, rowIds, keys);
    }
}
