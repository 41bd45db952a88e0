using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.lm", "Language-model training on text or dialogs: a new tiny model, or more pre-training of a checkpoint.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainLm(TrainLmOptions options, Checkpoint? init) : TrainerStage(options), IStage<TrainLmOptions>
{
    public static void Declare(TrainLmOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        if ((options.Init is null) == (options.Shape is null))
        {
            declaration.Error("init", "give either 'init' (a checkpoint) or 'shape' (a new model)");
        }

        if (options.Shape is { } shape && (shape.HiddenSize % shape.Heads != 0 || shape.Heads % shape.KvHeads != 0 || shape.HiddenSize / shape.Heads % 2 != 0))
        {
            declaration.Error("shape", "hidden_size must be a multiple of heads, with an even number of features per head, and heads a multiple of kv_heads");
        }

        if (options.Shape?.VocabSize < BpeTrainer.SmallestVocabulary)
        {
            declaration.Error("shape.vocab_size", $"256 bytes and the special tokens are {BpeTrainer.SmallestVocabulary} already");
        }

        if (options.Text is not null)
        {
            declaration.Require(options.Text, "text", StageInputs.Default, "text");
        }
        else
        {
            Dialogs.Require(options.Messages, declaration);
        }
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, init is null ? options.Shape!.Context : ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = init is null ? await MakeTokenizerAsync(inputs.In, cancellationToken) : ModelCheckpoint.LoadTokenizer(init.Folder);
        ChatTemplate? template = options.Text is null ? new ChatTemplate(tokenizer) : null;
        Reading<TrainingExample> ReadRow(Row row) => Read(row, tokenizer, template, run);
        IReadOnlyList<TrainingExample> examples = await run.ReadAsync(inputs.In, ReadRow, cancellationToken);
        IReadOnlyList<TrainingExample> heldOut = await run.ReadHeldOutAsync(inputs, ReadRow, cancellationToken);
        using LlamaModel model = init is null
            ? LlamaModel.Initialize(Config(options.Shape!, tokenizer.VocabSize), options.Shape!.InitStd, run.Seed("init"), run.Prepare())
            : run.LoadModel(init.Folder);
        run.Train(
            examples.Count,
            (settings, onStep) => new LanguageModelTrainer(model, tokenizer.Padding, settings).Train(examples, onStep, cancellationToken, heldOut),
            folder => ModelCheckpoint.Save(folder, model, tokenizer, dtype: init is null ? null : ModelCheckpoint.StoredDtype(init.Folder), from: init?.Folder));
    }

    private async Task<LlamaTokenizer> MakeTokenizerAsync(IRowStream rows, CancellationToken cancellationToken)
    {
        if (options.Shape!.VocabSize is not int size)
        {
            return LlamaTokenizer.Tiny();
        }

        var trainer = new BpeTrainer();
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                IEnumerable<string> texts = options.Text is null ? Dialogs.Read(row, options.Messages, lastOnly: false).Select(message => message.Content) : [row.Text(options.Text)];
                foreach (string text in texts)
                {
                    trainer.Add(text);
                }
            }
        }

        return trainer.Train(size);
    }

    private Reading<TrainingExample> Read(Row row, LlamaTokenizer tokenizer, ChatTemplate? template, TrainingRun run)
    {
        if (template is not null)
        {
            EncodedDialog dialog = template.Encode(Dialogs.Read(row, options.Messages, lastOnly: false));
            return Dialogs.Example(options.AnswersOnly ? dialog : dialog with { Train = Enumerable.Repeat(true, dialog.Ids.Length).ToArray() }, run);
        }

        // A document longer than a row becomes several rows.
        TextTokens around = tokenizer.TextTokens;
        int end = around.End ?? throw new StageFailedException("the tokenizer has no token that ends a text: name one as eos_token in the checkpoint's tokenizer_config.json");
        int[] ids = [.. around.Begin is int begin ? new[] { begin } : [], .. tokenizer.Encode(row.Text(options.Text!)), end];
        return Reading<TrainingExample>.Of(ids.Chunk(run.MaxLength).Where(piece => piece.Length > 1)
            .Select(piece => new TrainingExample(piece, Enumerable.Repeat(true, piece.Length).ToArray())).ToArray());
    }

    private static LlamaConfig Config(ModelShape shape, int vocabulary) => new()
    {
        VocabSize = vocabulary,
        HiddenSize = shape.HiddenSize,
        IntermediateSize = shape.IntermediateSize ?? shape.HiddenSize * 8 / 3 / 8 * 8,
        NumHiddenLayers = shape.Layers,
        NumAttentionHeads = shape.Heads,
        NumKeyValueHeads = shape.KvHeads,
        MaxPositionEmbeddings = shape.Context,
        TieWordEmbeddings = shape.TiedEmbeddings,
        RopeTheta = 10_000,
    };
}

public sealed record TrainLmOptions : SequenceTrainingSettings
{
    [Description("Checkpoint to train further."), ModelReference(typeof(Checkpoint))]
    public string? Init { get; init; }

    [Description("Shape of a new model with a byte tokenizer.")]
    public ModelShape? Shape { get; init; }

    [Description("Column holding text to train on.")]
    public string? Text { get; init; }

    [Description("Column holding dialogs to train on, where 'text' is absent.")]
    public string Messages { get; init; } = "messages";

    [Description("For dialogs: loss on the assistant's words only, not on everything.")]
    public bool AnswersOnly { get; init; }
}

public sealed record ModelShape
{
    [Description("Tokens of a byte-level BPE tokenizer that is learned from the rows first; absent: bytes, and a few tokens of the chat format.")]
    public int? VocabSize { get; init; }

    [Description("Width."), Range(2, 1_000_000)]
    public int HiddenSize { get; init; } = 96;

    [Description("Width of the feed-forward part; 8/3 of hidden_size if absent."), Range(2, 1_000_000)]
    public int? IntermediateSize { get; init; }

    [Description("Decoder layers."), Range(1, 1000)]
    public int Layers { get; init; } = 3;

    [Description("Attention heads."), Range(1, 1000)]
    public int Heads { get; init; } = 4;

    [Description("Key and value heads."), Range(1, 1000)]
    public int KvHeads { get; init; } = 2;

    [Description("Longest sequence."), Range(2, 10_000_000)]
    public int Context { get; init; } = 256;

    [Description("One matrix for input and output embeddings.")]
    public bool TiedEmbeddings { get; init; } = true;

    [Description("Standard deviation of the initial weights."), Range(1e-6, 10.0)]
    public double InitStd { get; init; } = 0.08;
}
