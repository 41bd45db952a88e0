using System.Text.Json.Nodes;

namespace Dataflow.Cli.Serving;

/// <summary>A request that is not answered, as OpenAI's interface says it; the message is the client's to read.</summary>
/// <param name="parameter">The field that is to be mended.</param>
/// <param name="code">OpenAI's name for the case, where it has one.</param>
internal sealed class ApiException(int status, string message, string? parameter = null, string? code = null) : Exception(message)
{
    public int Status => status;

    public static ApiException BadRequest(string message, string? parameter = null, string? code = null) => new(400, message, parameter, code);

    public static ApiException Unsupported(string parameter, string why = "") =>
        BadRequest($"unsupported parameter: '{parameter}'{(why.Length > 0 ? ": " + why : " is not known here, or this value of it; leave it out")}", parameter, "unsupported_parameter");

    /// <summary>The body of the reply.</summary>
    public JsonObject ToJson() => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = Message,
            ["type"] = status switch { 401 => "authentication_error", >= 500 => "server_error", _ => "invalid_request_error" },
            ["param"] = parameter,
            ["code"] = code,
        },
    };
}
