using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dataflow.Prove;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Cli.Tests;

/// <summary>A random model of a few thousand weights, whose tokens are nearly equally likely, behind the real command.</summary>
public sealed class TinyServer : IAsyncLifetime
{
    private readonly DataflowCommand command = new();

    /// <summary>Rows of the model that no token of the tokenizer has.</summary>
    public const int Padding = 5;

    public static LlamaTokenizer Tokenizer { get; } = LlamaTokenizer.Tiny();

    public HttpClient Http { get; } = new();

    public Process Process { get; private set; } = null!;

    public ValueTask InitializeAsync() => new(StartAsync(command, Save(command), "--name", "tiny"));

    public async Task StartAsync(string folder, params string[] options) => await StartAsync(command, folder, options);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!Process.HasExited)
        {
            Process.Kill();
            await Process.WaitForExitAsync();
        }

        Process.Dispose();
        command.Dispose();
    }

    /// <summary>Writes the model as a checkpoint; its folder.</summary>
    internal static string Save(DataflowCommand command, int context = 256, int padding = Padding, Action<LlamaModel>? change = null)
    {
        string folder = Path.Combine(command.Folder, "model");
        using LlamaModel model = LlamaModel.Initialize(
            new LlamaConfig
            {
                VocabSize = Tokenizer.VocabSize + padding, HiddenSize = 16, IntermediateSize = 16, NumHiddenLayers = 1, NumAttentionHeads = 2, NumKeyValueHeads = 1,
                MaxPositionEmbeddings = context, RopeTheta = 10_000, TieWordEmbeddings = true,
            },
            0.05, 1);
        using (no_grad())
        {
            change?.Invoke(model);
        }

        ModelCheckpoint.Save(folder, model, Tokenizer);
        return folder;
    }

    /// <summary>Starts the command and waits until it serves.</summary>
    internal async Task StartAsync(DataflowCommand from, string folder, params string[] options)
    {
        Process = from.Start(["serve", folder, "--port", "0", "--threads", "1", .. options]);
        string line = await Process.StandardOutput.ReadLineAsync() ?? await Process.StandardError.ReadToEndAsync();
        Assert.StartsWith("serving ", line, StringComparison.Ordinal);
        Http.BaseAddress = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..] + "/");
    }

    public async Task<(int Status, JsonNode Body)> PostAsync(string path, string body)
    {
        using HttpResponseMessage response = await Http.PostAsync(path, new StringContent(body));
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>The reply to a request that must be answered.</summary>
    public async Task<JsonNode> AskAsync(string path, object body)
    {
        using HttpResponseMessage response = await Http.PostAsJsonAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The pieces of a streamed reply, which must end as a whole one does.</summary>
    public async Task<JsonNode[]> StreamAsync(string path, object body)
    {
        using HttpResponseMessage response = await Http.PostAsJsonAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        string[] pieces = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", pieces[^1]);
        return pieces[..^1].Select(piece => JsonNode.Parse(piece["data: ".Length..])!).ToArray();
    }
}
