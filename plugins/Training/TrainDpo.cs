using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.dpo", "Direct preference optimisation on pairs, with formatting tokens masked and a small NLL term on the chosen response.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainDpo(TrainDpoOptions options, Checkpoint init, Checkpoint? reference) : TrainerStage(options, 7), IStage<TrainDpoOptions>
{
    public static void Declare(TrainDpoOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        PreferenceRows.Declare(options, declaration);
        if (options.Loss == PreferenceLossKind.SimPo && options.Reference is not null)
        {
            declaration.Error("reference", "sim_po takes no reference");
        }
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(init.Folder);
        var rows = new PreferenceRows(options, tokenizer, run, run.MaxLength);
        Reading<PreferencePair> Read(Row row) => rows.Pair(row, !options.CountTerminators);
        IReadOnlyList<PreferencePair> pairs = await run.ReadAsync(inputs.In, Read, cancellationToken);
        IReadOnlyList<PreferencePair> heldOut = await run.ReadHeldOutAsync(inputs, Read, cancellationToken);
        using LlamaModel model = run.LoadModel(init.Folder);
        run.Train(
            pairs.Count,
            (settings, onStep) =>
            {
                ReferenceLogProbabilities[]? known = options.Loss == PreferenceLossKind.SimPo ? null : References([pairs, heldOut], model, tokenizer, settings, context, cancellationToken);
                var loss = new PreferenceLossOptions(options.Loss, options.Beta, options.Margin, options.NllWeight, options.NllNormalization);
                new DpoTrainer(model, tokenizer.Padding, settings, loss).Train(pairs, known?[0], onStep, cancellationToken, heldOut.Count > 0 ? (heldOut, known?[1]) : null);
            },
            folder => ModelCheckpoint.Save(folder, model, tokenizer, dtype: ModelCheckpoint.StoredDtype(init.Folder), from: init.Folder));
    }

    // Training starts from the reference unless another is named, so the weights are loaded once where they can be.
    private ReferenceLogProbabilities[] References(
        IReadOnlyList<PreferencePair>[] sets, LlamaModel model, LlamaTokenizer tokenizer, TrainerOptions settings, StageContext context, CancellationToken cancellationToken)
    {
        Checkpoint origin = reference ?? init;
        var cache = new ReferenceCache(context.WorkFolder);
        LlamaModel? other = null;
        try
        {
            return sets.Select(pairs => cache.GetOrCompute(origin.Hash, pairs, () =>
            {
                other ??= origin.Hash == init.Hash ? null : ModelCheckpoint.LoadModel(origin.Folder, model.Device, model.Parameters.First().Value.dtype);
                return new PreferencePass(other ?? model, tokenizer.Padding, settings).Reference(pairs, cancellationToken);
            })).ToArray();
        }
        finally
        {
            other?.Dispose();
        }
    }
}

public sealed record TrainDpoOptions : PreferenceColumns
{
    [Description("Checkpoint to start from."), ModelReference(typeof(Checkpoint))]
    public required string Init { get; init; }

    [Description("Checkpoint to stay close to; the one to start from if absent."), ModelReference(typeof(Checkpoint))]
    public string? Reference { get; init; }

    [Description("dpo, length_normalized (beta around 5), sim_po (beta around 2; no reference) or ipo.")]
    public PreferenceLossKind Loss { get; init; } = PreferenceLossKind.Dpo;

    [Description("How strongly to stay close to the reference: less is freer."), Range(1e-9, 1000.0)]
    public double Beta { get; init; } = 0.1;

    [Description("sim_po: margin gamma, as a share of beta."), Range(0.0, 100.0)]
    public double Margin { get; init; } = 0.5;

    [Description("Weight of the chosen response's negative log-likelihood."), Range(0.0, 1000.0)]
    public double NllWeight { get; init; } = 0.2;

    [Description("What that is averaged over: sequence (each response's tokens, then pairs), token (all chosen tokens), sum.")]
    public NllNormalization NllNormalization { get; init; } = NllNormalization.Sequence;

    [Description("Count terminators in the preference too; by default they are masked like headers.")]
    public bool CountTerminators { get; init; }

    [Description("Put several sequences into one row behind a block-diagonal mask.")]
    public bool Packing { get; init; } = true;

    protected override bool Packs => Packing;
}
