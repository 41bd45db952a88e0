using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.AI;

namespace Dataflow.Cli.Testing;

/// <summary>Recorded calls of one model: <c>{"key", "prompt", "response"}</c> a line. Secrets are blotted out before they reach it.</summary>
internal sealed class Cassette
{
    // One call a line, so not indented.
    private static readonly JsonSerializerOptions Json = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };
    private readonly string path;
    private readonly SecretRegistry secrets;
    private readonly Dictionary<string, string> calls = new(StringComparer.Ordinal);

    public Cassette(string path, bool record, SecretRegistry secrets)
    {
        this.path = path;
        this.secrets = secrets;
        Records = record;
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            using JsonDocument call = JsonDocument.Parse(line);
            calls[call.RootElement.GetProperty("key").GetString()!] = call.RootElement.GetProperty("response").GetRawText();
        }
    }

    public bool Records { get; }

    /// <summary>Hangs on the dialog and the sampling options alone.</summary>
    public string KeyOf(IReadOnlyList<ChatMessage> messages, ChatOptions? options) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        secrets.Redact(JsonSerializer.Serialize(messages, Json) + JsonSerializer.Serialize(options, Json)))))[..32];

    public ChatResponse? Find(string key)
    {
        lock (calls)
        {
            return calls.TryGetValue(key, out string? response) ? JsonSerializer.Deserialize<ChatResponse>(response, Json) : null;
        }
    }

    public void Add(string key, string prompt, ChatResponse response)
    {
        // What a provider sent along besides its answer has no place in a file that is committed.
        var kept = new ChatResponse(response.Messages.Select(message => new ChatMessage(message.Role, message.Text)).ToArray()) { FinishReason = response.FinishReason, Usage = response.Usage };
        string json = secrets.Redact(JsonSerializer.Serialize(kept, Json));
        lock (calls)
        {
            calls[key] = json;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.AppendAllText(path, $$"""{"key":"{{key}}","prompt":{{JsonSerializer.Serialize(secrets.Redact(prompt))}},"response":{{json}}}""" + "\n");
        }
    }
}

/// <summary>A model whose calls are played from a cassette, and recorded on it from the real model where that is wanted.</summary>
internal sealed class CassetteModel(Cassette cassette, ModelNode real)
{
    public Cassette Cassette => cassette;

    public ModelNode Real => real;
}

/// <summary>Plays a cassette; opens the real model only to record.</summary>
internal sealed class CassetteProvider(CassetteModel options, ModelContext context) : IModelProvider<IChatClient>
{
    private IModelProvider<IChatClient>? real;

    public static ModelNode Replace(ModelNode node, Cassette cassette) => node with
    {
        Descriptor = new ModelDescriptor("test.cassette", "", typeof(CassetteProvider), typeof(CassetteModel), [typeof(IChatClient)], false, node.Descriptor.Plugin),
        Options = new CassetteModel(cassette, node),
        FromStage = null,
    };

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult("test:" + options.Real.Name);

    public async ValueTask<IChatClient> OpenAsync(CancellationToken cancellationToken)
    {
        if (!options.Cassette.Records)
        {
            return new CassetteChatClient(options.Cassette, null);
        }

        ConstructorInfo constructor = options.Real.Descriptor.ProviderType.GetConstructors().Single();
        object?[] arguments = constructor.GetParameters().Select(parameter => parameter.ParameterType == typeof(ModelContext) ? context : (object?)options.Real.Options).ToArray();
        real = (IModelProvider<IChatClient>)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
        return new CassetteChatClient(options.Cassette, await real.OpenAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (real is not null)
        {
            await real.DisposeAsync();
        }
    }
}

/// <summary>Answers from the cassette, or from the real model onto it.</summary>
internal sealed class CassetteChatClient(Cassette cassette, IChatClient? real) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] dialog = messages.ToArray();
        string key = cassette.KeyOf(dialog, options);
        if (cassette.Find(key) is ChatResponse recorded)
        {
            return recorded;
        }

        if (real is null)
        {
            throw new ModelCallException($"the cassette has no reply to: {dialog[^1].Text} (run once with 'record: true')", 400);
        }

        ChatResponse response = await real.GetResponseAsync(dialog, options, cancellationToken);
        cassette.Add(key, dialog[^1].Text, response);
        return response;
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // The provider owns the real client.
    }
}
