using System.CommandLine;
using Dataflow.Cli.Serving;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow serve CHECKPOINT</c>: a checkpoint behind OpenAI's HTTP interface.</summary>
internal static class ServeCommand
{
    private const string KeyVariable = "DATAFLOW_API_KEY";

    private static readonly Argument<string> Checkpoint = new("checkpoint") { Description = "Checkpoint folder in Hugging Face layout." };
    private static readonly Option<string> Host = new("--host") { Description = "Address to listen on.", DefaultValueFactory = _ => "127.0.0.1" };
    private static readonly Option<int> Port = new Option<int>("--port") { Description = "Port to listen on; 0 takes a free one.", DefaultValueFactory = _ => 8000 }.Between(0, 65_535);
    private static readonly Option<string?> Name = new("--name") { Description = "The model's name; the folder's name if absent." };
    private static readonly Option<int> Rows = new Option<int>("--rows") { Description = "Samples at a time.", DefaultValueFactory = _ => 64 }.AtLeast(1);
    private static readonly Option<int> Tokens = new Option<int>("--cache-tokens") { Description = "Tokens that the key-value cache holds, over all samples.", DefaultValueFactory = _ => 65_536 }.AtLeast(1);
    private static readonly Option<int> Threads = new Option<int>("--threads") { Description = "Threads inside one operation.", DefaultValueFactory = _ => Environment.ProcessorCount }.Between(1, 1024);
    private static readonly Option<string> Device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };

    public static Command Create()
    {
        var command = new Command("serve", $"Serve a checkpoint over HTTP: OpenAI's chat, completions and embeddings. An API key is asked for where {KeyVariable} is set.");
        command.Arguments.Add(Checkpoint);
        foreach (Option option in new Option[] { Host, Port, Name, Rows, Tokens, Threads, Device })
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => ServeAsync(parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        const int BlockSize = 16;
        string folder = parsed.GetValue(Checkpoint)!;
        try
        {
            TorchRuntime.SetThreads(parsed.GetValue(Threads));
            using LlamaModel model = ModelCheckpoint.LoadModel(folder, TorchRuntime.Resolve(parsed.GetValue(Device)!));
            using var worker = new GenerationWorker(model, Math.Max(1, parsed.GetValue(Tokens) / BlockSize), parsed.GetValue(Rows), parsed.GetValue(Threads));
            string name = parsed.GetValue(Name) ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
            var served = new ServedModel(name, ModelCheckpoint.LoadTokenizer(folder), worker);
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls($"http://{parsed.GetValue(Host)}:{parsed.GetValue(Port)}");
            await using WebApplication app = builder.Build();
            new OpenAiRoutes(served, Environment.GetEnvironmentVariable(KeyVariable)).Map(app);
            await app.StartAsync(cancellationToken);
            Console.WriteLine($"serving {name} at {string.Join(", ", app.Urls)}/v1");
            await app.WaitForShutdownAsync(cancellationToken);
            return ExitCodes.Done;
        }
        catch (Exception failure) when (failure is CheckpointException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.BadInput;
        }
    }
}
