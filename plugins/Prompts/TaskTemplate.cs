using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Prompts;

/// <summary>One drawn task.</summary>
internal sealed record GeneratedTask(string Prompt, string? Answer, string? Wrong, string Key);

/// <summary>A task's parsed templates.</summary>
internal sealed class TaskTemplate(TaskOptions options)
{
    private readonly LiquidTemplate prompt = LiquidTemplate.Parse(options.Prompt);
    private readonly LiquidTemplate? answer = Parse(options.Answer);
    private readonly LiquidTemplate? wrong = Parse(options.Wrong);
    private readonly LiquidTemplate? key = Parse(options.Key);
    private readonly Dictionary<string, LiquidTemplate> derived = options.Variables
        .Where(variable => variable.Value.Liquid is not null)
        .ToDictionary(variable => variable.Key, variable => LiquidTemplate.Parse(variable.Value.Liquid!));

    public static void Check(TaskOptions options, string path, StageDeclaration declaration)
    {
        var known = new List<string>();
        foreach ((string name, VariableOptions variable) in options.Variables)
        {
            string place = $"{path}.variables.{name}";
            int kinds = new object?[] { variable.Int, variable.Letters, variable.Choice, variable.Liquid }.Count(kind => kind is not null);
            if (kinds != 1)
            {
                declaration.Error(place, $"variable '{name}' needs one of int, letters, choice, liquid");
            }
            else if (variable.Int is { } range && (range.Count != 2 || range[0] > range[1]) || variable.Letters is { } letters && (letters.Count != 2 || letters[0] < 1 || letters[0] > letters[1]))
            {
                declaration.Error(place, "a range is [low, high]");
            }
            else if (variable.Int is { } wide && (Int128)wide[1] - wide[0] >= 1L << 53)
            {
                // A draw has 53 random bits.
                declaration.Error(place, "a range spans at most 2^53 numbers");
            }
            else if (variable.Choice is { Count: 0 })
            {
                declaration.Error(place, "there is nothing to choose from");
            }

            LiquidTemplate.Check(variable.Liquid, place, declaration, known.ToArray());
            known.Add(name);
        }

        LiquidTemplate.Check(options.Prompt, path + ".prompt", declaration, known.ToArray());
        LiquidTemplate.Check(options.Answer, path + ".answer", declaration, known.ToArray());
        LiquidTemplate.Check(options.Wrong, path + ".wrong", declaration, known.ToArray());
        LiquidTemplate.Check(options.Key, path + ".key", declaration, known.ToArray());
    }

    public GeneratedTask Draw(SeededRandom random)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string name, VariableOptions variable) in options.Variables)
        {
            values[name] = variable switch
            {
                { Int: { } range } => range[0] + (long)(random.NextDouble() * (range[1] - range[0] + 1)),
                { Letters: { } length } => Letters(random, random.Next(length[0], length[1] + 1)),
                { Choice: { } choice } => choice[random.Next(choice.Count)],
                _ => Number(derived[name].Render(values)),
            };
        }

        string text = prompt.Render(values);
        return new GeneratedTask(text, answer?.Render(values), wrong?.Render(values), options.Name + ":" + (key?.Render(values) ?? text));
    }

    private static LiquidTemplate? Parse(string? text) => text is null ? null : LiquidTemplate.Parse(text);

    private static object Number(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : text;

    private static string Letters(SeededRandom random, int count) => string.Create(count, random, (span, source) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = (char)('a' + source.Next(26));
        }
    });
}
