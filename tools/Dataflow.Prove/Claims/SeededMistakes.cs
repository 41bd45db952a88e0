using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>Mistakes planted at marked places are all found there, at once and fast.</summary>
internal sealed partial class SeededMistakes : Claim
{
    // «CODE» marks the place right behind it; the marks are taken out before the check.
    private static readonly (string Name, string Text)[] Planted =
    [
        ("ten.yaml", """
            name: ten
            run: { «DF0005»sede: 1, batch_rows: «DF0008»0 }
            vars: { n: 3 }
            models:
              m: { uses: openai, with: { «DF0005»modle: x, model: y } }
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              b: { uses: text.length, from: a, with: { column: «DF0020»txt, min: 1 } }
              c: { uses: text.length, from: a, with: { column: text, min: «DF0006»lots, max: "${var:n}" } }
              d: { uses: «DF0012»text.lenght, from: a }
              e: { uses: data.split, from: a, with: { test: «DF0008»1.5 } }
              f: { uses: io.jsonl_sink, from: «DF0014»a.putt, with: { path: o.jsonl } }
              g: { uses: io.jsonl_sink, from: «DF0013»aa, with: { path: p.jsonl } }
              «DF0007»h: { uses: io.jsonl_sink, from: a, with: { } }
            """),
        ("values.yaml", """
            vars: { word: lots }
            models: { m: { uses: openai, with: { model: x }, limits: { timeout: «DF0006»5 parsecs, retries: «DF0008»-1 } } }
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              b: { uses: text.length, from: a, with: { min: «DF0006»"${var:word}" } }
              c: { uses: text.length, from: a, with: { min: «DF0006»'1', unit: «DF0006»wrods } }
              d: { uses: text.length, from: a, with: { min: «DF0022»5, max: 2 } }
              e: { uses: llm.generate, from: a, concurrency: «DF0008»0, with: { model: m, prompt: x } }
              f: { uses: text.regex, from: a, with: { pattern: «DF0022»"(" } }
              g: { uses: text.length, from: a, max_errors: «DF0006»many, with: { min: 1 } }
              h: { uses: llm.generate, from: a, with: { model: m, prompt: x, temperature: «DF0008»11, samples: «DF0006»1.5 } }
              k: { uses: io.jsonl_sink, from: [b.kept, c.kept, d.kept, e, f.kept, g.kept], with: { path: o.jsonl } }
            """),
        ("references.yaml", """
            include:
              - { path: «DF0004»none.yaml }
              - { path: part.yaml, as: p, vars: { «DF0010»colunm: text } }
            models:
              m: { uses: openai, with: { model: «DF0010»"${var:modle}" } }
              k: { uses: «DF0016»open_ai, with: { model: x } }
              t: { uses: llama, from: «DF0013»trianer }
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              b: { uses: llm.generate, from: a, with: { model: «DF0015»mm, prompt: x } }
              c: { uses: text.length, from: a, with: { min: «DF0010»"${vra:n}" } }
              d: { uses: text.length, «DF0005»form: a, from: a, with: { min: 1 } }
              «DF0009»e-1: { uses: text.length, from: a, with: { min: 1 } }
            «DF0005»stage: {}
            run: «DF0006»3
            """),
        ("part.yaml", """
            vars: { column: text }
            stages:
              rows: { uses: io.jsonl, with: { path: «DF0022»missing.jsonl } }
              keep: { uses: io.jsonl_sink, from: rows, with: { «DF0005»pth: o.jsonl, path: o.jsonl } }
              «DF0007»more: { uses: io.jsonl_sink, with: { path: q.jsonl } }
            """),
        ("shapes.yaml", """
            models: { m: { uses: openai, with: { model: x } } }
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              b: { uses: io.jsonl, with: { path: rows.jsonl, columns: { text: text, id: text } } }
              j: { uses: data.join, from: { left: a, right: b }, with: { "on": [text, «DF0022»id] } }
              u: { uses: io.jsonl_sink, from: [a, «DF0021»b], with: { path: u.jsonl } }
              g: { uses: llm.generate, from: a, with: { model: m, prompt: «DF0022»"{{ messages }}" } }
              h: { uses: llm.generate, from: a, with: { model: m, prompt: «DF0020»"{{ txt }}" } }
              i: { uses: llm.generate, from: a, with: { model: m, prompt: «DF0022»"{{ text" } }
              n: { uses: llm.generate, from: a, with: { model: m, messages: «DF0022»text } }
              w: { uses: data.where, from: a, with: { column: «DF0022»text, min: 1 } }
              v: { uses: data.where, from: a, with: { column: id, in: [1, «DF0022»one] } }
              x: { uses: io.jsonl_sink, from: a, with: { path: x.jsonl } }
              y: { uses: io.jsonl_sink, from: a, with: { path: «DF0022»./x.jsonl } }
              z: { uses: io.jsonl_sink, from: «DF0014»x, with: { path: z.jsonl } }
              s: { uses: train.sft, from: a, with: { init: «DF0017»m } }
              t: { uses: io.jsonl, «DF0002»uses: io.csv, with: { path: rows.jsonl } }
              k: { uses: io.jsonl_sink, from: [j, g, h, i, n, w.kept, t], with: { path: k.jsonl } }
            """),
        ("circle.yaml", """
            stages:
              a: { uses: io.jsonl, with: { path: rows.jsonl } }
              «DF0019»b: { uses: text.length, from: [a, c.kept], with: { min: 1 } }
              c: { uses: text.length, from: b.kept, with: { min: 1 } }
            """),
        ("broken.yaml", "stages:\n  a: { uses: io.jsonl }\n«DF0001»\tb: { uses: x }\n"),
        ("empty.yaml", "«DF0001»# nothing\n"),
    ];

