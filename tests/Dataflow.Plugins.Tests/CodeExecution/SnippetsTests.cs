using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

public sealed class SnippetsTests
{
    private static SnippetsOptions Options(TestFolder folder, int count, SnippetUnit unit = SnippetUnit.Lines) => new() { Folders = [folder.Path], Count = count, MinLines = 2, MaxLines = 6, Unit = unit };

    private static TestFolder Sources()
    {
        var folder = new TestFolder();
        folder.Write("a.py", "import os\n\n@cached\ndef first(numbers):\n    total = sum(numbers)\n\n    return total\n\nclass Second:\n    value = 'one two three'\n    other = 'four five six'\n\nprint(first([1]))\n");
        folder.Write("b.cs", "namespace X;\n\npublic static int Third(int number)\n{\n    if (number > 0) {\n        return number;\n    }\n    return 0;\n}\n");
        folder.Write("c.txt", "no source at all here\nneither is this one\n");
        folder.Write("d.py", "binary\0binary binary\nbinary binary binary\n");
        return folder;
    }

    [Fact]
    public async Task Snippets_are_new_each_time_and_the_same_for_the_same_seed()
    {
        using TestFolder folder = Sources();
        List<OutRow> rows = await Stages.SourceAsync<Snippets, SnippetsOptions>(new Snippets(Options(folder, 12)), Options(folder, 12), new StageTestContext(folder.Path));
        List<OutRow> again = await Stages.SourceAsync<Snippets, SnippetsOptions>(new Snippets(Options(folder, 12)), Options(folder, 12), new StageTestContext(folder.Path));
        Assert.Equal(rows.Select(row => row["snippet"]), again.Select(row => row["snippet"]));
        Assert.Equal(12, rows.Select(row => row["snippet"]).Distinct().Count());
        Assert.Equal(["a.py", "b.cs"], rows.Select(row => (string)row["path"]!).Distinct().Order());
        Assert.All(rows, row => Assert.StartsWith(((string)row["snippet"]!).Split('\n')[0], File.ReadAllLines(folder.File((string)row["path"]!))[(int)(long)row["line"]! - 1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_definition_is_whole()
    {
        using TestFolder folder = Sources();
        SnippetsOptions options = Options(folder, 3, SnippetUnit.Definition) with { MaxLines = 9 };
        List<OutRow> rows = await Stages.SourceAsync<Snippets, SnippetsOptions>(new Snippets(options), options, new StageTestContext(folder.Path));
        Assert.Equal(
            [
                "@cached\ndef first(numbers):\n    total = sum(numbers)\n\n    return total", "class Second:\n    value = 'one two three'\n    other = 'four five six'",
                "public static int Third(int number)\n{\n    if (number > 0) {\n        return number;\n    }\n    return 0;\n}",
            ],
            rows.Select(row => (string)row["snippet"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_no_more_are_to_be_had_it_says_so_and_ends()
    {
        using TestFolder folder = Sources();
        var context = new StageTestContext(folder.Path);
        SnippetsOptions options = Options(folder, 1000);
        List<OutRow> rows = await Stages.SourceAsync<Snippets, SnippetsOptions>(new Snippets(options), options, context);
        Assert.InRange(rows.Count, 10, 999);
        Assert.Contains(context.Messages, message => message.StartsWith($"{rows.Count} snippets found", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_whose_names_or_contents_are_no_text_are_passed_over()
    {
        using TestFolder folder = Sources();
        await ShellAsync($"cd {folder.Path} && cp a.py $'\\xff\\xfe.py' && mkdir $'\\xfd' && cp a.py $'\\xfd/e.py' && printf '# r\\xe9sultat\\nx = 1\\ny = 2\\n' > latin.py");
        List<OutRow> rows = await Stages.SourceAsync<Snippets, SnippetsOptions>(new Snippets(Options(folder, 12)), Options(folder, 12), new StageTestContext(folder.Path));
        Assert.Equal(["a.py", "b.cs"], rows.Select(row => (string)row["path"]!).Distinct().Order());
        // What cannot be named cannot be removed by us either.
        await ShellAsync($"cd {folder.Path} && rm -r $'\\xff\\xfe.py' $'\\xfd'");
    }

    private static async Task ShellAsync(string command)
    {
        using var shell = System.Diagnostics.Process.Start("/bin/bash", ["-c", command]);
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        var options = new SnippetsOptions { Folders = ["/nowhere", "/usr/nowhere*"], Count = 1, MinLines = 5, MaxLines = 4 };
        Assert.Equal(
            ["folders[0]: there is no folder '/nowhere'", "folders[1]: there is no folder '/usr/nowhere*'", "min_lines: min_lines 5 is larger than max_lines 4"],
            Stages.Complaints<Snippets, SnippetsOptions>(options));
    }
}
