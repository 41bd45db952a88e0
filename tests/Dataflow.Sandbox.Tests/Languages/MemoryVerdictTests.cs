using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>A program used too much memory if it did, and not if it says so.</summary>
public sealed class MemoryVerdictTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("python", "import sys\nprint('MemoryError', file=sys.stderr)\nsys.exit(1)")]
    [InlineData("python", "raise MemoryError()")]
    [InlineData("python", "def f(x):\n    if x: raise MemoryError\nf(1)")]
    [InlineData("javascript", "console.error('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'); process.exit(1)")]
    [InlineData("typescript", "console.error('RangeError: Array buffer allocation failed'); declare const process: any; process.exit(1)")]
    [InlineData("cpp", "#include <iostream>\nint main() { std::cerr << \"std::bad_alloc\\n\"; return 1; }")]
    [InlineData("csharp", "Console.Error.WriteLine(\"Out of memory.\"); return 1;")]
    [InlineData("java", "class Main { public static void main(String[] a) { System.err.println(\"OutOfMemoryError\"); System.exit(1); } }")]
    [InlineData("go", "package main\nimport \"os\"\nfunc main() { println(\"out of memory\"); os.Exit(1) }")]
    [InlineData("rust", "fn main() { eprintln!(\"memory allocation of 5 bytes failed\"); std::process::exit(1); }")]
    [InlineData("php", "<?php fwrite(STDERR, \"Out of memory\\n\"); exit(1);")]
    [InlineData("bash", "echo 'cannot allocate' >&2; exit 1")]
    public async Task What_a_program_says_of_memory_is_no_evidence_of_it(string language, string source) =>
        Assert.Equal(Verdict.RuntimeError, (await GradeAsync(language, source)).Verdict);

    [Theory]
    [InlineData("python", "x = bytearray(10**12)")]
    [InlineData("python", "x = [0] * 10**10")]
    [InlineData("python", "try:\n    x = [0] * 10**10\nexcept MemoryError:\n    raise")]
    [InlineData("javascript", "const x = new ArrayBuffer(1e12)")]
    [InlineData("typescript", "const x: ArrayBuffer = new ArrayBuffer(1e12)")]
    [InlineData("cpp", "#include <vector>\nint main() { std::vector<char> x(1000000000000L); return x[5]; }")]
    [InlineData("csharp", "var x = new byte[2000000000]; Console.WriteLine(x[4]);")]
    [InlineData("java", "class Main { public static void main(String[] a) { byte[] x = new byte[2000000000]; System.out.println(x[3]); } }")]
    [InlineData("go", "package main\nfunc main() { n := 1000000000000; x := make([]byte, n); println(x[4]) }")]
    [InlineData("rust", "fn main() { let x: Vec<u8> = Vec::with_capacity(1000000000000); println!(\"{}\", x.capacity()); }")]
    [InlineData("php", "<?php $x = str_repeat('x', 1000000000);")]
    [InlineData("bash", "x=$(printf '%0900000000d' 1); echo ${#x}")]
    [InlineData("sql", "SELECT length(zeroblob(900000000) || 'x');")]
    public async Task An_allocation_that_is_refused_for_its_size_is_too_much_memory(string language, string source) =>
        Assert.Equal(Verdict.MemoryLimit, (await GradeAsync(language, source)).Verdict);

    [Theory]
    [InlineData("python", "x = []\nwhile True: x = [x]")]
    [InlineData("python", "import sys\nx = []\ntry:\n    while True: x.append('x' * 100_000 + str(len(x)))\nexcept MemoryError:\n    x.clear()\n    sys.exit('MemoryError')")]
    [InlineData("cpp", "#include <iostream>\n#include <new>\n#include <cstring>\nchar* volatile kept;\nint main() { try { kept = new char[220000000]; memset(kept, 1, 220000000); kept = new char[1L << 50]; } catch (std::bad_alloc& e) { std::cerr << e.what(); return 1; } }")]
    public async Task Words_about_memory_count_where_memory_was_near_its_limit(string language, string source) =>
        Assert.Equal(Verdict.MemoryLimit, (await GradeAsync(language, source)).Verdict);

    [Theory]
    [InlineData("python", "def f(): raise MemoryError()")]
    [InlineData("python", "def f(): raise MemoryError('no room')")]
    [InlineData("javascript", "function f() { throw new Error('JavaScript heap out of memory'); }")]
    [InlineData("cpp", "#include <stdexcept>\nint f() { throw std::runtime_error(\"std::bad_alloc\"); }")]
    [InlineData("java", "static int f() { throw new IllegalStateException(\"OutOfMemoryError\"); }")]
    [InlineData("csharp", "public static int f() => throw new Exception(\"Out of memory\");")]
    public async Task What_a_call_says_of_memory_is_no_evidence_of_it(string language, string source) =>
        Assert.Equal(Verdict.RuntimeError, (await GradeAsync(language, source, new CodeTest("f()", null, "1"))).Verdict);

    [Theory]
    [InlineData("python", "def f(): return [0] * 10**10")]
    [InlineData("python", "def f():\n    x = []\n    while True: x.append('x' * 100_000 + str(len(x)))")]
    [InlineData("javascript", "function f() { return new ArrayBuffer(1e12); }")]
    [InlineData("cpp", "#include <vector>\nint f() { return std::vector<char>(1000000000000L)[5]; }")]
    [InlineData("java", "static int f() { byte[] x = new byte[2000000000]; return x[3]; }")]
    [InlineData("java", "static int f() { var x = new ArrayList<byte[]>(); while (true) x.add(new byte[1000000]); }")]
    [InlineData("csharp", "public static int f() { var x = new byte[2000000000]; return x[3]; }")]
    public async Task A_call_that_is_refused_memory_used_too_much(string language, string source) =>
        Assert.Equal(Verdict.MemoryLimit, (await GradeAsync(language, source, new CodeTest("f()", null, "1"))).Verdict);

    private Task<Grade> GradeAsync(string language, string source) => GradeAsync(language, source, new CodeTest(null, null, "1"));

    private Task<Grade> GradeAsync(string language, string source, CodeTest test)
    {
        var limits = new SandboxLimits { WallTime = TimeSpan.FromSeconds(20), CpuTime = TimeSpan.FromSeconds(20), MemoryBytes = 256_000_000 };
        return new CodeGrader(shared.Pool, LanguageSet.Standard().Find(language)!, limits).GradeAsync(source, [test], CancellationToken.None);
    }
}
