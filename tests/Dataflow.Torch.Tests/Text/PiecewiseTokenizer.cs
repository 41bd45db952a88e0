using System.Text;
using System.Text.Json.Nodes;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

/// <summary>
/// A byte-level BPE tokenizer of the test's own, with the ids that Llama 3 gives to the words of the reference dialogs.
/// Meta's own tokenizer.model may not be committed.
/// </summary>
internal static class PiecewiseTokenizer
{
    // Pieces in the order of their merges: an earlier one wins where two would overlap.
    private static readonly (string Text, int Id)[] Pieces =
    [
        ("Tools", 16992), (" the", 279), (" ip", 6125), ("ipy", 23799), ("ython", 27993), ("thon", 4690), (" brave", 34300), (" wol", 80714), ("ol", 337), ("fram", 92604),
        (" is", 374), (" test", 1296), (" sentence", 11914), (" response", 2077), (" decimal", 12395), (" of", 315), (" pi", 9115), (" a", 264),
        ("Environment", 13013), ("_search", 10947), ("_alpha", 27731), ("system", 9125), ("user", 882), ("assistant", 78191),
        ("stdout", 37458), ("completed", 35835), ("What", 3923), ("This", 2028), ("The", 791), ("Hi", 13347), (".call", 8692), ("(query", 10974),
        ("=\"", 429), ("\")", 909), ("[/", 25130), ("100", 1041), ("th", 339), ("ot", 354), ("_id", 851), ("\n\n", 271), ("\n\n\n", 1432),
    ];

    private static readonly Dictionary<string, int> Single = new(StringComparer.Ordinal)
    {
        [":"] = 25, ["\n"] = 198, [","] = 11, [" "] = 220, ["?"] = 30, ["w"] = 86, ["["] = 58, ["]"] = 60, ["7"] = 22, ["."] = 13, ["<"] = 27, ["|"] = 91, ["e"] = 68, [">"] = 29,
    };

    private static readonly (string Name, int Id)[] Specials =
    [
        ("<|begin_of_text|>", 128000), ("<|end_of_text|>", 128001), ("<|finetune_right_pad_id|>", 128004), ("<|start_header_id|>", 128006),
        ("<|end_header_id|>", 128007), ("<|eom_id|>", 128008), ("<|eot_id|>", 128009), ("<|python_tag|>", 128010),
    ];

    public static LlamaTokenizer Create()
    {
        var vocabulary = new JsonObject();
        var merges = new JsonArray();
        int spare = 100_000;
        for (int b = 0; b < 256; b++)
        {
            string symbol = Symbol((byte)b);
            vocabulary[symbol] = Single.TryGetValue(((char)b).ToString(), out int id) ? id : spare++;
        }

        foreach ((string text, _) in Pieces)
        {
            string symbols = string.Concat(Encoding.UTF8.GetBytes(text).Select(Symbol));
            for (int length = 2; length <= symbols.Length; length++)
            {
                if (!vocabulary.ContainsKey(symbols[..length]))
                {
                    int? id = Pieces.Where(piece => string.Concat(Encoding.UTF8.GetBytes(piece.Text).Select(Symbol)) == symbols[..length]).Select(piece => (int?)piece.Id).FirstOrDefault();
                    vocabulary[symbols[..length]] = id ?? spare++;
                    merges.Add($"{symbols[..(length - 1)]} {symbols[length - 1]}");
                }
            }
        }

        var added = new JsonArray([.. Specials.Select(special => (JsonNode)new JsonObject { ["id"] = special.Id, ["content"] = special.Name, ["special"] = true })]);
        var root = new JsonObject { ["added_tokens"] = added, ["pre_tokenizer"] = PreTokenizer(), ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = merges } };
        return LlamaTokenizer.Parse(root.ToJsonString());
    }

    private static JsonNode PreTokenizer() => JsonNode.Parse(LlamaTokenizer.Tiny().Source)!["pre_tokenizer"]!.DeepClone();

    // GPT-2's printable stand-ins for bytes.
    private static string Symbol(byte b)
    {
        static bool Printable(int x) => x is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        return ((char)(Printable(b) ? b : 256 + Enumerable.Range(0, b).Count(x => !Printable(x)))).ToString();
    }
}
