using System.ComponentModel;
using System.Diagnostics;

namespace Dataflow.Sandbox.Languages;

/// <summary>The installed Node.js, as far as versions differ in how they take a source.</summary>
internal sealed class NodeRuntime
{
    public const string Program = "/usr/bin/node";

    /// <summary>Digits that a whole number may have to be no other as a JavaScript number.</summary>
    public const int ExactDigits = 15;

    private readonly Lazy<bool> detectsModules = new(() => Detects(Version()));

    /// <summary>Whether it tells by itself whether a file of no certain kind is a script or a module.</summary>
    public bool DetectsModules => detectsModules.Value;

    private static bool Detects(Version version) => version.Major switch
    {
        20 => version.Minor >= 19,
        22 => version.Minor >= 7,
        _ => version.Major > 22,
    };

    private static Version Version()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(Program, "--version") { RedirectStandardOutput = true })!;
            string said = process.StandardOutput.ReadToEnd().Trim();
            return System.Version.TryParse(said.TrimStart('v'), out Version? version) ? version : new Version(0, 0);
        }
        catch (Win32Exception)
        {
            return new Version(0, 0);
        }
    }
}
