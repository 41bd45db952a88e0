using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Cli.Serving;

/// <summary>A checkpoint behind an endpoint: its name, tokenizer, and the thread that generates.</summary>
internal sealed class ServedModel(string name, LlamaTokenizer tokenizer, GenerationWorker worker)
{
    private readonly ChatTemplate template = new(tokenizer);

    public string Name => name;

    public LlamaTokenizer Tokenizer => tokenizer;

    public int[] EncodeDialog(IReadOnlyList<DialogMessage> messages) => template.EncodePrompt(messages);

    public int[] EncodeText(string text) => [tokenizer.Specials.BeginOfText, .. tokenizer.Encode(text)];

    public Task<IReadOnlyList<Sample>> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) => worker.GenerateAsync(request, cancellationToken);

    /// <summary>Mean of the final hidden states of a text, of length 1.</summary>
    public Task<float[]> EmbedAsync(int[] ids, CancellationToken cancellationToken) => worker.RunAsync(model => Pooled(model, ids), cancellationToken);

    private static float[] Pooled(LlamaModel model, int[] ids)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        Tensor hidden = model.Hidden(tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Length], device: model.Device)).to(ScalarType.Float32);
        Tensor mean = hidden.mean([1]).squeeze(0).cpu();
        float[] values = mean.data<float>().ToArray();
        double length = Math.Sqrt(values.Sum(value => (double)value * value));
        return values.Select(value => (float)(value / Math.Max(length, 1e-12))).ToArray();
    }
}
