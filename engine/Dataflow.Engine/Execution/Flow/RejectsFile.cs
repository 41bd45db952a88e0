using System.Text;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>Rows that a pipeline does not connect any further (errors, rejected), as JSON lines; visible when its phase ends, well or not: they tell why it failed.</summary>
internal sealed class RejectsFile(string path) : IDisposable
{
    private readonly Lock gate = new();
    private StreamWriter? writer;
    private bool ended;

    public void Write(RowBatch batch)
    {
        lock (gate)
        {
            writer ??= Create();
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                var values = new Dictionary<string, object?>(StringComparer.Ordinal) { ["row_id"] = row.Id };
                foreach ((string column, object? value) in row.ToDictionary())
                {
                    values.TryAdd(column, value);
                }

                writer.WriteLine(RowJson.Write(values));
            }
        }
    }

    /// <summary>Makes the file visible; an empty one is not written, and an older attempt's is removed.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (ended)
            {
                return;
            }

            ended = true;
            if (File.Exists(path))
            {
                File.Delete(path);
            }

            if (writer is not null)
            {
                writer.Dispose();
                File.Move(path + ".tmp", path);
            }
        }
    }

    private StreamWriter Create()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new StreamWriter(path + ".tmp", append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }
}
