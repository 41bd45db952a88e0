using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Plugins.Prompts;

namespace Dataflow.Plugins.Tests.Prompts;

public sealed class TemplateSourceTests
{
    private static readonly TaskOptions Add = new()
    {
        Name = "add",
        Variables = new Dictionary<string, VariableOptions> { ["a"] = new() { Int = [0, 9] }, ["b"] = new() { Int = [0, 9] } },
        Prompt = "{{ a }}+{{ b }}",
        Answer = "{{ a | plus: b }}",
        Key = "{{ a | at_most: b }},{{ a | at_least: b }}",
    };

    private static readonly TaskOptions Reverse = new()
    {
        Name = "reverse",
        Variables = new Dictionary<string, VariableOptions> { ["w"] = new() { Letters = [3, 5] } },
        Prompt = "reverse {{ w }}",
        Answer = "{{ w | reverse_text }}",
        Wrong = "{{ w }}",
    };

    [Fact]
    public async Task A_row_is_drawn_from_its_task_s_templates()
    {
        foreach (OutRow row in await ReadAsync(new() { Count = 200, Tasks = [Add, Reverse] }))
        {
            string prompt = (string)row["prompt"]!;
            if ((string)row["task"]! == "add")
            {
                int[] terms = prompt.Split('+').Select(term => int.Parse(term, CultureInfo.InvariantCulture)).ToArray();
                Assert.Equal(terms.Sum().ToString(CultureInfo.InvariantCulture), row["answer"]);
                Assert.Equal($"add:{terms.Min()},{terms.Max()}", row["key"]);
                Assert.All(terms, term => Assert.InRange(term, 0, 9));
            }
            else
            {
                string word = prompt["reverse ".Length..];
                Assert.InRange(word.Length, 3, 5);
                Assert.Equal((string.Concat(word.Reverse()), word, "reverse:" + prompt), ((string)row["answer"]!, (string)row["wrong"]!, (string)row["key"]!));
            }
        }
    }

    [Fact]
    public async Task Variables_may_be_chosen_and_derived_from_earlier_ones()
    {
        var task = new TaskOptions
        {
            Name = "t",
            Variables = new Dictionary<string, VariableOptions> { ["n"] = new() { Int = [5, 5] }, ["m"] = new() { Liquid = "{{ n | times: 2 }}" }, ["c"] = new() { Choice = ["x", "y"] } },
            Prompt = "{{ m | plus: 1 }}{{ c }}",
        };
        List<OutRow> rows = await ReadAsync(new() { Count = 50, Tasks = [task] });
        Assert.Equal(["11x", "11y"], rows.Select(row => (string)row["prompt"]!).Distinct().Order());
        Assert.All(rows, row => Assert.Null(row["answer"]));
        Assert.All(rows, row => Assert.Null(row["wrong"]));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_rows_and_a_row_hangs_on_its_number_alone()
    {
        var options = new TemplateSourceOptions { Count = 100, Tasks = [Add, Reverse] };
        string[] rows = (await ReadAsync(options)).Select(row => RowJson.Write(row.Values)).ToArray();
        Assert.Equal(rows, (await ReadAsync(options, batchRows: 7)).Select(row => RowJson.Write(row.Values)));
        Assert.Equal(rows.Take(40), (await ReadAsync(options with { Count = 40 })).Select(row => RowJson.Write(row.Values)));
        Assert.NotEqual(rows, (await ReadAsync(options, seed: 2)).Select(row => RowJson.Write(row.Values)));
    }

    [Fact]
    public async Task Unique_makes_each_key_once_and_all_of_them_if_asked()
    {
        List<OutRow> rows = await ReadAsync(new() { Count = 55, Tasks = [Add], Unique = true });
        Assert.Equal(55, rows.Select(row => row["key"]).Distinct().Count());
    }

    [Fact]
    public async Task Unique_fails_when_there_are_no_more()
    {
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => ReadAsync(new() { Count = 56, Tasks = [Add], Unique = true }));
        Assert.Equal("the templates give no more unique tasks after 55; lower 'count' or widen the variables", failure.Message);
    }

    [Fact]
    public async Task Tasks_are_drawn_by_weight()
    {
        List<OutRow> rows = await ReadAsync(new() { Count = 4000, Tasks = [Add with { Name = "one", Weight = 1 }, Add with { Name = "three", Weight = 3 }, Add with { Name = "never", Weight = 0 }] });
        Assert.InRange(rows.Count(row => (string)row["task"]! == "one"), 1000 - 110, 1000 + 110);
        Assert.DoesNotContain(rows, row => (string)row["task"]! == "never");
    }

