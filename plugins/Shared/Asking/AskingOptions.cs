using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Asking;

/// <summary>Options of every stage that asks a model.</summary>
public abstract record AskingOptions
{
    [Description("Model to ask."), ModelReference(typeof(IChatClient))]
    public required string Model { get; init; }

    [Description("Sampling temperature; 0 is greedy, absent is the model's default."), Range(0.0, 10.0)]
    public double? Temperature { get; init; }

    [Description("Most tokens of an answer; one that reaches it fails its row with truncated."), Range(1, 1_000_000)]
    public int? MaxTokens { get; init; }
}
