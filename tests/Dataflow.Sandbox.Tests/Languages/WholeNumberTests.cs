using System.Text.Json.Nodes;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Whole numbers count by all their digits, however many.</summary>
public sealed class WholeNumberTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private const string Factorial25 = "15511210043330985984000000";

    private static readonly LanguageSet Known = LanguageSet.Standard();

    /// <summary>Programs whose f gives 25!, or the largest unsigned integer of 64 bits where the language has none that is larger.</summary>
    public static TheoryData<string, string, string> Programs => new()
    {
        { "python", "import math\ndef f(): return math.factorial(25)", Factorial25 },
        { "javascript", "function f() { let x = 1n; for (let i = 2n; i < 26n; i++) x *= i; return x; }", Factorial25 },
        { "typescript", "function f(): bigint { let x = BigInt(1); for (let i = 2; i < 26; i++) x *= BigInt(i); return x; }", Factorial25 },
        { "c", "unsigned __int128 f(void) { unsigned __int128 x = 1; for (int i = 2; i < 26; i++) x *= i; return x; }", Factorial25 },
        { "cpp", "unsigned __int128 f() { unsigned __int128 x = 1; for (int i = 2; i < 26; i++) x *= i; return x; }", Factorial25 },
        { "csharp", "System.Numerics.BigInteger f() { System.Numerics.BigInteger x = 1; for (int i = 2; i < 26; i++) x *= i; return x; }", Factorial25 },
        { "java", "static java.math.BigInteger f() { var x = java.math.BigInteger.ONE; for (int i = 2; i < 26; i++) x = x.multiply(java.math.BigInteger.valueOf(i)); return x; }", Factorial25 },
        { "go", "package main\nimport \"math/big\"\nfunc f() *big.Int { return new(big.Int).MulRange(1, 25) }", Factorial25 },
        { "go", "package main\nimport \"math/big\"\nfunc f() big.Int { return *new(big.Int).MulRange(1, 25) }", Factorial25 },
        { "rust", "fn f() -> u128 { (1..=25).product() }", Factorial25 },
        { "c", "unsigned long long f(void) { return ~0ULL; }", "18446744073709551615" },
        { "cpp", "unsigned long long f() { return ~0ULL; }", "18446744073709551615" },
        { "go", "package main\nfunc f() uint64 { return 1<<64 - 1 }", "18446744073709551615" },
        { "php", "function f() { return 9223372036854775807; }", "9223372036854775807" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task A_whole_number_equals_the_same_digits_and_no_others(string name, string source, string digits)
    {
        char last = digits[^1] == '0' ? '1' : (char)(digits[^1] - 1);
        foreach (bool json in new[] { true, false })
        {
            // Without it JavaScript reads a number that has other digits.
            string suffix = !json && (name is "javascript" or "typescript") ? "n" : "";
            Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(name, source, new CodeTest("f()", null, digits + suffix, json)));
            Assert.Equal(new Grade(Verdict.Failed, $"test 1: f() gave {digits}"), await shared.GradeAsync(name, source, new CodeTest("f()", null, digits[..^1] + last + suffix, json)));
        }
    }

    [Theory]
    [InlineData("python", "2.0 ** 62", "4611686018427387904")]
    [InlineData("javascript", "2 ** 62", "4611686018427387904")]
    [InlineData("php", "2.0 ** 56", "72057594037927936")]
    [InlineData("java", "Math.pow(2, 62)", "4611686018427387904")]
    [InlineData("csharp", "Math.Pow(2, 62)", "4611686018427387904")]
    [InlineData("sql", "4611686018427387904.0", "4611686018427387904")]
    public async Task A_float_that_is_whole_equals_the_number_that_it_is(string name, string call, string digits) =>
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(name, "", new CodeTest(call, null, digits, true)));

    [Theory]
    [InlineData("python")]
    [InlineData("javascript")]
    [InlineData("c")]
    [InlineData("cpp")]
    [InlineData("csharp")]
    [InlineData("java")]
    [InlineData("go")]
    [InlineData("rust")]
    public async Task A_number_of_more_than_63_bits_is_written_as_the_language_reads_it(string name)
    {
        Language language = Known.Find(name)!;
        CodeTest[] tests = new[] { "18446744073709551615", "-9223372036854775808", name is "c" or "cpp" or "go" ? "9223372036854775808" : "-" + Factorial25 }
            .Select(digits => new CodeTest(language.Literal(JsonNode.Parse(digits)), null, digits, true)).ToArray();
        Assert.Equal(new Grade(Verdict.Passed, ""), await shared.GradeAsync(name, "", tests));
    }

    [Fact]
    public async Task A_list_of_whole_numbers_is_told_from_one_of_floats() => Assert.Equal(
        Verdict.Failed, (await shared.GradeAsync("python", "def f(): return [1e20]", new CodeTest("f()", null, "[100000000000000000001]", true))).Verdict);

    [Fact]
    public async Task A_whole_number_as_a_key_is_the_text_of_its_digits_in_JSON() => Assert.Equal(
        new Grade(Verdict.Passed, ""), await shared.GradeAsync("python", "def f(): return {10 ** 25: 1}", new CodeTest("f()", null, "{\"10000000000000000000000000\": 1}", true)));
}
