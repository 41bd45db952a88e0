using System.Text.Json.Nodes;

namespace Dataflow.Torch.Models;

/// <summary>Llama 3.1 RoPE frequency scaling.</summary>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPosition);

/// <summary>
/// The rotary embedding of a config.json: <c>rope_theta</c> beside <c>rope_scaling</c>, or all of it in
/// <c>rope_parameters</c> (transformers 5). What is not computed here is refused by name.
/// </summary>
internal sealed record RopeConfig(double Theta, RopeScaling? Scaling)
{
    private const double DefaultTheta = 10_000;

    /// <exception cref="CheckpointException">A type that is not computed, a field that is missing or wrong, or two places that disagree.</exception>
    public static RopeConfig Read(JsonObject root)
    {
        JsonObject? parameters = Object(root, "rope_parameters");
        JsonObject? scaling = Object(root, "rope_scaling");
        double[] thetas = new[] { root, parameters, scaling }.OfType<JsonObject>().Select(node => LlamaConfig.Number(node, "rope_theta")).OfType<double>().Distinct().ToArray();
        RopeScaling? fromParameters = Scaled(parameters, "rope_parameters");
        RopeScaling? fromScaling = Scaled(scaling, "rope_scaling");
        if (thetas.Length > 1 || (parameters is not null && scaling is not null && fromParameters != fromScaling))
        {
            throw new CheckpointException("config.json: rope_theta, rope_parameters and rope_scaling say different things; keep the one that the weights were trained with");
        }

        return new RopeConfig(thetas is [double theta] ? theta : DefaultTheta, fromParameters ?? fromScaling);
    }

    private static JsonObject? Object(JsonObject root, string name) => root[name] switch
    {
        null => null,
        JsonObject node => node,
        JsonNode other => throw new CheckpointException($"config.json: '{name}' must be an object, and is {other.ToJsonString()}"),
    };

    private static RopeScaling? Scaled(JsonObject? node, string name)
    {
        if (node is null)
        {
            return null;
        }

        if (node.FirstOrDefault(pair => pair.Value is JsonObject) is { Key: string layers })
        {
            throw new CheckpointException($"config.json: {name} of its own for '{layers}' is not supported; one for all layers is");
        }

        if (LlamaConfig.Number(node, "partial_rotary_factor") is double share && share != 1)
        {
            throw new CheckpointException($"config.json: {name} with partial_rotary_factor {node["partial_rotary_factor"]!.ToJsonString()} is not supported");
        }

        return ((string?)node["rope_type"] ?? (string?)node["type"]) switch
        {
            null or "default" => null,
            "llama3" => Llama3(node, name),
            string other => throw new CheckpointException($"config.json: {name} of type '{other}' is not supported; default and llama3 are"),
        };
    }

    private static RopeScaling Llama3(JsonObject node, string name)
    {
        double Factor(string field) => LlamaConfig.Number(node, field) ?? throw new CheckpointException($"config.json: {name} of type llama3 needs '{field}', which is missing");
        var scaling = new RopeScaling(Factor("factor"), Factor("low_freq_factor"), Factor("high_freq_factor"), LlamaConfig.Integer(node, "original_max_position_embeddings"));
        return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
            ? scaling
            : throw new CheckpointException($"config.json: {name} needs a high_freq_factor above the low_freq_factor, and has {scaling.HighFrequencyFactor} and {scaling.LowFrequencyFactor}");
    }
}
