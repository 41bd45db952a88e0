using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Dataflow.Cli.Serving;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TorchSharp;
using static TorchSharp.torch;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow serve CHECKPOINT</c>: a checkpoint behind OpenAI's HTTP interface.</summary>
internal static class ServeCommand
{
    private const string KeyVariable = "DATAFLOW_API_KEY";
    private const int BlockSize = 16;

    // What open connections are given to end after Ctrl-C; streams are cut off at once.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly Argument<string> Checkpoint = new("checkpoint") { Description = "Checkpoint folder in Hugging Face layout." };
    private static readonly Option<string> Host = new("--host") { Description = "Address to listen on, or a name of this machine; 0.0.0.0 or :: for all its addresses.", DefaultValueFactory = _ => "127.0.0.1" };
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
        string folder = parsed.GetValue(Checkpoint)!;
        string host = parsed.GetValue(Host)!;
        try
        {
            IPAddress address = await ListenAddress.ResolveAsync(host, cancellationToken);
            TorchRuntime.SetThreads(parsed.GetValue(Threads));
            using GenerationCheckpoint checkpoint = GenerationCheckpoint.Load(folder, TorchRuntime.Resolve(parsed.GetValue(Device)!));
            using var worker = new GenerationWorker(checkpoint.Model, Blocks(checkpoint.Model, parsed.GetValue(Tokens)), parsed.GetValue(Rows), parsed.GetValue(Threads));
            string name = parsed.GetValue(Name) ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
            await using WebApplication app = Build(new ServedModel(name, checkpoint, worker), address, parsed.GetValue(Port));
            await app.StartAsync(cancellationToken);
            Console.WriteLine($"serving {name} at {string.Join(", ", app.Urls)}/v1");
            Task shutdown = app.WaitForShutdownAsync(cancellationToken);
            if (await Task.WhenAny(shutdown, worker.Completion) == shutdown)
            {
                await shutdown;
                return ExitCodes.Done;
            }

            // Nothing will be answered any more: better that whoever watches the process sees it end.
            Console.Error.WriteLine($"serving has ended: the model cannot go on: {worker.Completion.Exception?.InnerException}");
            await app.StopAsync(CancellationToken.None);
            return ExitCodes.Failed;
        }
        catch (SocketException failure)
        {
            Console.Error.WriteLine($"cannot listen on --host {host} --port {parsed.GetValue(Port)}: {failure.Message}");
            return ExitCodes.BadInput;
        }
        catch (ExternalException failure)
        {
            // What libtorch says when a device is full, without its stack.
            Console.Error.WriteLine($"{folder} cannot be loaded, or its cache: {failure.Message.Split('\n')[0]}");
            return ExitCodes.BadInput;
        }
        catch (Exception failure) when (failure is CheckpointException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.BadInput;
        }
    }

    private static WebApplication Build(ServedModel served, IPAddress address, int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(address, port));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Patience);
        WebApplication app = builder.Build();
        new OpenAiRoutes(served, Environment.GetEnvironmentVariable(KeyVariable)).Map(app);
        return app;
    }

    // The cache is taken as a whole. On a machine that lacks the memory that would end the process, not the allocation.
    private static int Blocks(LlamaModel model, int tokens)
    {
        int blocks = Math.Max(1, tokens / BlockSize);
        ScalarType dtype = model.Parameters.First().Value.dtype;
        long needed = KeyValueBlocks.Bytes(model.Config, blocks, BlockSize, dtype);
        long there = HostMemory.Available();
        if (model.Device.type == DeviceType.CPU && needed > there)
        {
            long most = Math.Max(0, there) / KeyValueBlocks.Bytes(model.Config, 1, BlockSize, dtype) * BlockSize;
            throw new ArgumentException(
                $"--cache-tokens {tokens}: the key-value cache of this model would take {Gigabytes(needed)} of memory, and {Gigabytes(there)} are free; give at most {most}");
        }

        return blocks;
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");
}
