using System.Text;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// Rows that a pipeline does not connect any further (errors, rejected), as JSON lines. Visible when its phase is done or
/// has failed: what was rejected up to there may tell why. A resume writes it anew.
/// </summary>
internal sealed class RejectsFile(string path) : IDisposable
{
    private readonly Lock gate = new();
    private StreamWriter? writer;
    private bool torn;

    public void Write(RowBatch batch)
    {
        lock (gate)
        {
            writer ??= Create();
            torn = true;
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

            torn = false;
        }
    }

    /// <summary>Makes the file visible; an empty one is not written, and an older attempt's is removed.</summary>
    public void Commit()
    {
        lock (gate)
        {
            if (File.Exists(path))
            {
                File.Delete(path);
            }

            if (writer is not null)
            {
                Publish(writer);
            }
        }
    }

    /// <summary>Makes visible what there is, where it was not committed; half a line, of a disk that filled up, stays hidden.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (writer is not null && torn)
            {
                writer.BaseStream.Dispose();
                writer = null;
            }
            else if (writer is not null)
            {
                Publish(writer);
            }
        }
    }

    private void Publish(StreamWriter written)
    {
        writer = null;
        written.Dispose();
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private StreamWriter Create()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new StreamWriter(path + ".tmp", append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }
}
