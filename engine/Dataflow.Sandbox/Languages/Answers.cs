using System.Text;
using System.Text.Json;

namespace Dataflow.Sandbox.Languages;

/// <summary>What came of one call: a value, or the error that it ended with.</summary>
public readonly record struct Answer(CanonicalValue Value, string? Error);

/// <summary>The answers of a run in the order of its calls, as far as they came.</summary>
/// <param name="Broken">The channel held something that no driver writes; what came after it is left out.</param>
public sealed record Answers(IReadOnlyList<Answer> Given, bool Broken)
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    /// <param name="token">What each line begins with: who does not know it did not evaluate the calls.</param>
    public static Answers Read(byte[] channel, string token)
    {
        byte[] prefix = Encoding.ASCII.GetBytes(token);
        var given = new List<Answer>();
        ReadOnlyMemory<byte> rest = channel;
        while (!rest.IsEmpty)
        {
            int end = rest.Span.IndexOf((byte)'\n');
            ReadOnlyMemory<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? ReadOnlyMemory<byte>.Empty : rest[(end + 1)..];
            if (end < 0 || !line.Span.StartsWith(prefix) || !TryRead(line[prefix.Length..], given.Count, out Answer answer))
            {
                return new Answers(given, true);
            }

            given.Add(answer);
        }

        return new Answers(given, false);
    }

    private static bool TryRead(ReadOnlyMemory<byte> line, int index, out Answer answer)
    {
        answer = default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Deep);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("i", out JsonElement i) || !i.TryGetInt32(out int number) || number != index)
            {
                return false;
            }

            if (root.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.String)
            {
                answer = new Answer(default, error.GetString());
                return true;
            }

            bool valued = root.TryGetProperty("value", out JsonElement value);
            answer = valued ? new Answer(CanonicalValue.Read(value), null) : default;
            return valued;
        }
        catch (Exception broken) when (broken is JsonException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }
}
