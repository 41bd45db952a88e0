using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Plugins.CodeExecution;

namespace Dataflow.Plugins.Tests.CodeExecution;

/// <summary>Which translations pass: the model is a script over real HTTP, the sandbox is the real one.</summary>
public sealed class TranslateTests
{
    private static string Block(string code, string tag) => $"Here:\n```{tag}\n{code}```\n";

    private static MemoryRows Program(string code, string language, params object?[] inputs) =>
        MemoryRows.Of(Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))), [code, language, inputs]);

    [Fact]
    public async Task A_translation_passes_only_if_it_prints_what_the_original_prints()
    {
        const string Original = "n = int(input())\nprint(sum(range(n + 1)))\n";
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer(
            request.Prompt.Contains("to JavaScript", StringComparison.Ordinal) ? Block("const n = parseInt(require('fs').readFileSync(0, 'utf8'));\nconsole.log(n * (n + 1) / 2);\n", "javascript")
            // It compiles and runs, and is wrong for larger inputs.
            : Block("#include <iostream>\nint main() { long n; std::cin >> n; std::cout << n * (n - 1) / 2 + 1 << \"\\n\"; }\n", "cpp")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [CodeLanguage.Javascript, CodeLanguage.Cpp] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))),
            [Original, "python", new object?[] { "1\n", "10\n", "100\n" }], ["raise SystemExit(1)", "python", new object?[] { "1\n", "2\n" }]);
        var results = await Stages.ProcessAsync(stage, rows);
        Assert.Equal(
            [("passed", "javascript", "passed"), ("failed", "cpp", "failed")],
            results[0].Rows.Select(row => (row.Port, (string)row.Values["target_language"]!, (string)row.Values["verdict"]!)));
        Assert.Equal("original_fails", results[1].Failure?.Code);
    }

    [Theory]
    [InlineData(CodeLanguage.Bash, "python3 -c '\nn = int(input())\nprint(sum(range(n + 1)))\n'\n")]
    [InlineData(CodeLanguage.Bash, "perl -ne 'print $_ * ($_ + 1) / 2, \"\\n\"'\n")]
    [InlineData(CodeLanguage.Bash, "gdb -q -batch -ex \"python n = int(input()); print(sum(range(n + 1)))\"\n")]
    [InlineData(CodeLanguage.C, "#include <unistd.h>\nint main(void) {\n  execl(\"/usr/bin/awk\", \"awk\", \"{ print $1 * ($1 + 1) / 2 }\", (char *)0);\n  return 1;\n}\n")]
    [InlineData(CodeLanguage.C, "#include <dlfcn.h>\n#include <stdio.h>\nint main(void) {\n  void *python = dlopen(\"libpython3.11.so.1.0\", RTLD_NOW | RTLD_GLOBAL);\n  if (!python) return 1;\n  ((void (*)(void))dlsym(python, \"Py_Initialize\"))();\n  ((int (*)(const char *))dlsym(python, \"PyRun_SimpleString\"))(\"print(sum(range(int(input()) + 1)))\");\n  ((int (*)(void))dlsym(python, \"Py_FinalizeEx\"))();\n  return 0;\n}\n")]
    [InlineData(CodeLanguage.Bash, "for f in /usr/lib/*/*/*/bin/python3 /usr/local/bin/python3 /usr/bin/pypy3; do [ -x $f ] && exec $f -c 'print(sum(range(int(input()) + 1)))'; done\n")]
    [InlineData(CodeLanguage.Javascript, "require('/usr/share/nodejs/typescript/lib/typescriptServices.js');\nconst n = parseInt(require('fs').readFileSync(0, 'utf8'));\nconsole.log(n * (n + 1) / 2);\n")]
    [InlineData(CodeLanguage.Php, "<?php\npassthru('python3 -c \"print(sum(range(int(input()) + 1)))\"');\n")]
    [InlineData(CodeLanguage.C, "#include <unistd.h>\nint main(void) {\n  execl(\"/usr/bin/python3\", \"python3\", \"-c\", \"print(sum(range(int(input()) + 1)))\", (char *)0);\n  return 1;\n}\n")]
    [InlineData(CodeLanguage.Javascript, "console.log(require('child_process').execFileSync('python3', ['-c', 'print(sum(range(int(input()) + 1)))'], { stdio: ['inherit', 'pipe', 'inherit'] }).toString());\n")]
    public async Task A_translation_that_has_the_original_run_in_its_own_language_does_not_pass(CodeLanguage target, string translation)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block(translation, target.ToString().ToLowerInvariant())));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [target] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))), ["n = int(input())\nprint(sum(range(n + 1)))\n", "python", new object?[] { "1\n", "10\n" }]);
        EmittedRow row = Assert.Single((await Stages.ProcessAsync(stage, rows))[0].Rows);
        Assert.Equal("failed", row.Port);
    }

    [Theory]
    [InlineData(CodeLanguage.Bash, "read n; echo $((n * (n + 1) / 2))\n")]
    [InlineData(CodeLanguage.C, "#include <stdio.h>\nint main(void) { long n; scanf(\"%ld\", &n); printf(\"%ld\\n\", n * (n + 1) / 2); return 0; }\n")]
    [InlineData(CodeLanguage.Cpp, "#include <iostream>\nint main() { long n; std::cin >> n; std::cout << n * (n + 1) / 2 << std::endl; }\n")]
    [InlineData(CodeLanguage.Csharp, "var n = long.Parse(System.Console.ReadLine()!);\nSystem.Console.WriteLine(n * (n + 1) / 2);\n")]
    [InlineData(CodeLanguage.Go, "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar n int\n\tfmt.Scan(&n)\n\tfmt.Println(n * (n + 1) / 2)\n}\n")]
    [InlineData(CodeLanguage.Java, "public class Main {\n  public static void main(String[] args) {\n    long n = new java.util.Scanner(System.in).nextLong();\n    System.out.println(n * (n + 1) / 2);\n  }\n}\n")]
    [InlineData(CodeLanguage.Javascript, "const n = parseInt(require('fs').readFileSync(0, 'utf8'));\nconsole.log(n * (n + 1) / 2);\n")]
    [InlineData(CodeLanguage.Bash, "awk '{ print $1 * ($1 + 1) / 2 }' | sort | tr -d ' '\n")]
    [InlineData(CodeLanguage.Php, "<?php\n$n = intval(mb_strtoupper(fgets(STDIN)));\necho intdiv($n * ($n + 1), 2), date(' '), \"\\n\";\n")]
    [InlineData(CodeLanguage.Csharp, "var n = long.Parse(System.Console.ReadLine()!);\nvar zone = System.TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Paris\");\nSystem.Console.WriteLine((n * (n + 1) / 2).ToString(System.Globalization.CultureInfo.InvariantCulture) + zone.Id[..0]);\n")]
    [InlineData(CodeLanguage.Php, "<?php\n$n = intval(fgets(STDIN));\necho intdiv($n * ($n + 1), 2), \"\\n\";\n")]
    [InlineData(CodeLanguage.Rust, "fn main() {\n    let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n    let n: u64 = line.trim().parse().unwrap();\n    println!(\"{}\", n * (n + 1) / 2);\n}\n")]
    [InlineData(CodeLanguage.Typescript, "import { readFileSync } from 'fs';\nconst n: number = parseInt(readFileSync(0, 'utf8'));\nconsole.log(n * (n + 1) / 2);\n")]
    public async Task An_honest_translation_passes_in_every_language_that_reads_input(CodeLanguage target, string translation)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block(translation, target.ToString().ToLowerInvariant())));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [target] }, await endpoint.OpenAsync());
        var (rows, failure) = (await Stages.ProcessAsync(stage, Program("n = int(input())\nprint(sum(range(n + 1)))\n", "python", "1\n", "10\n")))[0];
        Assert.Null(failure);
        Assert.Equal(("passed", ""), (rows[0].Port, (string)rows[0].Values["detail"]!));
    }

    [Fact]
    public async Task A_translation_of_a_script_cannot_hand_it_to_a_shell()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block("<?php\npassthru('read n; echo $((n * (n + 1) / 2))');\n", "php")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [CodeLanguage.Php] }, await endpoint.OpenAsync());
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("code", Columns.Text), ("language", Columns.Text), ("inputs", Columns.ListOf(Columns.Text))), ["read n\necho $((n * (n + 1) / 2))\n", "bash", new object?[] { "1\n", "10\n" }]);
        Assert.Equal("failed", Assert.Single((await Stages.ProcessAsync(stage, rows))[0].Rows).Port);
    }

    [Fact]
    public async Task A_program_that_is_in_the_only_language_to_translate_to_is_told()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block("print(9)\n", "python")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [CodeLanguage.Python] }, await endpoint.OpenAsync());
        Assert.Equal("no_target", (await Stages.ProcessAsync(stage, Program("print(input())\n", "python", "3\n", "4\n")))[0].Failure?.Code);
    }

    [Theory]
    [InlineData("print(int(input()) ** 2)\n", "bad_inputs", "has 1 different inputs, 2 are needed", "3\n", "3\n")]
    [InlineData("print(9)\n", "original_constant", "the same on all 2 inputs", "3\n", "4\n")]
    [InlineData("import time\nprint(input(), time.perf_counter_ns())\n", "original_fails", "what it prints differs from run to run", "3\n", "4\n")]
    [InlineData("print(1 // int(input()))\n", "original_fails", "on 1 of 2 inputs, 2 are needed: runtime_error", "3\n", "0\n")]
    public async Task An_original_that_compares_nothing_is_told(string code, string failure, string why, params string[] inputs)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer(Block("console.log(9)\n", "javascript")));
        await using var stage = new Translate(new TranslateOptions { Model = "m", To = [CodeLanguage.Javascript] }, await endpoint.OpenAsync());
        (_, RowFailedException? failed) = (await Stages.ProcessAsync(stage, Program(code, "python", inputs)))[0];
        Assert.Equal(failure, failed?.Code);
        Assert.Contains(why, failed?.Message, StringComparison.Ordinal);
    }
}