    [Fact]
    public async Task A_wrong_answer_that_is_not_given_differs_in_one_letter_or_digit()
    {
        foreach (OutRow row in await ReadAsync(new() { Count = 300, Tasks = [Add, Reverse with { Wrong = null, Answer = "{{ w | upcase }}!" }] }))
        {
            string answer = (string)row["answer"]!;
            string wrong = (string)row["wrong"]!;
            Assert.Equal(answer.Length, wrong.Length);
            (char right, char changed) = Assert.Single(answer.Zip(wrong), pair => pair.First != pair.Second);
            Assert.Equal((char.IsAsciiDigit(right), char.IsAsciiLetterUpper(right)), (char.IsAsciiDigit(changed), char.IsAsciiLetterUpper(changed)));
        }

        Assert.Null((await ReadAsync(new() { Count = 1, Tasks = [Add with { Answer = "+-" }] }))[0]["wrong"]);
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["tasks: at least one task is needed"], Complaints(new() { Count = 1, Tasks = [] }));
        Assert.Equal(["tasks: one task at least needs a weight above 0"], Complaints(new() { Count = 1, Tasks = [Add with { Weight = 0 }] }));
        Assert.Equal(["tasks[0].prompt: the input has no column 'c'", "tasks[0].answer: the input has no column 'd'"], Complaints(new() { Count = 1, Tasks = [Add with { Prompt = "{{ c }}", Answer = "{{ d }}" }] }));
        Assert.StartsWith("tasks[0].wrong: template: ", Assert.Single(Complaints(new() { Count = 1, Tasks = [Add with { Wrong = "{{ a" }] })), StringComparison.Ordinal);
        Assert.Equal("tasks[0].variables.v: variable 'v' needs one of int, letters, choice, liquid", Variable(new()));
        Assert.Equal("tasks[0].variables.v: variable 'v' needs one of int, letters, choice, liquid", Variable(new() { Int = [1, 2], Choice = ["a"] }));
        Assert.Equal("tasks[0].variables.v: a range is [low, high]", Variable(new() { Int = [2, 1] }));
        Assert.Equal("tasks[0].variables.v: a range is [low, high]", Variable(new() { Letters = [0, 1] }));
        Assert.Equal("tasks[0].variables.v: a range spans at most 2^53 numbers", Variable(new() { Int = [0, long.MaxValue] }));
        Assert.Equal("tasks[0].variables.v: a range spans at most 2^53 numbers", Variable(new() { Int = [long.MinValue, long.MaxValue] }));
        Assert.Equal("tasks[0].variables.v: there is nothing to choose from", Variable(new() { Choice = [] }));
        Assert.Equal("tasks[0].variables.v: the input has no column 'later'", Variable(new() { Liquid = "{{ later }}" }));

        static string Variable(VariableOptions variable) =>
            Assert.Single(Complaints(new() { Count = 1, Tasks = [new TaskOptions { Name = "t", Prompt = "x", Variables = new Dictionary<string, VariableOptions> { ["v"] = variable, ["later"] = new() { Int = [1, 2] } } }] }));

        static string[] Complaints(TemplateSourceOptions options) => Stages.Complaints<TemplateSource, TemplateSourceOptions>(options);
    }

    [Fact]
    public async Task Corrupt_hits_its_share_by_text_and_says_which()
    {
        MemoryRows rows = Answers(Enumerable.Range(0, 4000).Select(i => new object?[] { $"p{i / 2}", $"right{i}", $"wrong{i}" }).ToArray());
        List<OutRow> corrupted = await CorruptAsync(new() { Share = 0.3 }, rows);
        Assert.InRange(corrupted.Count(row => row["corrupted"] is true), 1200 - 240, 1200 + 240);
        Assert.All(corrupted.Index(), row => Assert.Equal((row.Item["corrupted"] is true ? "wrong" : "right") + row.Index, row.Item["answer"]));
        Assert.All(corrupted.Chunk(2), pair => Assert.Equal(pair[0]["corrupted"], pair[1]["corrupted"]));
        Assert.NotEqual(corrupted.Select(row => row["corrupted"]), (await CorruptAsync(new() { Share = 0.3 }, rows, 2)).Select(row => row["corrupted"]));
    }

    [Theory]
    [InlineData(0.0, false)]
    [InlineData(1.0, true)]
    public async Task Corrupt_of_nothing_or_everything_is_exact(double share, bool hit) =>
        Assert.All(await CorruptAsync(new() { Share = share }, Answers(Enumerable.Range(0, 50).Select(i => new object?[] { $"p{i}", "a", "b" }).ToArray())), row => Assert.Equal(hit, row["corrupted"]));

    [Fact]
    public async Task Corrupt_leaves_a_row_without_a_wrong_answer_as_it_is() =>
        Assert.Equal([("a", (object?)false), ("a", false)], (await CorruptAsync(new() { Share = 1 }, Answers(["p", "a", null], ["q", "a", "a"]))).Select(row => ((string)row["answer"]!, row["corrupted"])));

    [Fact]
    public void Corrupt_needs_text_columns()
    {
        var schema = Columns.Schema(("q", Columns.Text), ("wrong", Columns.Integer));
        Assert.Equal(
            ["answer: the input has no column 'x'", "wrong: column 'wrong' is integer, but text is needed"],
            Stages.Complaints<Corrupt, CorruptOptions>(new() { Share = 1, Answer = "x", By = "q" }, ("in", schema)));
    }

    private static MemoryRows Answers(params object?[][] rows) => MemoryRows.Of(Columns.Schema(("prompt", Columns.Text), ("answer", Columns.Text), ("wrong", Columns.Text)), rows);

    private static Task<List<OutRow>> CorruptAsync(CorruptOptions options, MemoryRows rows, ulong seed = 1) => Stages.TransformAsync(new Corrupt(options), options, rows, new StageTestContext(seed: seed));

    private static Task<List<OutRow>> ReadAsync(TemplateSourceOptions options, ulong seed = 1, int batchRows = 1000) =>
        Stages.SourceAsync(new TemplateSource(options), options, new StageTestContext(seed: seed, batchRows: batchRows));
}
