using System.Text.Json.Nodes;
using CsCheck;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>What a language writes for a JSON value, it reads as that value.</summary>
public sealed class LiteralTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private const int Values = 60;

    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static TheoryData<string> Names => new(Known.All.Select(language => language.Name));

    private static Gen<JsonNode?> Scalar { get; } = Gen.OneOf(
        Gen.Int.Select(number => (JsonNode?)number),
        Gen.Long[-(1L << 60), 1L << 60].Select(number => (JsonNode?)number),
        Gen.Double[-1e6, 1e6].Select(number => (JsonNode?)number),
        Gen.Bool.Select(flag => (JsonNode?)flag),
        Text.Select(text => (JsonNode?)text),
        Gen.Const((JsonNode?)null));

    private static readonly string[] Pieces = ["a", "\"", "\\", "'", "$x", "{", "}", "%d", "\n", "\t", "\u007f", "é", "日本", "😀", "?\u0001", "`", "#", "\\n"];

    private static Gen<string> Text => Gen.Int[0, 17].Select(i => Pieces[i]).Array[0, 6].Select(string.Concat);

    // Of one type each, as every typed language has them.
    private static Gen<JsonNode?> Container { get; } = Gen.OneOf(
        Gen.Int.Array[0, 4].Select(items => (JsonNode?)new JsonArray(items.Select(item => (JsonNode?)item).ToArray())),
        Text.Array[0, 3].Select(items => (JsonNode?)new JsonArray(items.Select(item => (JsonNode?)item).ToArray())),
        Gen.Int.Array[1, 3].Array[1, 3].Select(rows => (JsonNode?)new JsonArray(rows.Select(row => (JsonNode?)new JsonArray(row.Select(item => (JsonNode?)item).ToArray())).ToArray())),
        Gen.Dictionary(Text, Gen.Int)[1, 3].Select(pairs => (JsonNode?)new JsonObject(pairs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)))),
        Gen.Dictionary(Text, Gen.Double[-10, 10].Array[1, 2])[1, 3].Select(pairs => (JsonNode?)new JsonObject(pairs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonArray(pair.Value.Select(item => (JsonNode?)item).ToArray()))))));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_JSON_value_comes_back_as_it_was(string name)
    {
        Language language = Known.Find(name)!;
        JsonNode?[] values = Gen.OneOf(Scalar, Container).Array[Values].Single(_ => true, "0N0XIzNsQ0O2").ToArray();
        CodeTest[] tests = values.Select(value => Test(language, value)).OfType<CodeTest>().ToArray();
        Assert.InRange(tests.Length, Values / 4, Values);
        var limits = new SandboxLimits { MemoryBytes = 512_000_000 };
        Assert.Equal(new Grade(Verdict.Passed, ""), await new CodeGrader(shared.Pool, language, limits).GradeAsync("", tests, CancellationToken.None));
    }

    // What a language cannot write it says so; scalars are written by all.
    private static CodeTest? Test(Language language, JsonNode? value)
    {
        try
        {
            string literal = language.Literal(value);
            string call = language is Bash ? "printf '%s\\n' " + literal : literal;
            return new CodeTest(call, null, value?.ToJsonString() ?? "null", true);
        }
        catch (ArgumentException)
        {
            Assert.True(value is JsonArray or JsonObject, $"{language.Name} cannot write {value?.ToJsonString() ?? "null"}");
            return null;
        }
    }
}
