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
    public void A_plugin_there_twice_is_one_error_that_names_its_stages()
    {
        Copy("Alpha", "Alpha");
        (_, Diagnostic[] diagnostics) = Load(PluginFolders.Test("Alpha"), folder);
        Diagnostic error = Assert.Single(diagnostics);
        Assert.Equal("DF0042", error.Code);
        Assert.Contains("the names 'alpha.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_plugin_stops_only_a_pipeline_that_may_need_it()
    {
        File.WriteAllBytes(Copy("Alpha", "Alpha"), Encoding.UTF8.GetBytes("not a dll at all"));
        var ofPlugins = new DiagnosticBag();
        PluginCatalog catalog = PluginCatalog.Load([PluginFolders.BuiltIn, PluginFolders.Test("Collider"), folder], ofPlugins);
        Assert.Equal(["DF0040", "DF0042"], ofPlugins.All.Select(diagnostic => diagnostic.Code).Order());

        Assert.Empty(Errors("data.limit, from: n, with: { n: 1 }"));
        Diagnostic unknown = Assert.Single(Errors("alpha.head, from: n"));
        Assert.Contains("mend the plugin Alpha, which could not be loaded", unknown.Hint, StringComparison.Ordinal);
        Diagnostic twice = Assert.Single(Errors("text.length, from: n, with: { column: text, min: 1 }"));
        Assert.Contains("two plugins offer 'text.length'", twice.Message, StringComparison.Ordinal);

        Diagnostic[] Errors(string stage)
        {
            string file = Path.Combine(folder, "p.yaml");
            File.WriteAllText(Path.Combine(folder, "n.jsonl"), "{\"text\": \"x\"}\n");
            File.WriteAllText(file, $"stages:\n  n: {{ uses: io.jsonl, with: {{ path: n.jsonl }} }}\n  s: {{ uses: {stage} }}\n");
            LoadResult loaded = PipelineLoader.Load(file, new LoadOptions());
            loaded.Diagnostics.AddPlugins(ofPlugins);
            GraphCompiler.Compile(loaded.Definition!, catalog, loaded.Diagnostics);
            return [.. loaded.Diagnostics.All.Where(diagnostic => diagnostic.Severity == Severity.Error)];
        }
    }

    [Fact]
    public void A_folder_without_its_dll_is_a_warning_and_an_empty_or_absent_one_is_told_apart()
    {
        string dll = Copy("Alpha", "Alpha");
        File.Move(dll, Path.Combine(folder, "Alpha", "Other.dll"));
        Directory.CreateDirectory(Path.Combine(folder, "Empty"));
        (_, Diagnostic[] diagnostics) = Load(folder);
        Assert.Equal(["Alpha holds no Alpha.dll", "Empty holds no Empty.dll"], diagnostics.Select(diagnostic => Path.GetFileName(diagnostic.Message)));
        Assert.All(diagnostics, diagnostic => Assert.Equal(Severity.Warning, diagnostic.Severity));
        (_, diagnostics) = Load(Path.Combine(folder, "Empty"));
        Assert.EndsWith("Empty holds no plugins", Assert.Single(diagnostics).Message, StringComparison.Ordinal);
        (_, diagnostics) = Load(Path.Combine(folder, "absent"));
        Assert.Contains("does not exist", Assert.Single(diagnostics).Message, StringComparison.Ordinal);
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
