using Dataflow.Sandbox.Grading;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Languages whose sources are compiled.</summary>
internal static class CompiledCases
{
    public static LanguageCase C { get; } = new()
    {
        Hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); }",
        Broken = "int f(void) {\n  return x;\n}\nint main(void) { return 0; }",
        BrokenColumn = 10,
        Fails = "#include <stdio.h>\nint main(void) { fputs(\"sorry\", stderr); return 3; }",
        Endless = "int main(void) { volatile int x = 0; for (;;) x = x + 1; }",
        Hungry = "#include <stdlib.h>\n#include <string.h>\nvoid* volatile kept;\nint main(void) { for (;;) { kept = malloc(1000000); memset(kept, 1, 1000000); } }",
        Next = "#include <stdio.h>\nint main(void) { int x; scanf(\"%d\", &x); printf(\"%d\", x + 1); return 0; }",
        Right = "int square(int x) { return x * x; }",
        Wrong = "int square(int x) { return x + 2; }",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void early(void) { puts(\"4\\n9\"); exit(0); }\nint square(int x) { return 5; }",
            "#include <string.h>\n#include <unistd.h>\n__attribute__((constructor)) static void early(void) { const char* s = \"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\"; write(8, s, strlen(s)); _exit(0); }\nint square(int x) { return 5; }",
            "const char* square(int x) { return x == 2 ? \"4\" : \"9\"; }",
            "#include <signal.h>\n#include <unistd.h>\nint square(int x) { kill(getppid(), 9); return 5; }",
        ],
    };

    public static LanguageCase Cpp { get; } = new()
    {
        Hello = "#include <iostream>\nint main() { std::cout << \"hello\\n\"; }",
        Broken = "int f() {\n  return g(1);\n}\nint main() {}",
        BrokenColumn = 10,
        Fails = "#include <stdexcept>\nint main() { throw std::runtime_error(\"sorry\"); }",
        Endless = "int main() { volatile int x = 0; for (;;) x = x + 1; }",
        Hungry = "#include <vector>\n#include <cstring>\nint main() { std::vector<char*> kept; for (;;) { kept.push_back(new char[1000000]); memset(kept.back(), 1, 1000000); } }",
        Next = "#include <iostream>\nint main() { int x; std::cin >> x; std::cout << x + 1; }",
        Right = "int square(int x) { return x * x; }",
        Wrong = "int square(int x) { return x + 2; }",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "#include <iostream>\n#include <cstdlib>\nstruct Early { Early() { std::cout << \"4\\n9\\n\"; std::exit(0); } } early;\nint square(int x) { return 5; }",
            "#include <unistd.h>\n#include <cstring>\nstruct Early { Early() { const char* s = \"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\"; write(8, s, strlen(s)); _exit(0); } } early;\nint square(int x) { return 5; }",
            "struct Equal { template <class T> bool operator==(const T&) const { return true; } };\nEqual square(int) { return {}; }",
            "#include <signal.h>\n#include <unistd.h>\nint square(int x) { kill(getppid(), 9); return 5; }",
        ],
    };

    public static LanguageCase CSharp { get; } = new()
    {
        Hello = "Console.WriteLine(\"hello\");",
        Broken = "class A {\n  int F() => G(1);\n  static void Main() { }\n}",
        BrokenColumn = 14,
        Fails = "throw new InvalidOperationException(\"sorry\");",
        Endless = "long x = 0; while (true) { x++; }",
        Hungry = "var kept = new List<byte[]>(); while (true) { var b = new byte[1000000]; Array.Fill(b, (byte)1); kept.Add(b); }",
        Next = "Console.WriteLine(int.Parse(Console.ReadLine()) + 1);",
        Right = "int square(int x) => x * x;",
        Wrong = "public static int square(int x) { return x + 2; }",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "object square(int x) => 5;\nConsole.WriteLine(\"4\\n9\"); Environment.Exit(0);",
            "object square(int x) => 5;\nusing var s = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(8, false), FileAccess.Write);\ns.Write(Encoding.UTF8.GetBytes(\"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\"));\ns.Flush();\nEnvironment.Exit(0);",
            "Equal square(int x) => new Equal();\nclass Equal { public override bool Equals(object o) => true; public override int GetHashCode() => 0; public override string ToString() => \"4\"; }",
        ],
    };

    public static LanguageCase Java { get; } = new()
    {
        Hello = "public class Main {\n  public static void main(String[] args) { System.out.println(\"hello\"); }\n}",
        Broken = "public class Main {\n  int f() { return g(1); }\n  public static void main(String[] args) { }\n}",
        BrokenColumn = 20,
        Fails = "class Main {\n  public static void main(String[] args) { throw new IllegalStateException(\"sorry\"); }\n}",
        Endless = "class Main {\n  public static void main(String[] args) { long x = 0; while (true) { x++; } }\n}",
        Hungry = "import java.util.*;\nclass Main {\n  public static void main(String[] args) { List<byte[]> kept = new ArrayList<>(); while (true) { kept.add(new byte[1000000]); } }\n}",
        Next = "import java.util.Scanner;\nclass Helper { }\nclass Main {\n  public static void main(String[] args) { System.out.println(new Scanner(System.in).nextInt() + 1); }\n}",
        Right = "public static int square(int x) { return x * x; }",
        Wrong = "import java.util.*;\nint square(int x) { return x + 2; }",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "static { System.out.println(\"4\\n9\"); System.exit(0); }\nstatic int square(int x) { return 5; }",
            "static { try { new java.io.FileOutputStream(java.io.FileDescriptor.in).write((\"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\").getBytes()); } catch (Exception e) { } Runtime.getRuntime().halt(0); }\nstatic int square(int x) { return 5; }",
            "static Object square(int x) { return new Object() { public boolean equals(Object o) { return true; } public String toString() { return \"4\"; } }; }",
        ],
    };

    public static LanguageCase Go { get; } = new()
    {
        Hello = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n",
        Broken = "package main\nfunc f() int { return g(1) }\nfunc main() {}\n",
        BrokenColumn = 23,
        Fails = "package main\n\nfunc main() { panic(\"sorry\") }\n",
        Endless = "package main\n\nfunc main() { x := 0; for { x++ } }\n",
        Hungry = "package main\n\nvar kept [][]byte\n\nfunc main() { for { b := make([]byte, 1000000); for i := range b { b[i] = 1 }; kept = append(kept, b) } }\n",
        Next = "package main\n\nimport \"fmt\"\n\nfunc main() { var x int; fmt.Scan(&x); fmt.Println(x + 1) }\n",
        Right = "package solution\n\nfunc square(x int) int { return x * x }\n",
        Wrong = "func square(x int) int { return x + 2 }\n\nfunc main() { panic(1) }\n",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "package main\n\nimport (\"fmt\"; \"os\")\n\nfunc init() { fmt.Println(\"4\\n9\"); os.Exit(0) }\n\nfunc square(x int) int { return 5 }\n",
            "package main\n\nimport \"os\"\n\nfunc init() { os.NewFile(8, \"x\").WriteString(\"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\"); os.Exit(0) }\n\nfunc square(x int) int { return 5 }\n",
            "package main\n\ntype equal struct{}\n\nfunc (e equal) String() string { return \"4\" }\n\nfunc square(x int) equal { return equal{} }\n",
        ],
    };

    public static LanguageCase Rust { get; } = new()
    {
        Hello = "fn main() { println!(\"hello\"); }",
        Broken = "fn f() -> i32 {\n    g(1)\n}\nfn main() {}",
        BrokenColumn = 5,
        Fails = "fn main() { panic!(\"sorry\"); }",
        Endless = "fn main() { let mut x: u64 = 0; loop { x = x.wrapping_mul(3) + 1; if x == 7 { println!(); } } }",
        Hungry = "fn main() { let mut kept: Vec<Vec<u8>> = vec![]; loop { kept.push(vec![1; 1000000]); } }",
        Next = "use std::io;\nfn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap(); println!(\"{}\", s.trim().parse::<i32>().unwrap() + 1); }",
        Right = "fn square(x: i32) -> i32 { x * x }",
        Wrong = "fn square(x: i32) -> i64 { x as i64 + 2 }\nfn main() {}",
        Calls = [new("square(2)", null, "4"), new("square(-3)", null, "9", true)],
        Foreign = new("cube(2)", null, "8"),
        Forgeries =
        [
            "fn square(x: i32) -> i32 { println!(\"4\\n9\"); std::process::exit(0) }",
            "use std::io::Write; use std::os::unix::io::FromRawFd;\nfn square(x: i32) -> i32 { let mut f = unsafe { std::fs::File::from_raw_fd(8) }; f.write_all(b\"{\\\"i\\\":0,\\\"value\\\":true}\\n{\\\"i\\\":1,\\\"value\\\":true}\\n\").unwrap(); std::process::exit(0) }",
            "#[derive(Debug)] struct Equal;\nimpl<T> PartialEq<T> for Equal { fn eq(&self, _: &T) -> bool { true } }\nfn square(_: i32) -> Equal { Equal }",
        ],
    };
}
