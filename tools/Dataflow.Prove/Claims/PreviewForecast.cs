using System.Globalization;
using System.Text.Json.Nodes;

namespace Dataflow.Prove;

/// <summary>What preview says of the whole is what the run then does.</summary>
internal sealed class PreviewForecast : Claim
{
    private double tolerance;

    public override string Name => "preview-forecast";

    public override string Promise => "preview forecasts rows, tokens and time of five pipelines within 20%";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        // Of few rows a share is known less well: a third of 150, give or take an eighth of it.
        tolerance = scale == Scale.Full ? 0.2 : 0.4;
        await using var endpoint = new ScriptedEndpoint(Answer);
        bool holds = true;
        int size = scale == Scale.Full ? 10 : 1;
        foreach (Shape shape in Shapes(endpoint.Address, size))
        {
            using var command = new DataflowCommand();
            WriteTexts(command, scale == Scale.Full ? 300_000 : 6000, 300 * size);
            command.Write("p.yaml", shape.Yaml);
            CommandResult preview = await command.RunAsync("preview", "p.yaml", "-n", shape.Sample.ToString(CultureInfo.InvariantCulture), "--json");
            CommandResult run = await command.RunAsync("run", "p.yaml", "--run-id", "r", "--json", "--no-cache");
            if (preview.ExitCode != 0 || run.ExitCode != 0)
            {
                await output.WriteLineAsync(preview.All + run.All);
                return false;
            }

            JsonNode forecast = Events(preview, "forecast").Single();
            JsonNode end = Events(run, "end").Last();
            JsonNode usage = end["usage"]!;
            double seconds = Number(JsonNode.Parse(command.Read("runs/r/manifest.json"))!["seconds"]);
            holds &= await RowsAsync(shape.Name, forecast, end, output);
            holds &= await WithinAsync($"{shape.Name}: tokens", Number(forecast["input_tokens"]) + Number(forecast["output_tokens"]), Number(usage["input_tokens"]) + Number(usage["output_tokens"]), output);
            // In the suite the processors are busy with other tests, and what a clock says means nothing.
            bool timely = await WithinAsync($"{shape.Name}: seconds", Number(forecast["seconds"]), seconds, output, slack: 0);
            holds &= timely || scale == Scale.Small;
        }

