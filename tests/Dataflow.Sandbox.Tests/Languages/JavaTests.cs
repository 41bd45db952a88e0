using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Which class of a Java source is the one to run.</summary>
public sealed class JavaTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private const string Main = "public static void main(String[] args) { System.out.println(1); }";

    [Theory]
    [InlineData("public class Main {\n    static class Node { int v; }\n    " + Main + "\n}")]
    [InlineData("public class Main {\n  class Inner {}\n  interface Shape {}\n  " + Main + "\n  static class Other { public static void main(String[] a) { System.out.println(2); } }\n}")]
    public Task A_nested_class_is_not_the_one_to_run(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("/** This class reads a number and prints it. */\npublic class Main {\n" + Main + "}")]
    [InlineData("// class Foo {\n/* public class Bar {\nclass Baz { */\npublic class Main {\n" + Main + "}")]
    [InlineData("public class Main {\n  static String s = \"class Foo {\" + '\"' + \"\\\"package x; class Bar {\";\n  " + Main + "}")]
    [InlineData("public class Main {\n  static String s = \"\"\"\npackage x;\npublic class Foo { \\\"\"\" }\nimport y;\n\"\"\";\n  " + Main + "}")]
    public Task What_comments_and_strings_say_declares_no_class(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("import java.util.*;public class Main{" + Main + "}")]
    [InlineData("package foo; public class Prog{" + Main + "}")]
    [InlineData("  package foo;\n\n  import java.util.*;\n  public final class Prog {\n  " + Main + "}")]
    [InlineData("@SuppressWarnings({\"all\"}) @Deprecated public class Main { static Class<?> c = String.class;" + Main + "}")]
    public Task A_class_is_found_wherever_it_stands_in_its_line(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("record Start(int x) { " + Main + " }")]
    [InlineData("enum Start { A, B; " + Main + " }")]
    [InlineData("interface Start { static void main(String... args) { System.out.println(1); } }")]
    [InlineData("class Start { " + Main + " }")]
    [InlineData("class Helper { int v; }\npublic class Solution { }\nclass Start { public static final synchronized void main(final String[] args) throws Exception { System.out.println(1); } }")]
    [InlineData("class $Start { " + Main + " }")]
    public Task A_type_of_any_kind_and_name_can_be_the_one_to_run(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("class First { " + Main + " }\nclass Another { public static void main(String[] args) { System.out.println(2); } }")]
    [InlineData("class First { public static void main(String[] args) { System.out.println(2); } }\npublic class Main { " + Main + " }")]
    [InlineData("class Early { void main(int x) { } public static int main(String[] args, int x) { return 2; } }\nclass Late { " + Main + " }")]
    public Task Of_several_the_public_one_runs_or_else_the_first_that_can(string source) => PrintsOneAsync(source);

    [Theory]
    [InlineData("// Adds.\nimport java.util.*;\nstatic List<Integer> all = new ArrayList<>();\n" + Main)]
    [InlineData("static Class<?> c = String.class;\n/* class X { */\nstatic class Node { }\n" + Main)]
    public Task Methods_without_a_class_may_have_comments_and_classes_beside_them(string source) => PrintsOneAsync(source);

    [Fact]
    public async Task A_mistake_after_a_package_clause_is_told_in_its_own_line() =>
        Assert.Equal((3, 11), await GradeAsync("\npackage a.b;\nclass A { x y; }", "1") is { Verdict: Verdict.CompileError } grade ? (grade.Line, grade.Column) : default);

    private async Task PrintsOneAsync(string source) => Assert.Equal(new Grade(Verdict.Passed, ""), await GradeAsync(source, "1"));

    private Task<Grade> GradeAsync(string source, string expected) =>
        shared.GradeAsync("java", source, new CodeTest(null, null, expected));
}
