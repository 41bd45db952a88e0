namespace Dataflow.Engine.Definition;

/// <summary>Values that came from <c>${env:…}</c> and <c>${file:…}</c>: never written anywhere.</summary>
public sealed class SecretRegistry
{
    private readonly HashSet<string> values = new(StringComparer.Ordinal);

    /// <summary>Short values (flags, numbers) are not secrets and would garble every message.</summary>
    public void Add(string value)
    {
        if (value.Length >= 6)
        {
            values.Add(value);
        }
    }

    public string Redact(string text)
    {
        foreach (string value in values)
        {
            text = text.Replace(value, "***", StringComparison.Ordinal);
        }

        return text;
    }
}
