using System.Text;
using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>
/// The first lines of a Llama 3.1 system message: <c>Environment: ipython</c> turns the interpreter on, <c>Tools:</c> names
/// the built-in tools (never the interpreter), two dates, a blank line, then the prompt's own text.
/// </summary>
public sealed record SystemPrompt(string Text)
{
    public bool Interpreter { get; init; }

    public IReadOnlyList<string> BuiltInTools { get; init; } = [];

    /// <summary>Such as <c>December 2023</c>; null leaves the line out.</summary>
    public string? KnowledgeDate { get; init; }

    /// <summary>Such as <c>21 September 2024</c>; null leaves the line out.</summary>
    public string? Today { get; init; }

    public override string ToString()
    {
        var lines = new List<string>();
        if (Interpreter)
        {
            lines.Add("Environment: ipython");
        }

        if (BuiltInTools.Where(tool => tool != ToolCall.Interpreter).ToArray() is { Length: > 0 } tools)
        {
            lines.Add("Tools: " + string.Join(", ", tools));
        }

        if (KnowledgeDate is not null)
        {
            lines.Add("Cutting Knowledge Date: " + KnowledgeDate);
        }

        if (Today is not null)
        {
            lines.Add("Today Date: " + Today);
        }

        return lines.Count == 0 ? Text : Text.Length == 0 ? string.Join('\n', lines) : string.Join('\n', lines) + "\n\n" + Text;
    }

    /// <summary>A first user message with definitions of tools before it, for zero-shot calls in JSON.</summary>
    /// <param name="definitions">One JSON schema of a function each.</param>
    public static string WithTools(string question, IEnumerable<JsonNode> definitions)
    {
        var text = new StringBuilder("Answer the user's question by making use of the following functions if needed.\n")
            .Append("If none of the function can be used, please say so.\n")
            .Append("Here is a list of functions in JSON format:\n");
        foreach (JsonNode definition in definitions)
        {
            text.Append(ToolCallWriter.Json(definition)).Append('\n');
        }

        return text.Append("\nReturn function calls in JSON format.\n\n").Append(question).ToString();
    }
}

/// <summary>Body of an ipython message: what a tool gave back.</summary>
public sealed record ToolResult(bool Completed, string Output = "", string Error = "")
{
    public override string ToString() =>
        (Completed ? "completed" : "failed") + (Output.Length > 0 ? $"\n[stdout]{Output}[/stdout]" : "") + (Error.Length > 0 ? $"\n[stderr]{Error}[/stderr]" : "");
}
