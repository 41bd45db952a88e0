using Dataflow.Sandbox.Grading;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Languages whose sources are compiled.</summary>
internal static class CompiledCases
{
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
}
