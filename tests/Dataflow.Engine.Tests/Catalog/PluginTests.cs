using System.Text;
using System.Text.Json;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Tests.Catalog;

public sealed class PluginTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dataflow-plugins-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static (PluginCatalog Catalog, Diagnostic[] Diagnostics) Load(params string[] folders)
    {
        var diagnostics = new DiagnosticBag();
        PluginCatalog catalog = PluginCatalog.Load(folders, diagnostics);
        return (catalog, [.. diagnostics.All]);
    }

    // A copy of a test plugin under another name in this test's own folder, beside the unharmed Beta.
    private string Copy(string name, string asName, Func<string, bool>? keep = null)
    {
        foreach ((string from, string to) in new[] { (name, asName), ("Beta", "Beta") })
        {
            Directory.CreateDirectory(Path.Combine(folder, to));
            foreach (string file in Directory.GetFiles(Path.Combine(PluginFolders.Test(from), from)))
            {
                if (from != name || keep is null || keep(Path.GetFileName(file)))
                {
                    File.Copy(file, Path.Combine(folder, to, Path.GetFileName(file).Replace(from + ".", to + ".", StringComparison.Ordinal)), overwrite: true);
                }
            }
        }

        return Path.Combine(folder, asName, asName + ".dll");
    }

    private void OneErrorThatNames(string dll, string code, string word)
    {
        (PluginCatalog catalog, Diagnostic[] diagnostics) = Load(folder);
        Diagnostic error = Assert.Single(diagnostics);
        Assert.Equal((code, Severity.Error), (error.Code, error.Severity));
        Assert.Contains(dll, error.ToString(), StringComparison.Ordinal);
        Assert.Contains(word, error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("beta.stamp", catalog.Stages.Keys);
    }

    [Fact]
    public void A_file_that_is_no_dll_is_one_error_and_the_others_load()
    {
        string dll = Copy("Alpha", "Alpha");
        File.WriteAllBytes(dll, Encoding.UTF8.GetBytes("not a dll at all"));
        OneErrorThatNames(dll, "DF0040", "not a readable .NET assembly");
    }

    [Fact]
    public void A_truncated_dll_is_one_error_and_the_others_load()
    {
        string dll = Copy("Alpha", "Alpha");
        File.WriteAllBytes(dll, File.ReadAllBytes(dll)[..1500]);
        OneErrorThatNames(dll, "DF0040", "not a readable .NET assembly");
    }

    [Fact]
    public void A_dll_of_another_contract_is_refused_before_it_is_loaded()
    {
        string dll = Copy("Alpha", "Alpha");
        // The version of the reference to the contract stands in the assembly's metadata: major, minor, build, revision.
        byte[] bytes = File.ReadAllBytes(dll);
        using (var file = new System.Reflection.PortableExecutable.PEReader(new MemoryStream(bytes)))
        {
            var metadata = System.Reflection.Metadata.PEReaderExtensions.GetMetadataReader(file);
            int size = System.Reflection.Metadata.Ecma335.MetadataReaderExtensions.GetTableRowSize(metadata, System.Reflection.Metadata.Ecma335.TableIndex.AssemblyRef);
            int table = file.PEHeaders.MetadataStartOffset + System.Reflection.Metadata.Ecma335.MetadataReaderExtensions.GetTableMetadataOffset(metadata, System.Reflection.Metadata.Ecma335.TableIndex.AssemblyRef);
            int row = 0;
            foreach (var handle in metadata.AssemblyReferences)
            {
                if (metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "Dataflow.Abstractions")
                {
                    bytes[table + (row * size)] = 9;
                }

                row++;
            }
        }

        File.WriteAllBytes(dll, bytes);
        OneErrorThatNames(dll, "DF0041", "built against contract 9.0, but this host has 1.0");
    }

    [Fact]
    public void A_missing_dependency_is_one_error_that_says_which_file_to_copy()
    {
        string dll = Copy("Alpha", "Alpha", file => !file.StartsWith("Newtonsoft", StringComparison.Ordinal) && !file.EndsWith("deps.json", StringComparison.Ordinal));
        OneErrorThatNames(dll, "DF0040", "Newtonsoft.Json.dll into the plugin's folder");
    }

    [Fact]
    public void A_stage_name_that_is_taken_is_an_error_that_names_both()
    {
        (PluginCatalog catalog, Diagnostic[] diagnostics) = Load(PluginFolders.BuiltIn, PluginFolders.Test("Collider"));
        Diagnostic error = Assert.Single(diagnostics);
        Assert.Equal("DF0042", error.Code);
        Assert.Contains("Collider.dll", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Text.dll", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("Text", catalog.Stages["text.length"].Plugin.Name);
    }

    [Fact]
    public void A_folder_without_its_dll_is_a_warning_and_an_empty_or_absent_one_is_told_apart()
    {
        string dll = Copy("Alpha", "Alpha");
        File.Move(dll, Path.Combine(folder, "Alpha", "Other.dll"));
        Directory.CreateDirectory(Path.Combine(folder, "Empty"));
        (_, Diagnostic[] diagnostics) = Load(folder);
        Assert.Equal(
            [$"warning DF0040: {folder}/Alpha holds no Alpha.dll (a plugin is a folder Name with Name.dll in it)", $"warning DF0040: {folder}/Empty holds no Empty.dll (a plugin is a folder Name with Name.dll in it)"],
            diagnostics.Select(diagnostic => diagnostic.ToString()));
        string none = Directory.CreateDirectory(Path.Combine(folder, "Empty", "None")).FullName;
        (_, diagnostics) = Load(none);
        Assert.Equal((Severity.Warning, $"the plugin folder {none} holds no plugins"), (Assert.Single(diagnostics).Severity, diagnostics[0].Message));
        (_, diagnostics) = Load(Path.Combine(folder, "absent"));
        Assert.Contains("does not exist", Assert.Single(diagnostics).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plugin_whose_names_are_taken_is_one_error_that_names_them_all()
    {
        Copy("Alpha", "Alpha");
        (_, Diagnostic[] diagnostics) = Load(PluginFolders.Test("Alpha"), folder);
        Diagnostic error = Assert.Single(diagnostics, diagnostic => diagnostic.Message.StartsWith(Path.Combine(folder, "Alpha"), StringComparison.Ordinal));
        Assert.Equal("DF0042", error.Code);
        Assert.Contains("'alpha.stamp'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'alpha.trouble'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beta.stamp", false)]
    [InlineData("alpha.trouble", true)]
    public void A_broken_plugin_is_a_warning_to_a_pipeline_that_needs_nothing_of_it(string uses, bool needed)
    {
        File.WriteAllBytes(Copy("Alpha", "Alpha"), Encoding.UTF8.GetBytes("not a dll at all"));
        PluginCatalog catalog = Load(PluginFolders.BuiltIn, folder).Catalog;
        string file = Path.Combine(folder, "p.yaml");
        File.WriteAllText(file, $$"""
            stages:
              rows: { uses: io.jsonl, with: { path: n.jsonl } }
              some: { uses: {{uses}}, from: rows }
              keep: { uses: io.jsonl_sink, from: some, with: { path: o.jsonl } }
            """);
        File.WriteAllText(Path.Combine(folder, "n.jsonl"), "{\"value\": 1}\n");
        LoadResult loaded = PipelineLoader.Load(file, new LoadOptions());
        Diagnostic[] problems = [.. catalog.ProblemsFor(loaded.Definition!)];
        Assert.Equal(needed ? Severity.Error : Severity.Warning, Assert.Single(problems).Severity);
        GraphCompiler.Compile(loaded.Definition!, catalog, loaded.Diagnostics);
        Assert.Equal(
            needed ? [$"{file}:3:17: error DF0012: unknown stage 'alpha.trouble' (it may be in the plugin 'Alpha', of which not all could be loaded)"] : [],
            loaded.Diagnostics.All.Select(diagnostic => diagnostic.ToString()));
    }

    [Theory]
    [InlineData("text.length", Severity.Error)]
    [InlineData("data.dedup", Severity.Warning)]
    public void A_taken_name_is_an_error_to_a_pipeline_that_uses_it(string uses, Severity severity)
    {
        PluginCatalog catalog = Load(PluginFolders.BuiltIn, PluginFolders.Test("Collider")).Catalog;
        string file = Path.Combine(folder, "p.yaml");
        File.WriteAllText(file, $"stages: {{ a: {{ uses: {uses} }} }}");
        Assert.Equal(severity, Assert.Single(catalog.ProblemsFor(PipelineLoader.Load(file, new LoadOptions()).Definition!)).Severity);
    }

    [Fact]
    public void The_hash_of_a_plugin_follows_its_content()
    {
        string dll = Copy("Alpha", "Alpha");
        string before = Load(folder).Catalog.Plugins.Single(plugin => plugin.Name == "Alpha").Hash;
        Assert.Equal(before, Load(folder).Catalog.Plugins.Single(plugin => plugin.Name == "Alpha").Hash);
        File.WriteAllBytes(Path.Combine(folder, "Alpha", "Extra.dll"), [1, 2, 3]);
        Assert.NotEqual(before, Load(folder).Catalog.Plugins.Single(plugin => plugin.Name == "Alpha").Hash);
        Assert.True(File.Exists(dll));
    }

    [Fact]
    public void The_json_schema_knows_every_stage_model_and_option()
    {
        using JsonDocument schema = JsonDocument.Parse(PipelineSchema.Build(PluginFolders.Catalog).ToJsonString());
        string text = schema.RootElement.GetRawText();
        Assert.All(PluginFolders.Catalog.Stages.Keys, name => Assert.Contains($"\"{name}\"", text, StringComparison.Ordinal));
        Assert.All(PluginFolders.Catalog.Models.Keys, name => Assert.Contains($"\"{name}\"", text, StringComparison.Ordinal));
        Assert.Contains("\"learning_rate\"", text, StringComparison.Ordinal);
    }
}
