using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// What bubblewrap says of a start: first the id of its child, which then waits to be let go; at the end, and only if
/// the program itself was reached, its exit code.
/// </summary>
/// <param name="letGo">Called once with the child's id; what keeps it from going on, or null.</param>
internal sealed partial class SandboxStart(Func<int, string?> letGo)
{
    private readonly StringBuilder said = new();
    private bool introduced;

    /// <summary>Whether the program itself was reached.</summary>
    public bool Reached { get; private set; }

    /// <summary>Why it could not be let go.</summary>
    public string? Problem { get; private set; }

    /// <returns>False if the program must not go on.</returns>
    public bool Said(ReadOnlySpan<byte> bytes)
    {
        said.Append(Encoding.ASCII.GetString(bytes));
        string text = said.ToString();
        if (!introduced && ChildId().Match(text) is { Success: true } child)
        {
            introduced = true;
            Problem = letGo(int.Parse(child.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        }

        Reached = text.Contains("exit-code", StringComparison.Ordinal);
        return Problem is null;
    }

    [GeneratedRegex("\"child-pid\"\\s*:\\s*([0-9]+)\\s*[,}]")]
    private static partial Regex ChildId();
}
