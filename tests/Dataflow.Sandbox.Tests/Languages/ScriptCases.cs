using Dataflow.Sandbox.Grading;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Languages whose sources are run as they are.</summary>
internal static class ScriptCases
{
    public static LanguageCase Python { get; } = new()
    {
        Hello = "print('hello')",
        Broken = "x = 1\ny = = 2\n",
        BrokenColumn = 5,
        Fails = "raise ValueError('sorry')",
        Endless = "while True: pass",
        Hungry = "kept = []\nwhile True: kept.append(bytearray(b'x') * 1_000_000)",
        Next = "print(int(input()) + 1)",
        Right = "def square(x):\n    return x * x",
        Wrong = "def square(x):\n    return x + 2",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        ForeignVerdict = Verdict.RuntimeError,
        Forgeries =
        [
            "print(4)\nprint(9)\nimport sys\nsys.exit(0)",
            "import os\nos.write(8, b'{\"i\":0,\"value\":true}\\n{\"i\":1,\"value\":true}\\n')\nos._exit(0)",
            "class Equal:\n    def __eq__(self, other): return True\n    def __repr__(self): return '4'\ndef square(x): return Equal()",
            "import json\njson.dumps = lambda *a, **k: '4'\ndef square(x): return 5",
            "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\ndef square(x): return 5",
        ],
    };

    public static LanguageCase JavaScript { get; } = new()
    {
        Hello = "console.log('hello');",
        Broken = "const x = 1;\nconst y = = 2;\n",
        BrokenColumn = 11,
        Fails = "throw new Error('sorry');",
        Endless = "while (true) {}",
        Hungry = "const kept = []; while (true) kept.push(new Array(100000).fill(Math.random()));",
        Next = "console.log(Number(require('fs').readFileSync(0, 'utf8')) + 1);",
        Right = "const square = (x) => x * x;",
        Wrong = "const square = (x) => x + 2;",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        ForeignVerdict = Verdict.RuntimeError,
        Forgeries =
        [
            "console.log('4\\n9'); process.exit(0);",
            "require('fs').writeSync(8, '{\"i\":0,\"value\":\"4\"}\\n{\"i\":1,\"value\":\"9\"}\\n'); process.exit(0);",
            "JSON.stringify = () => '4'; function square(x) { return '4'; }",
            "function square(x) { return { toString: () => '4', valueOf: () => 4, toJSON: () => 4 }; }",
            "globalThis.dataflow_evaluate = () => {}; console.log(4); function square() { return 4; }",
        ],
    };

    public static LanguageCase TypeScript { get; } = new()
    {
        Hello = "const text: string = 'hello';\nconsole.log(text);",
        Broken = "const x: number = 1;\nconst y: number = = 2;\n",
        BrokenColumn = 19,
        Fails = "throw new Error('sorry') as Error;",
        Endless = "while (true as boolean) {}",
        Hungry = "const kept: number[][] = []; while (true) kept.push(new Array<number>(100000).fill(Math.random()));",
        Next = "declare const require: any;\nconsole.log(Number(require('fs').readFileSync(0, 'utf8')) + 1);",
        Right = "export const square = (x: number): number => x * x;",
        Wrong = "const square = (x: number): number => x + 2;",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        ForeignVerdict = Verdict.RuntimeError,
        Forgeries =
        [
            "console.log('4\\n9'); process.exit(0);",
            "require('fs').writeSync(8, '{\"i\":0,\"value\":\"4\"}\\n{\"i\":1,\"value\":\"9\"}\\n'); process.exit(0);",
            "class Equal { valueOf(): number { return 4; } toString(): string { return '4'; } }\nfunction square(x: number): any { return new Equal(); }",
        ],
    };

    public static LanguageCase Php { get; } = new()
    {
        Hello = "<?php echo \"hello\\n\";",
        Broken = "<?php\n$x = = 2;\n",
        BrokenColumn = 0,
        Fails = "<?php throw new Exception('sorry');",
        Endless = "<?php while (true) {}",
        Hungry = "<?php $kept = []; while (true) { $kept[] = str_repeat('x', 1000000); }",
        Next = "echo intval(fgets(STDIN)) + 1;",
        Right = "<?php function square($x) { return $x * $x; }",
        Wrong = "<?php function square($x) { return $x + 2; }",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        ForeignVerdict = Verdict.RuntimeError,
        Forgeries =
        [
            "<?php echo \"4\\n9\\n\"; exit(0);",
            "<?php file_put_contents('php://fd/8', '{\"i\":0,\"value\":true}' . \"\\n\" . '{\"i\":1,\"value\":true}' . \"\\n\"); exit(0);",
            "<?php class Equal { function __toString() { return '4'; } } function square($x) { return new Equal(); }",
            "<?php posix_kill(posix_getppid(), 9); function square($x) { return '4'; }",
        ],
    };

    public static LanguageCase Bash { get; } = new()
    {
        Hello = "echo hello",
        Broken = "x=1\nfi\n",
        BrokenColumn = 0,
        Fails = "echo sorry >&2\nexit 3",
        Endless = "while :; do :; done",
        Hungry = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done",
        Next = "read x; echo $((x + 1))",
        Right = "square() { echo $(($1 * $1)); }",
        Wrong = "square() { echo $(($1 + 2)); }",
        Calls = [new("square 2", null, "4"), new("square -3", null, "9", true)],
        Foreign = new("cube 2", null, "8"),
        ForeignVerdict = Verdict.RuntimeError,
        Forgeries =
        [
            "echo 4; echo 9; exit 0",
            "printf '{\"i\":0,\"value\":true}\\n{\"i\":1,\"value\":true}\\n' >&8; exit 0",
            "[() { return 0; }\ntest() { return 0; }\nsquare() { return 0; }",
            "kill -9 $PPID\nsquare() { kill -9 $$; echo 5; }",
        ],
    };

    public static LanguageCase Sql { get; } = new()
    {
        Hello = "SELECT 'hello';",
        Broken = "CREATE TABLE t(x);\nSELECT * FORM t;",
        BrokenColumn = 10,
        Fails = "CREATE TABLE t(x CONSTRAINT sorry CHECK (x > 0));\nINSERT INTO t VALUES (-1);",
        Endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c;",
        Hungry = "CREATE TABLE t(x);\nWITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) INSERT INTO t SELECT randomblob(1000000) FROM c;",
        Inputs = ("CREATE TABLE input(x); INSERT INTO input VALUES (7);", "CREATE TABLE input(x); INSERT INTO input VALUES (41);"),
        Next = "SELECT x + 1 FROM input;",
        Right = "CREATE TABLE square(x, y);\nINSERT INTO square VALUES (2, 4), (-3, 9);",
        Wrong = "CREATE TABLE square(x, y);\nINSERT INTO square VALUES (2, 4), (-3, -1);",
        Calls = [new("SELECT y FROM square WHERE x = 2", null, "4"), new("(SELECT y FROM square WHERE x = -3)", null, "9", true)],
        Foreign = new("SELECT y FROM cube", null, "8"),
        Forgeries =
        [
            "SELECT 4;\nSELECT 9;\n.exit 0",
            ".output stdout\n.print [{\"x\":\"4\"}]\n.print #\n.print [{\"x\":\"9\"}]\n.print #\n.exit 0",
            "CREATE TABLE square(x, y);\nINSERT INTO square VALUES (2, '4'), (-3, '9');",
        ],
    };
}