    public override string Name => "mistakes";

    public override string Promise => "50 mistakes planted in 8 files, ten in one, are all reported at their file:line:column, in under a second, with exit code 2";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        using var command = new DataflowCommand();
        command.Write("rows.jsonl", """{"text": "a", "id": 1, "messages": [{"role": "user", "content": "q"}]}""" + "\n");
        var expected = new List<string>();
        foreach ((string name, string text) in Planted)
        {
            command.Write(name, Mark().Replace(text, ""));
            expected.AddRange(Places(name, text));
        }

        string[] files = Planted.Select(file => file.Name).Where(name => name != "part.yaml").ToArray();
        string[] arguments = ["check", "--no-environment", .. files];
        CommandResult result = await command.RunAsync(arguments);
        string[] found = Reported().Matches(result.Error).Select(match => match.Groups[1].Value + " " + match.Groups[2].Value).ToArray();
        foreach (string missing in expected.Except(found))
        {
            await output.WriteLineAsync($"MISSING {missing}");
        }

        foreach (string extra in found.Except(expected))
        {
            await output.WriteLineAsync($"NOT PLANTED {result.Error.Split('\n').First(line => line.StartsWith(extra.Split(' ')[0] + ":", StringComparison.Ordinal))}");
        }

        double[] seconds = await TimesAsync(command, arguments, scale == Scale.Full ? 11 : 3);
        double median = seconds[seconds.Length / 2];
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{expected.Count} planted, {found.Intersect(expected).Count()} found, {found.Except(expected).Count()} others; exit {result.ExitCode}; warm: median {median:0.00} s of {seconds.Length}, best {seconds[0]:0.00}, worst {seconds[^1]:0.00}"));
        // In the suite the processors are busy with other tests, and what a clock says means nothing.
        return expected.Count == 50 && expected.Order().SequenceEqual(found.Order()) && result.ExitCode == 2 && (scale == Scale.Small || median < 1);
    }

    private static async Task<double[]> TimesAsync(DataflowCommand command, string[] arguments, int times)
    {
        var seconds = new double[times];
        for (int i = 0; i < times; i++)
        {
            var clock = Stopwatch.StartNew();
            await command.RunAsync(arguments);
            seconds[i] = clock.Elapsed.TotalSeconds;
        }

        System.Array.Sort(seconds);
        return seconds;
    }

    private static IEnumerable<string> Places(string name, string text)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            foreach (Match mark in Mark().Matches(lines[i]))
            {
                int column = Mark().Replace(lines[i][..mark.Index], "").Length + 1;
                yield return string.Create(CultureInfo.InvariantCulture, $"{name}:{i + 1}:{column} {mark.Groups[1].Value}");
            }
        }
    }

    [GeneratedRegex("«(DF[0-9]{4})»")]
    private static partial Regex Mark();

    [GeneratedRegex(@"(?m)^(\S+:\d+:\d+): error (DF\d{4})")]
    private static partial Regex Reported();
}
