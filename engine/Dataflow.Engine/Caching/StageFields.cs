using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Caching;

/// <summary>
/// What a stage's results hang on besides the rows: contract and stage version, the plugin's content, options, the
/// contents of files they name, seed, threads, identities of the models. Never a secret: values are redacted where they are kept.
/// </summary>
/// <param name="Values">With the <see cref="Origins"/>, which are not in the hash.</param>
internal sealed record StageFields(IReadOnlyDictionary<string, string> Values, string Hash)
{
    private static readonly string Contract = typeof(IStage).Assembly.GetName().Version!.ToString(2);

    /// <summary>The stage's own seed, made of the <see cref="Origins"/> and its name.</summary>
    public const string Seed = "seed";

    /// <summary>What the seed was made of: it says nothing to people, and these do.</summary>
    public static IReadOnlyList<string> Origins { get; } = ["epoch", "run seed"];

    /// <param name="origins">Values of the <see cref="Origins"/>.</param>
    public static StageFields Of(
        StageNode node, ulong seed, IReadOnlyList<string> origins, int threads, IReadOnlyDictionary<string, string> modelIdentities, Func<string, string> resolvePath, SecretRegistry secrets)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["contract"] = Contract,
            ["stage"] = node.Descriptor.Name,
            ["stage version"] = node.Descriptor.Version.ToString(CultureInfo.InvariantCulture),
            ["plugin content"] = node.Descriptor.Plugin.Hash,
            [Seed] = seed.ToString("x16", CultureInfo.InvariantCulture),
            ["threads"] = threads.ToString(CultureInfo.InvariantCulture),
        };
        foreach (PropertyInfo property in node.Options.GetType().GetProperties().Where(property => property.CanRead && property.GetIndexParameters().Length == 0 && property.Name != "EqualityContract"))
        {
            string name = SnakeCase.From(property.Name);
            object? value = property.GetValue(node.Options);
            values["option " + name] = JsonSerializer.Serialize(value, property.PropertyType);
            if (value is string path && property.GetCustomAttribute<PathOptionAttribute>() is not null)
            {
                values["file " + name] = FileContent(resolvePath(path));
            }
        }

        foreach ((string parameter, string identity) in modelIdentities)
        {
            values["model " + SnakeCase.From(parameter)] = identity;
        }

        string text = string.Join('\n', values.Select(pair => $"{pair.Key}={pair.Value}"));
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        foreach ((string name, string value) in Origins.Zip(origins))
        {
            values[name] = value;
        }

        return new StageFields(values.ToDictionary(pair => pair.Key, pair => secrets.Redact(pair.Value), StringComparer.Ordinal), hash);
    }

    private static string FileContent(string path)
    {
        if (!File.Exists(path))
        {
            return "none";
        }

        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
