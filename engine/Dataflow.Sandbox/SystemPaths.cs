namespace Dataflow.Sandbox;

/// <summary>Paths of this machine that every program in the sandbox can read.</summary>
internal static class SystemPaths
{
    public const string Usr = "/usr";
    public const string Alternatives = "/etc/alternatives";
    public const string LinkerCache = "/etc/ld.so.cache";

    /// <summary>Names in the root folder that are links into <see cref="Usr"/> in there, whatever they are out here.</summary>
    public static IReadOnlyList<string> IntoUsr { get; } = ["bin", "sbin", "lib", "lib64"];
}
