using System.Text.Json.Nodes;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Tests;

/// <summary>What config.json may say of rotary embeddings and heads, and what is refused by name.</summary>
public sealed class LlamaConfigTests
{
    private const string Llama3 = """{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}""";

    private static LlamaConfig Parse(params (string Field, string? Value)[] changes)
    {
        var root = (JsonObject)JsonNode.Parse("""
            { "model_type": "llama", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 128 }
            """)!;
        foreach ((string field, string? value) in changes)
        {
            root[field] = value is null ? null : JsonNode.Parse(value);
        }

        return LlamaConfig.Parse(root.ToJsonString());
    }

    private static string Refusal(params (string Field, string? Value)[] changes) => Assert.Throws<CheckpointException>(() => Parse(changes)).Message;

    [Fact]
    public void Rope_parameters_say_what_rope_theta_and_rope_scaling_say()
    {
        LlamaConfig old = Parse(("rope_theta", "500000.0"), ("rope_scaling", Llama3));
        LlamaConfig renewed = Parse(("rope_parameters", Llama3.Replace("{", """{"rope_theta": 500000.0, """, StringComparison.Ordinal)));
        Assert.Equal(new RopeScaling(8, 1, 4, 64), old.RopeScaling);
        Assert.Equal(old, renewed);
        Assert.Equal(Parse(("rope_theta", "500000.0")), Parse(("rope_parameters", """{"rope_theta": 500000.0, "rope_type": "default"}""")));
        Assert.Equal(old, Parse(("rope_theta", "500000.0"), ("rope_scaling", Llama3), ("rope_parameters", Llama3)));
        Assert.Equal(10_000, Parse().RopeTheta);
    }

    [Theory]
    [InlineData("yarn")]
    [InlineData("linear")]
    [InlineData("dynamic")]
    [InlineData("longrope")]
    public void Another_type_of_rotary_embedding_is_refused_by_name_in_either_place(string type)
    {
        foreach (string place in new[] { "rope_parameters", "rope_scaling" })
        {
            foreach (string key in new[] { "rope_type", "type" })
            {
                string refusal = Refusal((place, $$"""{"{{key}}": "{{type}}", "factor": 2.0, "rope_theta": 10000.0}"""));
                Assert.Contains($"{place} of type '{type}' is not supported", refusal, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("rope_scaling", "\"linear\"", "'rope_scaling' must be an object, and is \"linear\"")]
    [InlineData("rope_parameters", "8.0", "'rope_parameters' must be an object, and is 8.0")]
    [InlineData("rope_scaling", """{"rope_type": "llama3"}""", "rope_scaling of type llama3 needs 'factor', which is missing")]
    [InlineData("rope_parameters", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1}""", "rope_parameters of type llama3 needs 'high_freq_factor', which is missing")]
    [InlineData("rope_scaling", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}""", "'original_max_position_embeddings' must be a positive whole number")]
    [InlineData("rope_scaling", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "original_max_position_embeddings": 64}""", "a high_freq_factor above the low_freq_factor")]
    [InlineData("rope_parameters", """{"full_attention": {"rope_type": "default"}}""", "of its own for 'full_attention'")]
    [InlineData("rope_parameters", """{"rope_type": "default", "partial_rotary_factor": 0.5}""", "partial_rotary_factor 0.5 is not supported")]
    [InlineData("sliding_window", "-1", "'sliding_window' must be a positive whole number")]
    public void A_field_that_makes_no_sense_is_told(string field, string value, string complaint) =>
        Assert.Contains(complaint, Refusal((field, value), ("use_sliding_window", "true")), StringComparison.Ordinal);

    [Fact]
    public void Two_places_that_disagree_are_told()
    {
        Assert.Contains("say different things", Refusal(("rope_theta", "10000.0"), ("rope_parameters", """{"rope_theta": 500000.0}""")), StringComparison.Ordinal);
        Assert.Contains("say different things", Refusal(("rope_scaling", Llama3), ("rope_parameters", """{"rope_type": "default"}""")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("head_dim", "7", "a head has 7 features")]
    [InlineData("head_dim", null, "hidden_size 32 is no multiple of num_attention_heads 6")]
    [InlineData("num_key_value_heads", "4", "num_attention_heads 6 is no multiple of num_key_value_heads 4")]
    public void Heads_that_do_not_come_out_even_are_told(string field, string? value, string complaint) =>
        Assert.Contains(complaint, Refusal(("num_attention_heads", "6"), (field, value)), StringComparison.Ordinal);
}
