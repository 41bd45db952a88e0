using System.Text;
using Spectre.Console;

namespace Dataflow.Cli.Display;

/// <summary>The command's stdout as a terminal to draw on; only used where stdout is one.</summary>
internal sealed class TerminalOutput : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput inner = new(Console.Out);

    public TextWriter Writer => inner.Writer;

    // Spectre would compare the writer with Console.Out, which is the plugins'.
    public bool IsTerminal => !Console.IsOutputRedirected;

    public int Width => inner.Width;

    public int Height => inner.Height;

    public void SetEncoding(Encoding encoding) => inner.SetEncoding(encoding);
}
