using System.Globalization;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Many inputs in one run of the sandbox give what as many runs give.</summary>
public sealed class BatchTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static TheoryData<string, string, Verdict, string> Programs => new()
    {
        { "python", "print(int(input()) + 1)", Verdict.Passed, "" },
        { "python", "x = int(input())\nprint(x + 1 if x < 3 else x)", Verdict.Failed, "test 4: printed 3\n" },
        { "python", "x = int(input())\nif x == 3: raise ValueError('sorry')\nprint(x + 1)", Verdict.RuntimeError, "test 4: ValueError: sorry" },
        { "python", "x = int(input())\nif x == 3:\n    while True: pass\nprint(x + 1)", Verdict.Timeout, "test 4: ran past its time" },
        { "python", "x = int(input())\nif x == 3: print('x' * 3_000_000)\nprint(x + 1)", Verdict.OutputLimit, "test 4: wrote too much" },
        { "python", "x = int(input())\nif x == 3: raise MemoryError()\nprint(x + 1)", Verdict.RuntimeError, "test 4: MemoryError" },
        { "python", "x = int(input())\nif x == 3: y = [0] * 10**10\nprint(x + 1)", Verdict.MemoryLimit, "test 4: used too much memory" },
        { "python", "x = int(input())\nif x == 3: y = bytearray(b'x') * 500_000_000\nprint(x + 1)", Verdict.MemoryLimit, "test 4: used too much memory" },
        { "python", "import os, signal\nx = int(input())\nif x == 3: os.kill(os.getppid(), signal.SIGKILL)\nprint(x)", Verdict.Failed, "test 1: printed 0\n" },
        { "python", "def f(:\n  pass", Verdict.CompileError, "line 1, column 7: SyntaxError: invalid syntax" },
        { "python", "import sys, os, pickle\nclass A: pass\npickle.dumps(A())\nassert not os.path.exists('/tmp/left')\nopen('/tmp/left', 'w').close()\nif __name__ == '__main__':\n    print(int(sys.stdin.readline()) + 1)\n    sys.exit(0)", Verdict.Passed, "" },
        { "python", "import os, time\nif os.fork() == 0:\n    time.sleep(60)\nprint(int(input()) + 1)", Verdict.Passed, "" },
        { "python", "import os\nassert os.listdir('/tmp') in ([], ['.out', '.err'], ['.err', '.out'])\nos.chdir('/tmp')\nfor i in range(1500):\n    os.mkdir('d' * 2)\n    os.chdir('d' * 2)\nopen('f', 'w').close()\nprint(int(input()) + 1)", Verdict.Passed, "" },
        { "python", "import os\nassert not os.path.exists('/dev/shm/left')\nopen('/dev/shm/left', 'w').close()\nprint(int(input()) + 1)", Verdict.Passed, "" },
        { "bash", "read x; [ -e /dev/shm/left ] && exit 1; touch /dev/shm/left; echo $((x + 1))", Verdict.Passed, "" },
        { "python", "import atexit, threading, time, logging\nx = int(input())\nclass Late:\n    def __del__(self): print(name)\nname = x + 1\nkept = Late()\nkept.self = kept\natexit.register(lambda: None)\nthreading.Thread(target=lambda: time.sleep(0.1)).start()", Verdict.Passed, "" },
        { "python", "out = open(1, 'w', closefd=False)\nout.write(str(int(input()) + 1))", Verdict.Passed, "" },
        { "python", "import atexit, sys\nx = int(input())\natexit.register(lambda: print(x + 1))\nsys.exit()", Verdict.Passed, "" },
        { "python", "import sys\nx = int(input())\nprint(x + 1)\nif x == 3: sys.exit('no')", Verdict.RuntimeError, "test 4: no" },
        { "python", "import sys\nprint(int(input()) + 1)\nsys.stdout.flush()\nsys.stdout.close()", Verdict.Passed, "" },
        { "bash", "read x; [ -e /tmp/left ] && exit 1; touch /tmp/left; sleep 60 & echo $((x + 1))", Verdict.Passed, "" },
        { "bash", "read x; if [ $x = 3 ]; then exit 4; fi; echo $((x + 1))", Verdict.RuntimeError, "test 4: exited with 4" },
        { "bash", "read x; if [ $x = 3 ]; then while :; do :; done; fi; echo $((x + 1))", Verdict.Timeout, "test 4: ran past its time" },
        { "bash", "read x; if [ $x = 3 ]; then yes; fi; echo $((x + 1))", Verdict.OutputLimit, "test 4: wrote too much" },
        { "bash", "read x; if [ $x = 3 ]; then x=xxxxxxxx; while :; do x=$x$x; done; fi; echo $((x + 1))", Verdict.MemoryLimit, "test 4: used too much memory" },
        { "c", "#include <stdio.h>\nint main(void) { int x; scanf(\"%d\", &x); printf(\"%d\", x + 1); return 0; }", Verdict.Passed, "" },
        { "c", "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { int x; scanf(\"%d\", &x); if (x == 3) abort(); printf(\"%d\", x + 1); return 0; }", Verdict.RuntimeError, "test 4: ended by signal 6" },
        { "c", "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint main(void) { int x; scanf(\"%d\", &x); if (x == 3) for (;;) memset(malloc(1000000), 1, 1000000); printf(\"%d\", x + 1); return 0; }", Verdict.MemoryLimit, "test 4: used too much memory" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Inputs_together_are_judged_as_inputs_apart(string language, string source, Verdict verdict, string detail)
    {
        foreach (bool isolate in new[] { true, false })
        {
            Grade grade = await Grader(language, isolate).GradeAsync(source, Tests(5), CancellationToken.None);
            Assert.Equal((isolate, verdict, detail), (isolate, grade.Verdict, grade.Detail));
        }
    }

    [Fact]
    public async Task A_program_that_writes_frames_itself_does_not_pass()
    {
        const string Forgery = "import os, sys\nfd = os.open(f'/proc/{os.getppid()}/fd/8', os.O_WRONLY)\nfor i in range(5): os.write(fd, f'{i} 0 1 2 0\\nOK'.encode())\nos.kill(os.getppid(), 9)";
        Assert.NotEqual(Verdict.Passed, (await Grader("python", false).GradeAsync(Forgery, Tests(5), CancellationToken.None)).Verdict);
    }

    [Theory]
    [InlineData("while True: pass", Verdict.Timeout)]
    [InlineData("import os, time; time.sleep(1.2); os.kill(os.getpid(), 9)", Verdict.RuntimeError)]
    public async Task An_input_together_that_is_killed_ran_out_of_time_only_if_it_did(string python, Verdict verdict)
    {
        var limits = new SandboxLimits { CpuTime = TimeSpan.FromSeconds(1), WallTime = TimeSpan.FromSeconds(20) };
        Assert.Equal(verdict, (await new CodeGrader(shared.Pool, Known.Find("python")!, limits).GradeAsync(python, Tests(2), CancellationToken.None)).Verdict);
    }

    [Fact]
    public async Task A_busy_machine_makes_no_time_out_of_inputs_together()
    {
        await using var crowd = SandboxPool.Create(4 * Environment.ProcessorCount);
        var limits = new SandboxLimits { WallTime = TimeSpan.FromSeconds(1.5), CpuTime = TimeSpan.FromSeconds(3) };
        Grade[] grades = await Task.WhenAll(Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => new CodeGrader(crowd, Known.Find("python")!, limits).GradeAsync(
            "import time\nx = int(input())\nwhile time.process_time() < 0.8: pass\nprint(x + 1)", Tests(2), CancellationToken.None)));
        Assert.All(grades, grade => Assert.Equal((Verdict.Passed, ""), (grade.Verdict, grade.Detail)));
    }

    private static CodeTest[] Tests(int count) =>
        Enumerable.Range(0, count).Select(i => new CodeTest(null, i.ToString(CultureInfo.InvariantCulture) + "\n", (i + 1).ToString(CultureInfo.InvariantCulture))).ToArray();

    private CodeGrader Grader(string language, bool isolate) =>
        new(shared.Pool, Known.Find(language)!, new SandboxLimits { WallTime = TimeSpan.FromSeconds(1.5), CpuTime = TimeSpan.FromSeconds(3), MemoryBytes = 256_000_000 }, isolate);
}
