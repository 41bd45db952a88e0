using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Dataflow.Prove;

/// <summary>kill -9 loses nothing, doubles nothing and pays for nothing twice, whatever the graph.</summary>
internal sealed class EngineKills : Claim
{
    private static readonly (int Rows, int Capacity)[] Shapes = [(7, 1), (64, 4), (1000, 8), (1, 1)];

    public override string Name => "engine-kills";

    public override string Promise => "100 kill -9s over a pipeline with fan-out, filter, join, aggregate, trainer and failing rows: outputs, errors and weights equal the undisturbed run's, and no journalled call is made twice";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int wanted = scale == Scale.Full ? 100 : 5;
        int documents = scale == Scale.Full ? 600 : 150;
        var attempts = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var journalled = new ConcurrentDictionary<string, byte>(StringComparer.Ordinal);
        int repeated = 0;
        await using var endpoint = new ScriptedEndpoint(call =>
        {
            repeated += journalled.ContainsKey(Answer(call)) ? 1 : 0;
            return Reply(call, attempts.AddOrUpdate(Answer(call), 1, (_, n) => n + 1));
        });
        using var command = new DataflowCommand();
        WriteInputs(command, documents);
        command.Write("kills.yaml", Pipeline(endpoint.Address));
        var clock = Stopwatch.StartNew();
        CommandResult whole = await command.RunAsync(Arguments("whole", Shapes[0]));
        double seconds = clock.Elapsed.TotalSeconds;
        if (whole.ExitCode != 0)
        {
            await output.WriteLineAsync(whole.All);
            return false;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"undisturbed: {seconds:0.0} s, {endpoint.Calls.Count} requests"));
        int kills = 0;
        bool same = true;
        var random = new Random(5);
        for (int round = 0; kills < wanted && round < wanted; round++)
        {
            string run = $"killed{round}";
            attempts.Clear();
            journalled.Clear();
            (int killed, CommandResult last) = await Killing.KillAndResumeAsync(
                command, run, Arguments(run, Shapes[round % Shapes.Length]), wanted - kills, () => 0.5 + (random.NextDouble() * seconds * 0.7),
                (_, _) => Journalled(Path.Combine(command.Folder, "runs", run, "journal.db"), journalled));
            kills += killed;
            await output.WriteLineAsync($"round {round}, batches of {Shapes[round % Shapes.Length].Rows}: {killed} kills, exit {last.ExitCode}, {journalled.Count} calls journalled before the last attempt");
            if (last.ExitCode != 0)
            {
                await output.WriteLineAsync(last.All);
                return false;
            }

            same &= Killing.Same(Path.Combine(command.Folder, "runs/whole"), Path.Combine(command.Folder, "runs", run), ["out", "artifacts", "rejects"], output);
        }

        await output.WriteLineAsync($"{kills} kills; {repeated} journalled calls seen again");
        return same && kills >= wanted && repeated == 0;
    }

    private static string[] Arguments(string run, (int Rows, int Capacity) shape) =>
    [
        "run", "kills.yaml", "--run-id", run, "--no-cache", "--set", $"rows={shape.Rows}", "--set", $"capacity={shape.Capacity}",
    ];

    private static void WriteInputs(DataflowCommand command, int documents)
    {
        command.Write("documents.jsonl", string.Concat(Enumerable.Range(0, documents).Select(i => $$"""{"prompt": "document {{i}}", "topic": {{i % 30}}}""" + "\n")));
        command.Write("topics.jsonl", string.Concat(Enumerable.Range(0, 25).Select(i => $$"""{"topic": {{i}}, "title": "topic {{i}}"}""" + "\n")));
    }

    private static string Pipeline(string address) => $$$"""
        name: kills
        vars: { rows: 10, capacity: 2 }
        run: { seed: 3, max_errors: 50%, batch_rows: "${var:rows}", block_capacity: "${var:capacity}" }
        models:
          teacher: { uses: openai, with: { endpoint: "{{{address}}}", model: scripted }, limits: { concurrency: 16 } }
        stages:
          documents: { uses: io.jsonl, with: { path: documents.jsonl } }
          topics:    { uses: io.jsonl, with: { path: topics.jsonl } }
          ask:       { uses: llm.generate, from: documents, with: { model: teacher, samples: 2 } }
          short:     { uses: text.length, from: ask, with: { column: response, max: 40 } }
          joined:    { uses: data.join, from: { left: short.kept, right: topics }, with: { on: [topic], how: left } }
          mixed:     { uses: data.shuffle, from: joined }
          again:     { uses: llm.generate, from: mixed, with: { model: teacher, prompt: "again {{ response }}", output: second } }
          dialogs:   { uses: chat.messages, from: again, with: { assistant: "{{ second | slice: 0, 20 }}" } }
          model:
            uses: train.lm
            from: dialogs
            with: { shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 128 }, steps: 60, batch_size: 8, max_length: 128, learning_rate: 0.01, checkpoint_every: 10 }
          keep:      { uses: io.jsonl_sink, from: [again, short.rejected], with: { path: "${run:folder}/out/keep.jsonl", row_id: id } }
          failed:    { uses: io.jsonl_sink, from: [ask.errors, again.errors], with: { path: "${run:folder}/out/failed.jsonl" } }
          losses:    { uses: io.parquet_sink, from: model, with: { path: "${run:folder}/out/losses.parquet" } }
        """;

    private static string Answer(EndpointCall call) => $"{call.Prompt} by {call.Seed}";

    // Every ninth document is refused for good, every seventh call fails once, every fifth answer is long; answers take 2 to 20 ms.
    private static EndpointReply Reply(EndpointCall call, int attempt)
    {
        int kind = (int)((ulong)(call.Seed ?? 0) % 35);
        Thread.Sleep(2 + (kind / 2));
        int document = int.Parse(call.Prompt.Split(' ')[^(call.Prompt.StartsWith("again", StringComparison.Ordinal) ? 3 : 1)], CultureInfo.InvariantCulture);
        return document % 9 == 0 ? new EndpointReply("", 400)
            : kind % 7 == 0 && attempt == 1 ? new EndpointReply("", 500)
            : new EndpointReply(Answer(call) + (kind % 5 == 0 ? new string('x', 40) : ""));
    }

    // Responses in the journal, by their text: these were paid for and must not be asked for again.
    private static void Journalled(string journal, ConcurrentDictionary<string, byte> answers)
    {
        if (!File.Exists(journal))
        {
            return;
        }

        using var connection = new SqliteConnection($"Data Source={journal};Pooling=False");
        connection.Open();
        using SqliteCommand query = connection.CreateCommand();
        query.CommandText = "SELECT json_extract(response, '$.messages[0].contents[0].text') FROM calls";
        using SqliteDataReader rows = query.ExecuteReader();
        while (rows.Read())
        {
            answers.TryAdd(rows.GetString(0).TrimEnd('x'), 0);
        }
    }
}
