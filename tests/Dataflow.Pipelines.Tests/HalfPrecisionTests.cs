using Dataflow.Prove;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Pipelines.Tests;

public sealed class HalfPrecisionTests
{
    [Fact]
    public async Task A_checkpoint_in_bfloat16_is_trained_in_fp32_and_stored_as_it_was()
    {
        using var command = new DataflowCommand();
        command.Write("pairs.jsonl", string.Concat(Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "{{i}}+1", "answer": "{{i + 1}}"}""" + "\n")));
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        using LlamaModel model = LlamaModel.Initialize(TinyModels.FourMillion(tokenizer.VocabSize) with { NumHiddenLayers = 1, HiddenSize = 32, IntermediateSize = 64 }, 0.1, 1);
        ModelCheckpoint.Save(Path.Combine(command.Folder, "half"), model, tokenizer, dtype: ScalarType.BFloat16);
        // One step changes a weight by no more than the rate: by less than half of bfloat16's spacing for nearly all of them.
        const string Options = "init: start, steps: 40, batch_size: 4, learning_rate: 0.0001, schedule: constant, warmup: 0, max_length: 64";
        command.Write("half.yaml", $$$"""
            name: half
            models: { start: { uses: llama, with: { checkpoint: half } } }
            stages:
              pairs: { uses: io.jsonl, with: { path: pairs.jsonl } }
              texts: { uses: chat.messages, from: pairs, with: { assistant: "{{ answer }}" } }
              full:  { uses: train.sft, from: texts, with: { {{{Options}}} } }
              mixed: { uses: train.sft, from: texts, with: { {{{Options}}}, precision: mixed } }
              lora:  { uses: train.sft, from: texts, with: { {{{Options}}}, precision: mixed, lora: { rank: 2 } } }
            """);
        CommandResult run = await command.RunAsync(["run", "half.yaml", "--run-id", "r"]);
        Assert.True(run.ExitCode == 0, run.All);
        foreach (string stage in new[] { "full", "mixed", "lora" })
        {
            using LlamaModel trained = ModelCheckpoint.LoadModel(Path.Combine(command.Folder, "runs/r/artifacts", stage));
            Tensor weight = trained.Parameters["model.layers.0.mlp.up_proj.weight"];
            Assert.Equal(ScalarType.BFloat16, weight.dtype);
            using Tensor before = model.Parameters["model.layers.0.mlp.up_proj.weight"].to(ScalarType.BFloat16);
            double moved = weight.ne(before).to(ScalarType.Float32).mean().item<float>();
            Assert.True(stage == "lora" || moved > 0.5, $"{stage}: {moved:P0} of the weights moved");
        }
    }
}
