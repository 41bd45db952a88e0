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
}
