using System.Text.Json.Nodes;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Text;

/// <summary>A token beside a tokenizer's vocabulary.</summary>
/// <param name="IsSpecial">Whether it is a mark, and no text.</param>
internal sealed record AddedToken(string Spelling, int Id, bool IsSpecial)
{
    /// <exception cref="CheckpointException">Ids that are negative or there twice.</exception>
    public static IReadOnlyList<AddedToken> Read(JsonNode? tokens)
    {
        AddedToken[] all = (tokens?.AsArray() ?? []).Select(token => new AddedToken((string)token!["content"]!, (int)token["id"]!, (bool?)token["special"] ?? false)).ToArray();
        return all.GroupBy(token => token.Id).FirstOrDefault(group => group.Key < 0 || group.Count() > 1) is { } odd
            ? throw new CheckpointException($"tokenizer.json: added_tokens: the id {odd.Key} of '{odd.First().Spelling}' is negative or there twice")
            : all;
    }
}
