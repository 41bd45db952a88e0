global using Console = Dataflow.Cli.CommandConsole;

namespace Dataflow.Cli;

/// <summary>
/// The command's own streams; stands where <see cref="System.Console"/> would in this project. Plugins run in this process,
/// and what they print must not get among JSON lines or rows, so their Console.Out is stderr.
/// </summary>
internal static class CommandConsole
{
    /// <summary>Stdout, for the command alone once <see cref="KeepOutput"/> was called.</summary>
    public static TextWriter Out { get; } = System.Console.Out;

    public static TextWriter Error => System.Console.Error;

    public static bool IsOutputRedirected => System.Console.IsOutputRedirected;

    /// <summary>To be called before any plugin is loaded.</summary>
    public static void KeepOutput()
    {
        // Reading it first makes it the real one.
        _ = Out;
        System.Console.SetOut(System.Console.Error);
    }

    public static void Write(string text) => Out.Write(text);

    public static void WriteLine(string text) => Out.WriteLine(text);
}
