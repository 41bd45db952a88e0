using System.Text.Json.Nodes;
using Dataflow.Sandbox.Analysis;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>A tool that the sandbox cannot start is a problem of this machine, and never a verdict.</summary>
public sealed class LanguageToolTests(LanguagePool shared) : IClassFixture<LanguagePool>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tools").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_tool_is_seen_through_links_within_what_the_sandbox_shows()
    {
        string shown = Shown();
        Directory.CreateDirectory(Path.Combine(shown, "1.2"));
        File.WriteAllText(Path.Combine(shown, "1.2/real"), "");
        File.CreateSymbolicLink(Path.Combine(shown, "current"), "1.2");
        File.CreateSymbolicLink(Path.Combine(shown, "tool"), "current/../current/real");
        Assert.Null(new Tooled(shown, Path.Combine(shown, "tool")).Problem());
        Assert.Null(new Tooled(shown, "/bin/sh").Problem());
    }

    [Fact]
    public void A_link_that_leaves_what_the_sandbox_shows_is_told_with_where_it_leads()
    {
        string shown = Shown();
        string hidden = Path.Combine(folder, "hidden");
        File.WriteAllText(hidden, "");
        File.CreateSymbolicLink(Path.Combine(shown, "tool"), "../hidden");
        Assert.Equal(
            $"{shown}/tool leads to {hidden}, where the sandbox does not see it (it sees /usr, /etc/alternatives, {shown}), which tooled needs; install it with 'apt-get install tools'",
            new Tooled(shown, Path.Combine(shown, "tool")).Problem());
    }

    [Fact]
    public void A_folder_s_link_that_leaves_what_the_sandbox_shows_is_told_though_another_leads_back()
    {
        string shown = Shown();
        File.WriteAllText(Path.Combine(shown, "real"), "");
        Directory.CreateSymbolicLink(Path.Combine(shown, "bin"), "../outside");
        Directory.CreateDirectory(Path.Combine(folder, "outside"));
        File.CreateSymbolicLink(Path.Combine(folder, "outside/tool"), Path.Combine(shown, "real"));
        Assert.Contains("does not see it", new Tooled(shown, Path.Combine(shown, "bin/tool")).Problem(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing", "/nothing, which is not there")]
    [InlineData("/nowhere/tool", "leads to /nowhere/tool, which is not there")]
    [InlineData("tool", "leads round in a circle")]
    public void A_link_to_nothing_is_told(string target, string said)
    {
        string shown = Shown();
        File.CreateSymbolicLink(Path.Combine(shown, "tool"), target);
        Assert.Contains(said, new Tooled(shown, Path.Combine(shown, "tool")).Problem(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/usr/bin/there-is-no-such-tool")]
    [InlineData("/etc/alternatives/there-is-no-such-tool")]
    [InlineData("/usr/include/stdio.h")]
    public async Task A_tool_that_cannot_be_started_gives_no_verdict(string tool)
    {
        var language = new Tooled("/usr", tool);
        var grader = new CodeGrader(shared.Pool, language, new SandboxLimits());
        Assert.Contains(tool, (await Assert.ThrowsAsync<SandboxException>(() => grader.GradeAsync("", [new CodeTest(null, null, "1")], CancellationToken.None))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SandboxException>(() => grader.GradeAsync("x", [new CodeTest("f()", null, "1")], CancellationToken.None));
        await Assert.ThrowsAsync<SandboxException>(() => new StaticAnalyser(shared.Pool).AnalyseAsync(language, "", CancellationToken.None));
    }

    private string Shown() => Directory.CreateDirectory(Path.Combine(folder, "shown")).FullName;

    private sealed class Tooled(string shown, string tool) : Language
    {
        public override string Name => "tooled";

        public override string Title => "Tooled";

        public override IReadOnlyList<string> Extensions => [".tooled"];

        public override IReadOnlyList<LanguageTool> Tools => [new(tool, "tools")];

        public override IReadOnlyList<string> ReadOnlyPaths => [shown];

        protected override LanguageProgram MakeAlone(string source) => new(LanguageProgram.Texts((SourceName, source)), ["/job/program"]) { Compile = $"cd /job && {tool} {SourceName}" };

        protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) => Alone(source);

        public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => [];

        public override bool IsOutOfMemory(string complaint) => false;

        public override string Literal(JsonNode? value) => "";
    }
}
