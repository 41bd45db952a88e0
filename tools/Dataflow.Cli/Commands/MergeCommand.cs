using System.CommandLine;
using System.Text.Json;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Merging;
using Dataflow.Torch.Models;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow merge METHOD CHECKPOINT… --out FOLDER</c>: the merge stages for people who have only checkpoints.</summary>
internal static class MergeCommand
{
    // By their names alone: an enumeration also parses from its numbers, and from several names.
    private static readonly Dictionary<string, MergeMethod> Methods =
        Enum.GetValues<MergeMethod>().ToDictionary(method => JsonNamingPolicy.SnakeCaseLower.ConvertName(method.ToString()), StringComparer.OrdinalIgnoreCase);

    private static readonly Argument<MergeMethod> Method = new("method")
    {
        Description = "linear, task_arithmetic, ties, dare, slerp or model_stock.",
        CustomParser = result => Methods.TryGetValue(result.Tokens[0].Value, out MergeMethod method) ? method : Complain(result),
    };

    private static readonly Argument<string[]> Models = new("checkpoints") { Description = "Checkpoint folders in Hugging Face layout.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> Base = new("--base") { Description = "Checkpoint that all of them started from (not for linear and slerp)." };
    private static readonly Option<double[]> Weights = new Option<double[]>("--weights") { Description = "One weight per checkpoint; all 1 if absent.", AllowMultipleArgumentsPerToken = true }.Finite();
    private static readonly Option<double> Lambda = new Option<double>("--lambda") { Description = "Factor of the summed differences.", DefaultValueFactory = _ => 1 }.Finite();
    private static readonly Option<double> Density = new Option<double>("--density") { Description = "Share of differences that ties keeps and dare draws.", DefaultValueFactory = _ => 0.5 }.Between(0, 1);
    private static readonly Option<double> T = new Option<double>("--t") { Description = "slerp: way from the first (0) to the second (1).", DefaultValueFactory = _ => 0.5 }.Between(0, 1);
    private static readonly Option<bool?> Normalize = new("--normalize") { Description = "Divide by the weights' sum; by default linear and ties do." };
    private static readonly Option<DareRescale> Rescale = new Option<DareRescale>("--rescale") { Description = "dare: l1 or density.", DefaultValueFactory = _ => DareRescale.L1 }.NamesOnly();
    private static readonly Option<bool> Elect = new("--elect") { Description = "dare: elect a sign per entry, as ties does." };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "dare: seed of the draws.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Out = new("--out") { Description = "Folder of the merged checkpoint.", Required = true };

    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Replace a checkpoint that is there already; any other folder stays, and an input does." };

    public static Command Create()
    {
        var command = new Command("merge", "Merge checkpoints tensor by tensor into a new one, with a manifest of what came from where.");
        command.Arguments.Add(Method);
        command.Arguments.Add(Models);
        foreach (Option option in new Option[] { Base, Weights, Lambda, Density, T, Normalize, Rescale, Elect, Seed, Out, Overwrite })
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            var recipe = new MergeRecipe(parsed.GetValue(Method))
            {
                Weights = parsed.GetValue(Weights) ?? [],
                Lambda = parsed.GetValue(Lambda),
                Density = parsed.GetValue(Density),
                T = parsed.GetValue(T),
                Normalize = parsed.GetValue(Normalize),
                Rescale = parsed.GetValue(Rescale),
                Elect = parsed.GetValue(Elect),
                Seed = parsed.GetValue(Seed),
            };
            return Merge(new CheckpointMerge(recipe, parsed.GetValue(Models)!, parsed.GetValue(Base)), parsed.GetValue(Out)!, parsed.GetValue(Overwrite));
        });
        return command;
    }

    private static int Merge(CheckpointMerge merge, string folder, bool overwrite)
    {
        int tensors = 0;
        try
        {
            merge.Write(folder, _ => tensors++, existing: overwrite ? ExistingFolder.ReplaceCheckpoint : ExistingFolder.Keep);
        }
        catch (Exception failure) when (failure is MergeException or CheckpointException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.BadInput;
        }

        foreach (string note in merge.Notes)
        {
            Console.Error.WriteLine(note);
        }

        Console.WriteLine($"merged {tensors} tensors into {folder}");
        return ExitCodes.Done;
    }

    private static MergeMethod Complain(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"unknown method '{result.Tokens[0].Value}'; methods: {string.Join(", ", Methods.Keys)}");
        return default;
    }
}
