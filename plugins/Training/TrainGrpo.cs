using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.grpo", "Group-relative policy optimisation on prompts with known answers: reward 1 for a response that gives the answer, 0 otherwise.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainGrpo(TrainGrpoOptions options, Checkpoint init) : TrainerStage(options, options.KlWeight > 0 ? 4 : 3), IStage<TrainGrpoOptions>
{
    public static void Declare(TrainGrpoOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        declaration.Require(options.Prompt, "prompt", StageInputs.Default, "text");
        declaration.Require(options.Answer, "answer", StageInputs.Default, "text", "integer", "number");
        int? context = declaration.ContextOf("init");
        if (options.MaxTokens >= Math.Min(options.MaxLength, context ?? int.MaxValue))
        {
            string where = context < options.MaxLength ? $"the model's context of {context}" : $"max_length {options.MaxLength}";
            declaration.Error("max_tokens", $"responses of {options.MaxTokens} tokens leave no room for a prompt in {where}");
        }

        try
        {
            _ = Pattern(options);
        }
        catch (ArgumentException failure)
        {
            declaration.Error("extract", failure.Message);
        }
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(init.Folder);
        var template = new ChatTemplate(tokenizer);
        if (options.MaxTokens >= run.MaxLength)
        {
            throw new StageFailedException($"max_tokens {options.MaxTokens} leaves no room for a prompt: the model's context and max_length allow {run.MaxLength} tokens in all");
        }

        Reading<(int[] Ids, string Answer)> ReadRow(Row row) => Read(row, template, run);
        IReadOnlyList<(int[] Ids, string Answer)> prompts = await run.ReadAsync(inputs.In, ReadRow, cancellationToken);
        IReadOnlyList<(int[] Ids, string Answer)> heldOut = await run.ReadHeldOutAsync(inputs, ReadRow, cancellationToken);
        using LlamaModel model = run.LoadModel(init.Folder);
        using LlamaModel? reference = options.KlWeight > 0 ? run.LoadModel(init.Folder) : null;
        Regex? extract = Pattern(options);
        Func<int, int[], double> RewardOf(IReadOnlyList<(int[] Ids, string Answer)> set) => (prompt, response) => Answer(tokenizer.Decode(response), extract) == set[prompt].Answer ? 1 : 0;
        run.Train(
            prompts.Count,
            (settings, onStep) =>
            {
                var grpo = new GrpoOptions(options.Samples, options.Advantage, options.Normalization, options.KlWeight);
                var sampling = new SamplingOptions { Temperature = options.Temperature, MaxNewTokens = options.MaxTokens, StopTokens = tokenizer.Specials.Stops };
                new GrpoTrainer(model, reference, tokenizer.Padding, settings, grpo, sampling).Train(
                    prompts.Select(prompt => prompt.Ids).ToArray(), RewardOf(prompts), onStep, cancellationToken, (heldOut.Select(prompt => prompt.Ids).ToArray(), RewardOf(heldOut)));
            },
            folder => ModelCheckpoint.Save(folder, model, tokenizer, dtype: ModelCheckpoint.StoredDtype(init.Folder), from: init.Folder));
    }

    private Reading<(int[] Ids, string Answer)> Read(Row row, ChatTemplate template, TrainingRun run)
    {
        int[] ids = template.EncodePrompt([new DialogMessage("user", row.Text(options.Prompt))]);
        return ids.Length + options.MaxTokens > run.MaxLength
            ? Reading<(int[], string)>.Drop(run.TooLong + " with a response")
            : Reading<(int[], string)>.Of((ids, row.Text(options.Answer).Trim()));
    }

    private static string Answer(string response, Regex? extract) =>
        extract is null ? response.Trim() : extract.Matches(response) is { Count: > 0 } matches ? matches[^1].Groups[^1].Value.Trim() : "";

    private static Regex? Pattern(TrainGrpoOptions options) =>
        options.Extract is null ? null : new Regex(options.Extract, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
}

public sealed record TrainGrpoOptions : TrainingSettings
{
    [Description("Checkpoint to start from."), ModelReference(typeof(Checkpoint))]
    public required string Init { get; init; }

    [Description("Column holding the prompt.")]
    public string Prompt { get; init; } = "prompt";

    [Description("Column holding the answer that is rewarded.")]
    public string Answer { get; init; } = "answer";

    [Description("Regular expression that finds the answer in a response: its last match, the last group of it. The whole response if absent.")]
    public string? Extract { get; init; }

    [Description("Responses per prompt."), Range(2, 1024)]
    public int Samples { get; init; } = 8;

    [Description("Longest response in tokens."), Range(1, 1_000_000)]
    public int MaxTokens { get; init; } = 256;

    [Description("Temperature of the samples."), Range(0.01, 10.0)]
    public double Temperature { get; init; } = 1;

    [Description("What makes a reward an advantage: sample_standard, population_standard or centred.")]
    public AdvantageKind Advantage { get; init; } = AdvantageKind.SampleStandard;

    [Description("token: mean over all tokens of a step; sequence: mean over a response's tokens, then over responses.")]
    public PolicyNormalization Normalization { get; init; } = PolicyNormalization.Token;

    [Description("Weight of the divergence from the checkpoint started from."), Range(0.0, 100.0)]
    public double KlWeight { get; init; }
}
