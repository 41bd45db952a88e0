using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests;

public sealed class PythonAssertionTests
{
    [Theory]
    [InlineData("assert f(2) == 4", "f(2)", "4")]
    [InlineData("f('a == b') == 'c, d'", "f('a == b')", "'c, d'")]
    [InlineData("assert f([1, 2], k=3) == [1, {'a': (2, None)}], 'message'", "f([1, 2], k=3)", "[1, {'a': (2, None)}]")]
    [InlineData("assert f(1e-3) == -1.5e+10", "f(1e-3)", "-1.5e+10")]
    [InlineData("f(x == 1) == r'\\d'", "f(x == 1)", "r'\\d'")]
    [InlineData("f(1) == 0xe", "f(1)", "0xe")]
    [InlineData("assert 4 == f(2)", "f(2)", "4")]
    public void A_literal_on_the_right_is_what_is_expected(string text, string call, string expected) =>
        Assert.Equal(new CodeTest(call, null, expected), PythonAssertion.Parse(text));

    [Theory]
    [InlineData("assert is_even(2)", "is_even(2)")]
    [InlineData("assert not f(1) == 2", "not f(1) == 2")]
    [InlineData("f(1) == 2 and f(2) == 3", "f(1) == 2 and f(2) == 3")]
    [InlineData("assert 1 == f(1) == 1", "1 == f(1) == 1")]
    [InlineData("abs(f(1) - 0.5) < 1e-9", "abs(f(1) - 0.5) < 1e-9")]
    [InlineData("f(1) != 2", "f(1) != 2")]
    [InlineData("f(1) is None", "f(1) is None")]
    public void Any_other_condition_is_evaluated_for_its_truth(string text, string condition) =>
        Assert.Equal(new CodeTest($"not not ({condition})", null, "True"), PythonAssertion.Parse(text));

    [Fact]
    public void A_right_side_that_is_no_literal_is_expected_if_it_has_a_value_without_the_candidate() =>
        Assert.Equal(new CodeTest("f(1)", null, "sorted([3])", false, "not not (f(1) == sorted([3]))"), PythonAssertion.Parse("assert f(1) == sorted([3])"));

    [Theory]
    [InlineData("")]
    [InlineData("assert ")]
    [InlineData("f(1 == 2")]
    [InlineData("f('a) == 2")]
    public void What_cannot_be_a_test_is_an_error(string text) => Assert.Throws<ArgumentException>(() => PythonAssertion.Parse(text));
}
