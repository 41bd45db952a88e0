using System.Text.Json;

namespace Dataflow.Engine.Execution.Spill;

/// <summary>The last file written of a spill: with it the spill is complete, without it it does not exist.</summary>
internal sealed record SpillIndex(long Rows, IReadOnlyList<SpillRun> Runs)
{
    private const string FileName = "index.json";

    public static void Write(string folder, SpillIndex index)
    {
        string temporary = Path.Combine(folder, FileName + ".tmp");
        using (FileStream file = File.Create(temporary))
        {
            JsonSerializer.Serialize(file, index);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, Path.Combine(folder, FileName), overwrite: true);
    }

    public static SpillIndex Read(string folder) =>
        JsonSerializer.Deserialize<SpillIndex>(File.ReadAllText(Path.Combine(folder, FileName)))
        ?? throw new InvalidDataException($"{folder}: empty spill index");
}

/// <summary>One sorted run, with its first and last order key in hex.</summary>
internal sealed record SpillRun(string File, long Rows, string First, string Last);
