using Dataflow.Torch.Checkpoints;

namespace Dataflow.Torch.Merging;

/// <summary>
/// Which tensors a merge writes, and of what shape. A vocabulary that some models extended is cut: to the base's where
/// there is a base, else to what all have. Other shapes that differ are an error, or leave the base's tensor as it is.
/// </summary>
internal sealed class MergePlan
{
    public const string Embedding = "model.embed_tokens.weight";

    private static readonly string[] Vocabulary = [Embedding, "lm_head.weight"];

    /// <param name="open">The base first where the recipe has one, then the models.</param>
    /// <param name="notes">Told what is cut or left.</param>
    public MergePlan(MergeRecipe recipe, IReadOnlyList<CheckpointWeights> open, List<string> notes)
    {
        Tensors = open[0].Entries.Select(entry => Plan(entry, recipe.NeedsBase, open, notes)).ToArray();
        foreach (CheckpointWeights other in open.Skip(1))
        {
            if (other.Entries.FirstOrDefault(entry => open[0].Find(entry.Name) is null) is SafetensorsEntry extra)
            {
                throw new MergeException($"tensor '{extra.Name}' is not in all checkpoints: are their embeddings tied alike?");
            }
        }
    }

    public TensorPlan[] Tensors { get; }

    /// <summary>True if a stored tensor can be cut to a planned one.</summary>
    public static bool Fits(SafetensorsEntry? stored, TensorPlan planned) =>
        stored is not null && stored.Shape.Length == planned.Shape.Length
        && (Vocabulary.Contains(planned.Name) ? stored.Shape.Zip(planned.Shape).All(pair => pair.First >= pair.Second) : stored.Shape.AsSpan().SequenceEqual(planned.Shape));

    private static TensorPlan Plan(SafetensorsEntry first, bool hasBase, IReadOnlyList<CheckpointWeights> open, List<string> notes)
    {
        SafetensorsEntry[] all = open.Select(weights => weights.Find(first.Name) ?? throw new MergeException($"tensor '{first.Name}' is not in all checkpoints: are their embeddings tied alike?")).ToArray();
        if (all.All(entry => entry.Shape.AsSpan().SequenceEqual(first.Shape)))
        {
            return new TensorPlan(first.Name, first.Dtype, first.Shape);
        }

        string shapes = string.Join(" and ", all.Select(entry => $"[{string.Join(", ", entry.Shape)}]").Distinct());
        if (Vocabulary.Contains(first.Name) && all.All(entry => entry.Shape.Length == 2))
        {
            long[] common = hasBase ? first.Shape : [all.Min(entry => entry.Shape[0]), all.Min(entry => entry.Shape[1])];
            var cut = new TensorPlan(first.Name, first.Dtype, common);
            if (all.All(entry => Fits(entry, cut)))
            {
                notes.Add($"'{first.Name}' is {shapes}: cut to [{string.Join(", ", common)}]");
                return cut;
            }
        }

        if (!hasBase)
        {
            throw new MergeException($"tensor '{first.Name}' is {shapes}");
        }

        notes.Add($"'{first.Name}' is {shapes}: left as in the base");
        return new TensorPlan(first.Name, first.Dtype, first.Shape);
    }
}
