using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>What a second run pays for, counted at the endpoint.</summary>
internal sealed partial class Caches : Claim
{
    // A row stage that asks a model and adds something of its own, which a later version of it changes.
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <EnableDynamicLoading>true</EnableDynamicLoading>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Dataflow.Abstractions" Version="0.1.0" ExcludeAssets="runtime" />
          </ItemGroup>
        </Project>
        """;

    private const string Source = """
        using Dataflow.Abstractions;
        using Microsoft.Extensions.AI;

        [Stage("teller.ask", "Asks a model about each row.")]
        public sealed class Ask(AskOptions options, IChatClient model) : IRowStage, IStage<AskOptions>
        {
            public static void Declare(AskOptions options, StageDeclaration declaration)
            {
                declaration.Require(options.Column, "column", StageInputs.Default, "text");
                declaration.Out(declaration.Input.With(("told", Columns.Text)));
            }

            public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
            {
                ChatResponse response = await model.GetResponseAsync([new ChatMessage(ChatRole.User, "tell " + row.Text(options.Column))], null, cancellationToken);
                output.Emit("out", ("told", response.Text + "MARK"));
            }
        }

        public sealed record AskOptions
        {
            public required string Column { get; init; }

            [ModelReference(typeof(IChatClient))]
            public required string Model { get; init; }
        }
        """;

    public override string Name => "caches";

    public override string Promise => "a second run pays nothing, one row more costs one call a stage, editing a stage reruns it and what follows, a plugin rebuilt with other code pays no response again, and rebuilt without change reruns nothing";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int rows = scale == Scale.Full ? 100_000 : 300;
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply("about " + call.Prompt));
        using var command = new DataflowCommand();
        var project = new PluginProject(command, "Teller", Project, output);
        project.Write("Ask.cs", Source.Replace("MARK", "!", StringComparison.Ordinal));
        if (!await project.PrepareAsync() || !await project.BuildAsync())
        {
            return false;
        }

        WriteRows(command, rows);
        command.Write("p.yaml", Pipeline(endpoint.Address, "again {{ told }}"));
        bool holds = true;
        async Task StepAsync(string what, int calls, int first, int second)
        {
            int before = endpoint.Calls.Count;
            CommandResult run = await command.RunAsync("run", "p.yaml", "--plugins", project.PluginsFolder, "--runs", "runs");
            (int gotFirst, int gotSecond) = (Computed(run.Output, "first", rows), Computed(run.Output, "second", rows));
            int paid = endpoint.Calls.Count - before;
            bool good = run.ExitCode == 0 && paid == calls && gotFirst == first && gotSecond == second;
            holds &= good;
            await output.WriteLineAsync($"{what}: {paid} calls, {gotFirst} and {gotSecond} rows computed{(good ? "" : $"; EXPECTED {calls} calls, {first} and {second} rows\n{run.All}")}");
        }

        await StepAsync("first run", 2 * rows, rows, rows);
        await StepAsync("again", 0, 0, 0);
        WriteRows(command, ++rows);
        await StepAsync("one row more", 2, 1, 1);
        command.Write("p.yaml", Pipeline(endpoint.Address, "once more {{ told }}"));
        await StepAsync("second stage edited", rows, 0, rows);
        holds &= await project.BuildAsync();
        await StepAsync("plugin rebuilt without change", 0, 0, 0);
        project.Write("Ask.cs", Source.Replace("MARK", " ", StringComparison.Ordinal).Replace("response.Text + \" \"", "response.Text.Trim() + \"!\"", StringComparison.Ordinal));
        holds &= await project.BuildAsync();
        await StepAsync("plugin rebuilt with other code, same results", 0, rows, 0);
        return holds;
    }

    private static void WriteRows(DataflowCommand command, int rows) =>
        // New rows come first, so that all others move.
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, rows).Reverse().Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));

    private static string Pipeline(string address, string prompt) => $$$"""
        name: caches
        models: { m: { uses: openai, with: { endpoint: "{{{address}}}", model: scripted }, limits: { concurrency: 32 } } }
        stages:
          rows:   { uses: io.jsonl, with: { path: rows.jsonl } }
          first:  { uses: teller.ask, from: rows, with: { model: m, column: text } }
          second: { uses: llm.generate, from: first, with: { model: m, prompt: "{{{prompt}}}" } }
          keep:   { uses: io.parquet_sink, from: second, with: { path: "${run:folder}/keep.parquet" } }
        """;

    // Rows in, less those that came from the cache.
    private static int Computed(string output, string stage, int rows)
    {
        Match line = Regex.Match(output, $@"done {stage}: (\d+) rows.*");
        Match cached = FromCache().Match(line.Value);
        return line.Success ? int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture) - (cached.Success ? int.Parse(cached.Groups[1].Value, CultureInfo.InvariantCulture) : 0) : -rows;
    }

    [GeneratedRegex(@"(\d+) from the cache")]
    private static partial Regex FromCache();
}
