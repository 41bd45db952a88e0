using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.sft", "Supervised fine-tuning on dialogs: loss on the assistant's words and their terminator only.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainSft(TrainSftOptions options, Checkpoint init) : TrainerStage(options), IStage<TrainSftOptions>
{
    public static void Declare(TrainSftOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        Dialogs.Require(options.Messages, declaration);
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(init.Folder);
        var template = new ChatTemplate(tokenizer);
        Reading<TrainingExample> Read(Row row) => Dialogs.Example(template.Encode(Dialogs.Read(row, options.Messages, !options.AllTurns)), run);
        IReadOnlyList<TrainingExample> examples = await run.ReadAsync(inputs.In, Read, cancellationToken);
        IReadOnlyList<TrainingExample> heldOut = await run.ReadHeldOutAsync(inputs, Read, cancellationToken);
        using LlamaModel model = run.LoadModel(init.Folder);
        run.Train(
            examples.Count,
            (settings, onStep) => new LanguageModelTrainer(model, tokenizer.Padding, settings).Train(examples, onStep, cancellationToken, heldOut),
            folder => ModelCheckpoint.Save(folder, model, tokenizer, dtype: ModelCheckpoint.StoredDtype(init.Folder), from: init.Folder));
    }
}

public sealed record TrainSftOptions : SequenceTrainingSettings
{
    [Description("Checkpoint to start from."), ModelReference(typeof(Checkpoint))]
    public required string Init { get; init; }

    [Description("Column holding the dialog.")]
    public string Messages { get; init; } = "messages";

    [Description("Train on every assistant message, not only the last.")]
    public bool AllTurns { get; init; }
}
