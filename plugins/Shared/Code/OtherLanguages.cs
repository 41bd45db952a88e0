using System.Text.RegularExpressions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>Programs of this machine by which languages are compiled and run.</summary>
internal static partial class OtherLanguages
{
    private const string PosixShell = "/bin/sh";

    /// <summary>Those of every language but one, under whatever version they are installed.</summary>
    /// <param name="withShell">Whether the system's shell stays: a container starts its program by it.</param>
    public static IReadOnlyList<string> Programs(Language language, bool withShell)
    {
        HashSet<string> own = Installed(language.Tools.Select(tool => tool.Path)).ToHashSet(StringComparer.Ordinal);
        if (withShell || language is Bash)
        {
            own.UnionWith(Installed([PosixShell]));
        }

        return Installed(LanguageSet.Standard().All.SelectMany(other => other.Tools).Select(tool => tool.Path).Append(PosixShell))
            .Where(path => path.StartsWith("/usr/", StringComparison.Ordinal) && !own.Contains(path)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
    }

    // The files behind the links: python3 is python3.13, and cc may be gcc-14.
    private static IEnumerable<string> Installed(IEnumerable<string> programs) => programs.Distinct(StringComparer.Ordinal).SelectMany(program =>
    {
        string folder = Path.GetDirectoryName(program)!;
        string stem = Version().Replace(Path.GetFileName(program), "");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, stem + "*").Where(path => Version().Replace(Path.GetFileName(path), "") == stem).Select(Behind) : [];
    });

    private static string Behind(string path)
    {
        string file = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        return file.StartsWith("/bin/", StringComparison.Ordinal) ? "/usr" + file : file;
    }

    [GeneratedRegex(@"[-\d.]+$")]
    private static partial Regex Version();
}
