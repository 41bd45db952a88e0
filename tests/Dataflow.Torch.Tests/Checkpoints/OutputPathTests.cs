using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Merging;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Checkpoints;

/// <summary>Nothing that is there already is lost by writing.</summary>
public sealed class OutputPathTests
{
    private readonly string root = Directory.CreateTempSubdirectory().FullName;

    private string At(string name) => Path.Combine(root, name);

    private string Checkpoint(string name, ulong seed = 1)
    {
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(LlamaTokenizer.Tiny().VocabSize), 0.2, seed);
        ModelCheckpoint.Save(At(name), model, LlamaTokenizer.Tiny());
        return At(name);
    }

    private CheckpointMerge Soup() => new(new MergeRecipe(MergeMethod.Linear), [Checkpoint("models/a"), Checkpoint("models/b", 2)], null);

    private static string Refusal(Action action) => Assert.Throws<CheckpointException>(action).Message;

    private string[] Everything() => Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();

    [Theory]
    [InlineData("models/a", "is the input")]
    [InlineData("models/../models/b/", "is the input")]
    [InlineData("models", "holds the input")]
    [InlineData("models/a/merged", "lies in the input")]
    [InlineData("link", "is the input")]
    [InlineData("link/merged", "lies in the input")]
    [InlineData("round/a", "is the input")]
    public void A_merge_never_writes_onto_its_inputs(string output, string complaint)
    {
        CheckpointMerge merge = Soup();
        Directory.CreateSymbolicLink(At("link"), At("models/a"));
        Directory.CreateSymbolicLink(At("round"), "models");
        string[] before = Everything();
        foreach (ExistingFolder existing in Enum.GetValues<ExistingFolder>())
        {
            Assert.Contains(complaint, Refusal(() => merge.Write(At(output), existing: existing)), StringComparison.Ordinal);
        }

        Assert.Equal(before, Everything());
    }

    [Fact]
    public void A_folder_that_is_not_empty_is_replaced_only_if_asked_and_if_it_holds_a_checkpoint()
    {
        CheckpointMerge merge = Soup();
        string other = Checkpoint("other");
        byte[] kept = File.ReadAllBytes(Path.Combine(other, "model.safetensors"));
        Assert.Contains("not empty", Refusal(() => merge.Write(other)), StringComparison.Ordinal);
        Assert.Equal(kept, File.ReadAllBytes(Path.Combine(other, "model.safetensors")));
        merge.Write(other, existing: ExistingFolder.ReplaceCheckpoint);
        Assert.NotEqual(kept, File.ReadAllBytes(Path.Combine(other, "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(other, CheckpointMerge.ManifestFile)));

        Directory.CreateDirectory(At("thesis/chapters"));
        File.WriteAllText(At("thesis/chapters/1.tex"), "years of work");
        Assert.Contains("something else", Refusal(() => merge.Write(At("thesis"), existing: ExistingFolder.ReplaceCheckpoint)), StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(other, "notes"));
        Assert.Contains("something else", Refusal(() => merge.Write(other, existing: ExistingFolder.ReplaceCheckpoint)), StringComparison.Ordinal);
        File.WriteAllText(At("file"), "x");
        Assert.Contains("a file is there", Refusal(() => merge.Write(At("file"), existing: ExistingFolder.ReplaceCheckpoint)), StringComparison.Ordinal);
        Directory.CreateDirectory(At("empty"));
        merge.Write(At("empty"));
        Assert.DoesNotContain(Everything(), path => path.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public void A_checkpoint_is_never_saved_over_something_else_and_what_a_killed_writer_left_goes()
    {
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(LlamaTokenizer.Tiny().VocabSize), 0.2, 1);
        void Save() => ModelCheckpoint.Save(At("out"), model, LlamaTokenizer.Tiny());
        Directory.CreateDirectory(At("out"));
        File.WriteAllText(At("out/letter.txt"), "dear");
        Assert.Contains("something else", Refusal(Save), StringComparison.Ordinal);
        File.Delete(At("out/letter.txt"));

        // Somebody's own folder under the temporary name stays; one that a kill left half-written does not.
        Directory.CreateDirectory(At(".out.partial"));
        File.WriteAllText(At(".out.partial/letter.txt"), "dear");
        Assert.Contains("in the way", Refusal(Save), StringComparison.Ordinal);
        File.Move(At(".out.partial/letter.txt"), At(".out.partial/.dataflow-partial"));
        Save();
        Save();
        Assert.Equal([At("out")], Directory.GetFileSystemEntries(root));
        Assert.DoesNotContain(Everything(), path => path.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public void An_export_overwrites_no_input_and_nothing_but_a_gguf_file_that_it_was_told_to()
    {
        string model = Checkpoint("model");
        void Export(string path, bool overwrite) => GgufExport.Write(model, At(path), GgufType.F32, overwrite);
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        File.CreateSymbolicLink(At("weights.gguf"), Path.Combine(model, "model.safetensors"));
        foreach (string path in new[] { "model/model.safetensors", "model/config.json", "model", "model/new.gguf", "weights.gguf" })
        {
            Assert.Contains("the input", Refusal(() => Export(path, overwrite: true)), StringComparison.Ordinal);
        }

        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(model, "model.safetensors")));
        Export("model.gguf", overwrite: false);
        Assert.Contains("already", Refusal(() => Export("model.gguf", overwrite: false)), StringComparison.Ordinal);
        Export("model.gguf", overwrite: true);
        File.WriteAllText(At("letter.txt"), "dear");
        Assert.Contains("no GGUF file", Refusal(() => Export("letter.txt", overwrite: true)), StringComparison.Ordinal);
        Assert.Equal("dear", File.ReadAllText(At("letter.txt")));
        Directory.CreateDirectory(At("folder"));
        Assert.Contains("a folder is there", Refusal(() => Export("folder", overwrite: true)), StringComparison.Ordinal);
        Assert.DoesNotContain(Everything(), path => path.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public void Links_that_lead_round_in_a_circle_are_told()
    {
        File.CreateSymbolicLink(At("x"), At("y"));
        File.CreateSymbolicLink(At("y"), At("x"));
        Assert.Contains("circle", Refusal(() => OutputPath.Resolve(At("x/z"))), StringComparison.Ordinal);
    }
}
