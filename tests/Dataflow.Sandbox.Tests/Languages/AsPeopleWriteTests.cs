using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Programs and calls as people write them, who expect of a language what it has anywhere else.</summary>
public sealed class AsPeopleWriteTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    [Theory]
    [InlineData("csharp", "public static class S { public static int[,] F() => new[,] { { 1, 2 }, { 3, 4 } }; }", "S.F()", "new[] { new[] { 1, 2 }, new[] { 3, 4 } }")]
    [InlineData("csharp", "public static class S { public static int[,,] F() => new int[2, 1, 3]; }", "S.F()", "new int[2, 1, 3]")]
    [InlineData("typescript", "function id<T>(x: T): T { return x; }", "id<number>(3)", "3")]
    [InlineData("typescript", "class B<T> { constructor(public v: T) {} }", "new B<number>(3 as number).v", "3")]
    [InlineData("typescript", "const m = new Map<string, number>([['a', 1]]);", "m.get('a')!", "1")]
    [InlineData("typescript", "const f = (x: number) => ({ x });", "{ ...f(1), y: 2 as number }", "{ x: 1, y: 2 }")]
    [InlineData("rust", "use std::collections::HashSet;\npub fn f() -> HashSet<i32> { [1, 2].into_iter().collect() }", "f()", "HashSet::from([2, 1])")]
    [InlineData("rust", "pub struct LinkedList(pub i32);\npub fn f() -> i32 { LinkedList(3).0 }", "f()", "3")]
    [InlineData("rust", "pub struct Stack(Vec<i32>);\nimpl Stack {\n  pub fn new() -> Self { Stack(vec![]) }\n  pub fn push(mut self, x: i32) -> Self { self.0.push(x); self }\n  pub fn peek(&self) -> Option<&i32> { self.0.last() }\n}", "Stack::new().push(1).push(2).peek()", "Some(2)")]
    [InlineData("rust", "#[derive(PartialEq)]\npub struct P { x: i32 }", "{ let p = P { x: 1 }; p == P { x: 1 } }", "true")]
    [InlineData("go", "package main\n\nimport \"strings\"\n\nfunc Up(s string) string {\n\treturn strings.ToUpper(s)\n}", "strings.Repeat(Up(\"a\"), 2)", "\"AA\"")]
    [InlineData("bash", "shopt -s extglob\nkind() { case $1 in +([0-9])) echo number;; *) echo other;; esac; }", "kind 12", "number")]
    [InlineData("bash", "twice() { echo $((2 * $1)); }\nexit 0", "twice 3", "6")]
    [InlineData("bash", "twice() { echo $((2 * $1)); }\nmain() { exit; }\nmain", "twice 3", "6")]
    public async Task A_call_gives_its_value(string language, string source, string call, string expected) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(language, source, new CodeTest(call, null, expected)));

    [Theory]
    [InlineData("c", "int pow(int a, int b) { int r = 1; while (b-- > 0) r *= a; return r; }\nint read(int x) { return x; }\nint abs(int x) { return x < 0 ? -x : x; }", "pow(2, read(abs(-3)))", "8")]
    [InlineData("c", "typedef enum { false, true } bool;\nbool odd(int n) { return n % 2 ? true : false; }", "odd(3) == true", "true")]
    [InlineData("c", "const char* name(void) { return \"ab\"; }", "strlen(name())", "2")]
    [InlineData("csharp", "public class Environment { public int X = 1; }\npublic class Console { }\npublic class StringBuilder { }\npublic class Exception { }\npublic class Type { }\npublic static class S { public static int F() => new Environment().X; }", "S.F()", "1")]
    [InlineData("java", "class List { int x = 3; }\nclass Map { }\nclass StringBuilder { }\nclass Exception { }\nclass Array { }\nclass Solution { static int f() { return new List().x; } }", "Solution.f()", "3")]
    [InlineData("go", "package main\n\nvar strings = []string{\"a\"}\nvar math, big, json, os, fmt, reflect, strconv = 1, 2, 3, 4, 5, 6, 7\n\nfunc F() int { return len(strings) + math + big + json + os + fmt + reflect + strconv }", "F()", "29")]
    [InlineData("rust", "pub fn run(a: i32) -> i32 { a + 1 }\npub fn out(a: i32) -> i32 { a + 2 }", "run(out(1))", "4")]
    [InlineData("bash", "IFS=,\nPATH=/nowhere\nsort() { echo no; }\nls() { sort; }\nbase64() { sort; }\nread() { sort; }\nprintf() { sort; }\ntwice() { echo $((2 * $1)); }", "twice 3", "6")]
    public async Task Names_of_a_program_are_its_own(string language, string source, string call, string expected) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(language, source, new CodeTest(call, null, expected), new CodeTest(call, null, expected)));

    [Theory]
    [InlineData("csharp", "public static class S { public static int[,] F() => new[,] { { 1 }, { 2 }, { 3 }, { 4 } }; }", "S.F()", "new[,] { { 1, 2 }, { 3, 4 } }", Verdict.Failed)]
    [InlineData("bash", "twice() { echo $((2 * $1)); }\nexit 3", "twice 3", "6", Verdict.RuntimeError)]
    [InlineData("bash", "echo '{\"i\":0,\"value\":\"6\"}' >&8\nexit 0", "twice 3", "6", Verdict.RuntimeError)]
    [InlineData("typescript", "function f(x: number { return 1; }", "f(1)", "1", Verdict.CompileError)]
    public async Task And_no_other_than_its_value(string language, string source, string call, string expected, Verdict verdict)
    {
        Grade grade = await shared.GradeAsync(language, source, new CodeTest(call, null, expected));
        Assert.Equal(verdict, grade.Verdict);
        Assert.StartsWith(verdict == Verdict.CompileError ? "line 1, column " : "", grade.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("php", "<?php\n$line = readline();\necho strrev($line), posix_getpid() > 0 ? '' : '?';", "abc\n", "cba")]
    [InlineData("php", "<?php\nwhile (($line = readline()) !== false) echo $line;", "a\nb\n", "ab")]
    public async Task A_program_reads_and_prints(string language, string source, string stdin, string expected) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(language, source, new CodeTest(null, stdin, expected)));
}
