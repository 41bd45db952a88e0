using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>A call of a tool by a model.</summary>
public sealed record ToolCall(string Name, JsonObject Arguments)
{
    /// <summary>Name of the call that a body of plain code behind the python tag is; its one argument is <c>code</c>.</summary>
    public const string Interpreter = "code_interpreter";
}

/// <summary>How Llama 3 writes tool calls.</summary>
public enum ToolCallFormat
{
    /// <summary><c>brave_search.call(query="…")</c>: the tools it was trained with.</summary>
    BuiltIn,

    /// <summary><c>{"type": "function", "name": …, "parameters": {…}}</c>: zero-shot, 3.1.</summary>
    Json,

    /// <summary><c>&lt;function=name&gt;{…}&lt;/function&gt;</c>: custom tools of a system prompt.</summary>
    Function,

    /// <summary><c>[f(x=1), g(y="a")]</c>: zero-shot, 3.2 and later.</summary>
    Pythonic,
}

/// <summary>A reply taken apart.</summary>
/// <param name="Calls">The calls; empty for plain text.</param>
/// <param name="Format">How they were written; null for plain text and for code.</param>
/// <param name="Error">Why a reply that begins like a call is none; null otherwise.</param>
public sealed record ParsedReply(IReadOnlyList<ToolCall> Calls, ToolCallFormat? Format, string? Error);