        return holds;
    }

    private async Task<bool> RowsAsync(string name, JsonNode forecast, JsonNode end, TextWriter output)
    {
        bool holds = true;
        Dictionary<string, JsonNode> actual = end["stages"]!.AsArray().ToDictionary(stage => (string)stage!["stage"]!, stage => stage!);
        foreach (JsonNode? stage in forecast["stages"]!.AsArray())
        {
            string of = (string)stage!["stage"]!;
            foreach ((string port, JsonNode? rows) in actual[of]["rows_out"]!.AsObject())
            {
                holds &= await WithinAsync($"{name}: rows {of}.{port}", Number(stage["rows_out"]![port]), Number(rows), output);
            }
        }

        return holds;
    }

    // A row more or less is no mistake of a forecast, however few there are.
    private async Task<bool> WithinAsync(string what, double forecast, double actual, TextWriter output, double slack = 1)
    {
        bool within = Math.Abs(forecast - actual) <= Math.Max(tolerance * actual, slack);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{what,-36} forecast {forecast,10:0.0}  actual {actual,10:0.0}  {(actual > 0 ? 100 * (forecast - actual) / actual : 0),6:+0.0;-0.0}%{(within ? "" : "  OFF")}"));
        return within;
    }

    private static IEnumerable<JsonNode> Events(CommandResult result, string name) =>
        result.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).Where(node => (string?)node["event"] == name);

    private static double Number(JsonNode? node) => node is null ? 0 : double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    // Latency and length hang on the prompt, so that a rerun sees the same.
    private static EndpointReply Answer(EndpointCall call)
    {
        int draw = (int)(uint)(call.Prompt + call.Seed).Aggregate(17u, (hash, c) => (hash * 31) + c) & 0x7FFF;
        return new EndpointReply(string.Join(' ', Enumerable.Repeat(draw % 3 == 0 ? "no" : "yes", 1 + (draw % 20)))) { Delay = TimeSpan.FromMilliseconds(30 + (draw % 240)) };
    }

    private static void WriteTexts(DataflowCommand command, int count, int few)
    {
        var random = new Random(7);
        command.Write("texts.jsonl", string.Concat(Enumerable.Range(0, count).Select(i =>
            $$"""{"id": {{i}}, "key": {{random.Next(count)}}, "text": "{{string.Join(' ', Enumerable.Range(0, 5 + random.Next(60)).Select(_ => "word" + random.Next(500)))}}"}""" + "\n")));
        command.Write("few.jsonl", string.Concat(Enumerable.Range(0, few).Select(i => $$"""{"prompt": "question {{i}}"}""" + "\n")));
    }

    private sealed record Shape(string Name, int Sample, string Yaml);

    private static IEnumerable<Shape> Shapes(string endpoint, int size) =>
    [
        new("filters", 400 * size, """
            stages:
              texts: { uses: io.jsonl, with: { path: texts.jsonl } }
              long:  { uses: text.length, from: texts, with: { unit: words, min: 20 } }
              seven: { uses: text.contains, from: long.kept, with: { any: [word7] } }
              keep:  { uses: io.parquet_sink, from: seven.kept, with: { path: "${run:folder}/o.parquet" } }
              rest:  { uses: io.jsonl_sink, from: [long.rejected, seven.rejected], with: { path: "${run:folder}/r.jsonl" } }
            """),
        new("diamond", 400 * size, """
            stages:
              texts: { uses: io.jsonl, with: { path: texts.jsonl } }
              long:  { uses: text.length, from: texts, with: { unit: words, min: 20 } }
              word:  { uses: text.regex, from: texts, with: { pattern: "word1[0-9]" } }
              both:  { uses: data.join, from: { left: long.kept, right: word.kept }, with: { "on": [id] } }
              mixed: { uses: data.shuffle, from: both }
              some:  { uses: data.limit, from: mixed, with: { n: 1500 } }
              keep:  { uses: io.parquet_sink, from: some, with: { path: "${run:folder}/o.parquet" } }
            """),
        new("samples", 100 + (50 * size), $$$"""
            models: { m: { uses: openai, with: { endpoint: "{{{endpoint}}}", model: x }, limits: { concurrency: 16 } } }
            stages:
              few:   { uses: io.jsonl, with: { path: few.jsonl } }
              ask:   { uses: llm.generate, from: few, with: { model: m, samples: 3 } }
              good:  { uses: text.contains, from: ask, with: { column: response, any: ["yes"] } }
              keep:  { uses: io.jsonl_sink, from: good.kept, with: { path: "${run:folder}/o.jsonl" } }
            """),
        new("chain", 100 + (50 * size), $$$"""
            models: { m: { uses: openai, with: { endpoint: "{{{endpoint}}}", model: x }, limits: { concurrency: 24 } } }
            stages:
              few:   { uses: io.jsonl, with: { path: few.jsonl } }
              ask:   { uses: llm.generate, from: few, concurrency: 12, with: { model: m } }
              good:  { uses: text.contains, from: ask, with: { column: response, any: ["yes"] } }
              check: { uses: llm.generate, from: good.kept, concurrency: 8, with: { model: m, prompt: "Is this right: {{ prompt }} {{ response }}", output: verdict } }
              keep:  { uses: io.jsonl_sink, from: check, with: { path: "${run:folder}/o.jsonl" } }
            """),
        new("training", 100, $$$"""
            models: { tiny: { uses: llama, from: train } }
            stages:
              tasks: { uses: prompts.template, with: { count: {{{1000 * size}}}, tasks: [ { name: add, weight: 1, variables: { a: { int: [0, 99] }, b: { int: [0, 99] } }, prompt: "{{ a }}+{{ b }}", answer: "{{ a | plus: b }}" } ] } }
              chats: { uses: chat.messages, from: tasks, with: { assistant: "{{ answer }}" } }
              train: { uses: train.lm, from: chats, with: { shape: { hidden_size: 64, layers: 2, heads: 4, kv_heads: 2, context: 64 }, steps: {{{60 * size}}}, batch_size: 32, max_length: 64, packing: false } }
              some:  { uses: data.limit, from: tasks, with: { n: {{{200 * size}}} } }
              ask:   { uses: llm.generate, from: some, with: { model: tiny, max_tokens: 8 } }
              keep:  { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/o.jsonl" } }
            """),
    ];
}
