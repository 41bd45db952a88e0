extern alias BackTranslation;

using System.Text;
using BackTranslation::Dataflow.Plugins.BackTranslation;

namespace Dataflow.Plugins.Tests.BackTranslation;

public sealed class LeakCheckTests
{
    private const string Code = """
        def merge(intervals):
            # Sorted by their start, each one either overlaps the last merged interval or begins a new one.
            merged = []
            for start, end in sorted(intervals):
                if merged and start <= merged[-1][1]:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            return merged
        """;

    [Theory]
    [InlineData("The function merge(intervals) takes a list of pairs and returns the smallest list of disjoint intervals that covers the same numbers. It raises nothing; an empty list gives an empty list.")]
    [InlineData("Sort the intervals by start. Walk over them, keeping the last merged one: if the next begins no later than it ends, extend its end to the larger of the two; if not, begin a new one. Cost: O(n log n) time.")]
    [InlineData("`merge(intervals)` -> list of `[start, end]`. Parameters: intervals (list of pairs).")]
    [InlineData("Watch for start == end, for intervals that touch ([1, 2] and [2, 3] become [1, 3]), and for merged being empty at the first step.")]
    public void A_description_in_its_own_words_is_no_leak(string description) => Assert.Null(LeakCheck.Find(description, Code));

    [Fact]
    public void The_whole_code_in_a_fence_is_a_leak() => Assert.NotNull(LeakCheck.Find($"It does this:\n```python\n{Code}\n```", Code));

    [Theory]
    [InlineData("At the end it does `merged[-1][1] = max(merged[-1][1], end)` and goes on.")]
    [InlineData("It loops (for start, end in sorted(intervals): if merged and start <= merged[-1][1]) and extends.")]
    [InlineData("if merged\n   and start\n<= merged [ -1 ] [ 1 ] : then extend")]
    [InlineData("Sorted by their start, each one either overlaps the last merged interval or begins a new one, which is why one pass is enough.")]
    public void A_statement_or_a_comment_taken_over_is_a_leak(string description) => Assert.NotNull(LeakCheck.Find(description, Code));

    [Fact]
    public void The_code_under_other_names_is_a_leak()
    {
        string renamed = Code.Replace("merged", "out", StringComparison.Ordinal).Replace("intervals", "xs", StringComparison.Ordinal).Replace("start", "a", StringComparison.Ordinal).Replace("end", "b", StringComparison.Ordinal);
        Assert.NotNull(LeakCheck.Find("Like so: " + renamed, Code));
    }

    [Fact]
    public void Encoded_code_is_a_leak() => Assert.NotNull(LeakCheck.Find("Reference: " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Code)), Code));

    public static TheoryData<string> Disguises => new(
        Convert.ToHexString(Encoding.UTF8.GetBytes(Code)),
        string.Join(' ', Encoding.UTF8.GetBytes(Code).Select(each => $"0x{each:x2}")),
        Uri.EscapeDataString(Code),
        string.Concat(Code.Reverse()),
        string.Concat(Code.Select(each => each is > ' ' and <= '~' ? (char)(each + 0xFEE0) : each)),
        string.Join('\u200b', Code.AsEnumerable()));

    [Theory]
    [MemberData(nameof(Disguises))]
    public void Code_in_a_disguise_that_a_reader_sees_through_is_a_leak(string disguised) => Assert.NotNull(LeakCheck.Find("Note: " + disguised, Code));

    [Fact]
    public void Ordinary_prose_about_other_code_is_no_leak()
    {
        // Real documentation of real functions against code that it does not belong to.
        string[] prose =
        [
            "Return a list of the n largest elements of the iterable. If key is given, it is a function of one argument that extracts a comparison key from each element: for example, key=str.lower.",
            "Locate the insertion point for x in a to maintain sorted order. The parameters lo and hi may be used to specify a subset of the list which should be considered; by default the entire list is used.",
        ];
        Assert.All(prose, text => Assert.Null(LeakCheck.Find(text, Code)));
    }

    private const string Short = """
        total = 0
        count = 0
        for x in xs:
            y = x * 2
            total += y
            count += 1
        mean = total / count
        if mean > 3:
            mean = 3
        return mean
        """;

    [Theory]
    [InlineData("{0} {1}")]
    [InlineData("+ {1}")]
    [InlineData("| {1} | sets it |")]
    [InlineData("{1}  # step {0}")]
    [InlineData("- First `{1}`, which is needed.")]
    public void Short_statements_with_anything_between_are_a_leak(string form)
    {
        string description = string.Join('\n', Short.Split('\n').Select((line, i) => string.Format(System.Globalization.CultureInfo.InvariantCulture, form, i + 1, line.Trim())));
        Assert.NotNull(LeakCheck.Find(description, Short));
    }

    [Theory]
    [InlineData("It doubles each number of `xs`, adds the results up into `total`, counts them in `count`, and returns their mean, but never more than 3.")]
    [InlineData("After the loop `mean = total / count` is taken; `if mean > 3:` it is cut to 3. An empty `xs` divides by zero.")]
    [InlineData("Start with total = 0. Walk over xs (for x in xs: ...). Example: xs = [1, 2] gives total = 6 and count = 2, so the mean is 3.")]
    public void A_few_quoted_names_and_lines_are_no_leak(string description) => Assert.Null(LeakCheck.Find(description, Short));
}
