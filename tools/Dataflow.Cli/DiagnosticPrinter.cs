using System.Text.Json;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli;

/// <summary>Mistakes to stderr and notes to stdout; in JSON, one object a line to stdout.</summary>
internal static class DiagnosticPrinter
{
    public static void Print(IEnumerable<Diagnostic> diagnostics, SecretRegistry secrets, bool json)
    {
        foreach (Diagnostic diagnostic in diagnostics)
        {
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    @event = "diagnostic",
                    code = diagnostic.Code,
                    severity = diagnostic.Severity.ToString().ToLowerInvariant(),
                    message = secrets.Redact(diagnostic.Message),
                    hint = diagnostic.Hint,
                    file = diagnostic.Span?.File,
                    line = diagnostic.Span?.Line,
                    column = diagnostic.Span?.Column,
                }));
            }
            else
            {
                (diagnostic.Severity == Severity.Note ? Console.Out : Console.Error).WriteLine(secrets.Redact(diagnostic.ToString()));
            }
        }
    }
}
