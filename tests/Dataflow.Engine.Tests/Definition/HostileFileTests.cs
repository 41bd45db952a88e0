using System.Text;
using Dataflow.Engine.Diagnostics;
using Dataflow.Prove;

namespace Dataflow.Engine.Tests.Definition;

public sealed class HostileFileTests
{
    private const string Good = "name: p\nstages:\n  a: { uses: io.jsonl, with: { path: n.jsonl } }\n  b: { uses: io.jsonl_sink, from: a, with: { path: o.jsonl } }\n";

    [Fact]
    public void A_billion_laughs_are_one_error()
    {
        var yaml = new StringBuilder("name: p\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 20; i++)
        {
            yaml.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        }

        using Compiled compiled = Compiled.From(yaml.ToString());
        Assert.Contains("aliases expanded", Assert.Single(compiled.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Too_deep_and_too_large_files_are_one_error_each()
    {
        using Compiled deep = Compiled.From("name: " + new string('[', 100_000));
        Assert.Contains("nested deeper", Assert.Single(deep.Lines), StringComparison.Ordinal);
        using Compiled large = Compiled.From("# " + new string('x', 20_000_000));
        Assert.Contains("DF0003", Assert.Single(large.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Bom_and_crlf_change_nothing()
    {
        using Compiled compiled = Compiled.From([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Good.Replace("\n", "\r\n", StringComparison.Ordinal))]);
        Assert.Empty(compiled.Lines);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x00, 0x41 })]
    [InlineData(new byte[] { 0x6E, 0x61, 0x6D, 0x65, 0x3A, 0x20, 0xC3, 0x28 })]
    [InlineData(new byte[] { 0x6E, 0x00, 0x61 })]
    public void Bytes_that_are_no_text_are_an_error(byte[] bytes)
    {
        using Compiled compiled = Compiled.From(bytes);
        Assert.NotEmpty(compiled.Errors);
        Assert.All(compiled.Errors, error => Assert.Equal("p.yaml", Path.GetFileName(error.Span!.Value.File)));
    }

    [Fact]
    public void A_byte_that_is_no_UTF_8_is_an_error_at_its_place()
    {
        using Compiled compiled = Compiled.From([0xEF, 0xBB, 0xBF, .. "# é\nname: café"u8, 0xE9, .. Encoding.UTF8.GetBytes("\n" + Good)]);
        Assert.Equal(["p.yaml:2:11: error DF0001: the byte 0xE9 is not UTF-8 (save the file in the encoding UTF-8)"], compiled.Lines);
    }

    [Fact]
    public void An_include_cannot_include_itself()
    {
        using Compiled compiled = Compiled.From(
            "name: p\ninclude: [ { path: f.yaml } ]\nstages:\n  a: { uses: io.jsonl, with: { path: n.jsonl } }\n", null, ("f.yaml", "include: [ { path: f.yaml } ]\nstages: {}\n"));
        Assert.Contains(compiled.Errors, error => error.Code == "DF0011" && Path.GetFileName(error.Span!.Value.File) == "f.yaml");
    }

    /// <summary>Byte and token mutations of the shipped pipelines. DATAFLOW_FUZZ_CASES sets how many.</summary>
    [Fact]
    public void A_mutated_pipeline_is_compiled_or_refused_with_places_and_never_crashes()
    {
        int cases = int.Parse(Environment.GetEnvironmentVariable("DATAFLOW_FUZZ_CASES") ?? "600", System.Globalization.CultureInfo.InvariantCulture);
        byte[][] seeds = Directory.GetFiles(Path.Combine(PluginFolders.Root, "pipelines"), "*.yaml", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Append(Encoding.UTF8.GetBytes(Good)).ToArray();
        int refused = 0;
        for (int i = 0; i < cases; i++)
        {
            var random = new Random(i);
            byte[] mutated = Mutations.Apply(seeds[random.Next(seeds.Length)], random);
            using Compiled compiled = Compiled.From(mutated);
            refused += compiled.Graph is null ? 1 : 0;
            Assert.Equal(compiled.Graph is null, compiled.Errors.Any());
            foreach (Diagnostic error in compiled.Errors)
            {
                Assert.True(error.Span is { Line: >= 1, Column: >= 1 }, $"case {i}: {error} has no place");
            }
        }

        Assert.True(refused > cases / 4, $"only {refused} of {cases} were refused, so the mutations test little");
    }
}
