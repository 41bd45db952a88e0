using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Whether a PHP source begins as code or as a template.</summary>
public sealed class PhpTagTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("$x = '<?xml version=\"1.0\"?>'; echo strlen($x) > 3 ? 1 : 2;")]
    [InlineData("// writes <?php\n# and <?=\n/* <?php */\n$x = \"\\\"<?php\" . `echo '<?php'` . 'it\\'s <?='; echo 1;")]
    [InlineData("$x = <<<END\n<?php echo 'x';\nEND;\n$y = <<<'RAW'\n  <?php it's\n  RAW;\necho 1;")]
    [InlineData("#[Pure] function f() { return 1; }\necho f(); ?>\n<?php echo '';")]
    public Task A_tag_in_a_string_or_comment_opens_nothing(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("<?php echo 1;")]
    [InlineData("\n<?= 1 ?>\n")]
    [InlineData("1<?php $x = 'it'; ?>")]
    [InlineData("#!/usr/bin/php\n<?php echo 1;")]
    [InlineData("<?php $s = \"it's\"; ?>1<?php // it's")]
    public Task A_tag_outside_of_them_opens_the_code(string source) => PrintsOneAsync(source);

    [Fact]
    public async Task A_template_s_text_may_hold_apostrophes() => Assert.Equal("it's 1", await PrintedAsync("it's <?php echo 1;"));

    private async Task PrintsOneAsync(string source) => Assert.Equal("1", await PrintedAsync(source));

    private async Task<string> PrintedAsync(string source)
    {
        await foreach (ProgramRun run in new ProgramRunner(shared.Pool, new Php(), new SandboxLimits()).RunAsync(source, [""], false, CancellationToken.None))
        {
            return run.Ending.Verdict == Verdict.Passed ? run.Output.Trim() : run.Ending.ToString();
        }

        return "";
    }
}
