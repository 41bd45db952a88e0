using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Cli.Serving;

/// <summary>A checkpoint behind an endpoint: its name, tokenizer, and the thread that generates.</summary>
internal sealed class ServedModel(string name, GenerationCheckpoint checkpoint, GenerationWorker worker)
{
    private readonly ChatTemplate? template = checkpoint.Tokenizer.WritesDialogs ? new(checkpoint.Tokenizer) : null;

    public string Name => name;

    public LlamaTokenizer Tokenizer => checkpoint.Tokenizer;

    /// <summary>Tokens that the model has a row for.</summary>
    public int VocabSize => checkpoint.Model.Config.VocabSize;

    public int ContextLength => checkpoint.Model.Config.ContextLength;

    /// <summary>Numbers of an embedding.</summary>
    public int HiddenSize => checkpoint.Model.Config.HiddenSize;

    /// <exception cref="ApiException">The tokenizer is of a family whose dialogs are not written.</exception>
    public int[] EncodeDialog(IReadOnlyList<DialogMessage> messages) => template?.EncodePrompt(messages)
        ?? throw ApiException.BadRequest("this model's tokenizer lacks the special tokens of Llama 3's dialogs; it answers /v1/completions and /v1/embeddings", "model");

    public int[] EncodeText(string text) => Tokenizer.TextTokens.Begin is int begin ? [begin, .. Tokenizer.Encode(text)] : [.. Tokenizer.Encode(text)];

    /// <inheritdoc cref="GenerationWorker.MostNewTokens"/>
    public int MostNewTokens(int prompt, int samples) => worker.MostNewTokens(prompt, samples);

    /// <exception cref="ApiException">A request that can never be answered.</exception>
    public void Require(GenerationRequest request, string parameter)
    {
        if (worker.Problem(request) is string problem)
        {
            throw ApiException.BadRequest(problem, parameter, request.Prompt.Length >= ContextLength ? "context_length_exceeded" : null);
        }
    }

    public Task<IReadOnlyList<Sample>> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) => worker.GenerateAsync(request, cancellationToken);

    /// <summary>Mean of the final hidden states of a text, of length 1.</summary>
    /// <exception cref="GenerationException">The hidden states are no numbers.</exception>
    public Task<float[]> EmbedAsync(int[] ids, CancellationToken cancellationToken) => worker.RunAsync(model => Pooled(model, ids), cancellationToken);

    private static float[] Pooled(LlamaModel model, int[] ids)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        Tensor hidden = model.Hidden(tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Length], device: model.Device)).to(ScalarType.Float32);
        Tensor mean = hidden.mean([1]).squeeze(0).cpu();
        float[] values = mean.data<float>().ToArray();
        double length = Math.Sqrt(values.Sum(value => (double)value * value));
        return double.IsFinite(length)
            ? values.Select(value => (float)(value / Math.Max(length, 1e-12))).ToArray()
            : throw new GenerationException("the model's hidden states are not numbers (NaN or infinite): its weights are damaged");
    }
}
