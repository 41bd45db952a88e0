using Dataflow.Engine.Execution;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Display;

/// <summary>Prints counts and sample rows of every stage.</summary>
internal static class SamplePrinter
{
    public static void Print(string folder, RunResult result, bool json)
    {
        RunRecord record = RunRecord.Read(folder);
        foreach (StageCounts stage in result.Stages)
        {
            if (!json)
            {
                Console.WriteLine($"{stage.Stage}: {PlainDisplay.Counts(stage)}");
            }

            foreach (SampleRow sample in record.Samples.Where(sample => sample.Stage == stage.Stage))
            {
                Console.WriteLine(json
                    ? $$"""{"event":"row","stage":"{{sample.Stage}}","port":"{{sample.Port}}","row_id":"{{sample.RowId}}","row":{{sample.Json}}}"""
                    : $"  {sample.Port}  {sample.RowId[..Math.Min(8, sample.RowId.Length)]}  {sample.Json}");
            }
        }
    }
}
