using System.Text;
using System.Text.Json;
using Dataflow.Torch.Tests.Checkpoints;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

public sealed class UnicodeCompositionTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("a\u0323\u0302", "\u1EAD")]
    [InlineData("a\u0302\u0323", "\u1EAD")]
    [InlineData("\u212B", "\u00C5")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u0301a", "\u0301a")]
    public void Letters_and_their_marks_become_one(string text, string composed) => Assert.Equal(composed, UnicodeComposition.Compose(text));

    [Fact]
    public void Python_composes_alike()
    {
        // Letters, marks, what is made of them, and parts of syllables, in random order.
        int[] codes = [.. Enumerable.Range(0x20, 0x700), .. Enumerable.Range(0x900, 0x500), .. Enumerable.Range(0x1100, 0x100), .. Enumerable.Range(0x1E00, 0x200), .. Enumerable.Range(0x2126, 8), .. Enumerable.Range(0x3040, 0x60), .. Enumerable.Range(0xAC00, 0x60), .. Enumerable.Range(0xF900, 0x100), .. Enumerable.Range(0x1D15E, 0x20), .. Enumerable.Range(0x11080, 0x40)];
        int[] marks = Enumerable.Range(0x300, 0x70).ToArray();
        var random = new Random(11);
        string[] texts = [.. codes.Select(code => new Rune(code).ToString()), .. Enumerable.Range(0, 4000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(i =>
            new Rune(random.Next(3) == 0 ? marks[random.Next(marks.Length)] : codes[random.Next(codes.Length)]).ToString())))];
        string folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, "texts.json"), JsonSerializer.Serialize(texts));
        Peer.Run("Unicode", "/usr/bin/python3", "compose.py", Path.Combine(folder, "texts.json"), Path.Combine(folder, "composed.json"));
        string[] theirs = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Path.Combine(folder, "composed.json")))!;
        Assert.Equal(theirs, texts.Select(UnicodeComposition.Compose));
        Assert.True(texts.Zip(theirs).Count(pair => pair.First != pair.Second) > 1000);
    }
}
