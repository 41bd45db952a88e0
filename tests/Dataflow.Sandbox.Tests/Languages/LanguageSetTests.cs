using System.Text.Json.Nodes;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

public sealed class LanguageSetTests
{
    [Theory]
    [InlineData("python", "python")]
    [InlineData("py", "python")]
    [InlineData("JS", "javascript")]
    [InlineData("ts", "typescript")]
    [InlineData("c++", "cpp")]
    [InlineData("C#", "csharp")]
    [InlineData("golang", "go")]
    [InlineData("rs", "rust")]
    [InlineData("shell", "bash")]
    [InlineData(" sqlite ", "sql")]
    [InlineData("cobol", null)]
    public void A_language_is_found_by_its_name_and_by_that_of_a_fenced_block(string name, string? found) =>
        Assert.Equal(found, LanguageSet.Standard().Find(name)?.Name);

    [Fact]
    public void Twelve_languages_have_their_tools_here() =>
        Assert.Equal(Enumerable.Repeat((string?)null, 12), LanguageSet.Standard().All.Select(language => language.Problem()));

    [Fact]
    public void An_absent_toolchain_is_told_with_the_package_to_install() =>
        Assert.Equal("/usr/bin/absent is not there, which absent needs; install it with 'apt-get install absent-tools'", new Absent().Problem());

    private sealed class Absent : Language
    {
        public override string Name => "absent";

        public override string Title => "Absent";

        public override string LineComment => "#";

        public override IReadOnlyList<string> Extensions => [".absent"];

        public override IReadOnlyList<LanguageTool> Tools => [new("/usr/bin/env", "coreutils"), new("/usr/bin/absent", "absent-tools")];

        protected override LanguageProgram MakeAlone(string source) => throw new NotSupportedException();

        protected override LanguageProgram MakeWithCalls(string source, IReadOnlyList<string> calls) => throw new NotSupportedException();

        public override IReadOnlyList<Finding> Findings(LanguageProgram program, SandboxResult result) => [];

        public override bool IsOutOfMemory(string complaint) => false;

        public override string Literal(JsonNode? value) => "";
    }
}
