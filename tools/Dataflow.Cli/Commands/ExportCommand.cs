using System.CommandLine;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow export CHECKPOINT --out FILE.gguf</c>: a checkpoint for llama.cpp and Ollama.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Checkpoint = new("checkpoint") { Description = "Checkpoint folder in Hugging Face layout." };
    private static readonly Option<string> Out = new("--out") { Description = "GGUF file to write.", Required = true };
    private static readonly Option<GgufType> Type = new Option<GgufType>("--type") { Description = "f32, f16 or q8_0.", DefaultValueFactory = _ => GgufType.F16 }.NamesOnly();

    private static readonly Option<string?> Pre = new("--pre") { Description = "llama.cpp's name of the pre-tokenizer, where it is not found from tokenizer.json." };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Replace a GGUF file that is there already; any other file stays." };

    public static Command Create()
    {
        var command = new Command("export", "Write a checkpoint as GGUF, for llama.cpp and Ollama.");
        command.Arguments.Add(Checkpoint);
        command.Options.Add(Out);
        command.Options.Add(Type);
        command.Options.Add(Pre);
        command.Options.Add(Overwrite);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(Out)!;
            try
            {
                GgufExport.Write(parsed.GetValue(Checkpoint)!, path, parsed.GetValue(Type), parsed.GetValue(Overwrite), parsed.GetValue(Pre));
            }
            catch (Exception failure) when (failure is CheckpointException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine(failure.Message);
                return ExitCodes.BadInput;
            }

            Console.WriteLine($"wrote {path}, {new FileInfo(path).Length} bytes");
            return ExitCodes.Done;
        });
        return command;
    }
}
