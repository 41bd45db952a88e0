using System.Text.RegularExpressions;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>By what of this machine a program could have another language's work done: interpreters, compilers, and interpreters in libraries.</summary>
internal static partial class OtherLanguages
{
    private const string PosixShell = "/bin/sh";
    private const string Sqlite = "sqlite3";

    // Folders of programs, and of toolchains with programs in them.
    private static readonly string[] ProgramFolders = ["/usr/bin", "/usr/sbin", "/usr/games", "/usr/libexec"];
    private static readonly string[] Toolchains = ["/usr/local", "/usr/lib/jvm", "/usr/lib/gcc", "/usr/lib/dotnet", "/usr/share/dotnet", "/usr/lib/go", "/usr/lib/go-*", "/usr/lib/llvm*", "/usr/lib/mono"];

    // Of languages that are not among ours, though what they do is no work in one of ours either. awk stays: it is a tool of scripts.
    private static readonly string[] Foreign = ["/usr/bin/perl", "/usr/bin/ruby", "/usr/bin/lua", "/usr/bin/luajit", "/usr/bin/tclsh", "/usr/bin/guile", "/usr/bin/gdb"];

    /// <summary>All that a program of the language does not need to run.</summary>
    /// <param name="withShell">Whether the system's shell stays: a container starts its program by it.</param>
    public static HiddenPaths Hidden(Language language, bool withShell)
    {
        // What compiles a program is not needed to run it.
        string runtime = language.Alone("").Run[0];
        string[] needed = [.. Installed([runtime]), .. withShell || language is Bash ? Installed([PosixShell]) : []];
        string[] programs = Installed(LanguageSet.Standard().All.SelectMany(other => other.Tools).Select(tool => tool.Path).Append(PosixShell).Concat(Foreign))
            .Where(path => path.StartsWith("/usr/", StringComparison.Ordinal) && !needed.Contains(path)).ToArray();
        IEnumerable<string> folders = Toolchains.SelectMany(Folders).Where(folder => !needed.Any(path => path.StartsWith(folder + "/", StringComparison.Ordinal)));
        return new HiddenPaths(
            [.. programs.Concat(Libraries(language)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], language is Bash ? [.. folders] : [.. ProgramFolders, .. folders], [runtime]);
    }

    // Scripts of Python, PHP and JavaScript may use the SQLite that comes with their language, and some need it to start.
    private static IEnumerable<string> Libraries(Language language) => Directory.EnumerateDirectories("/usr/lib", "*-linux-*").Append("/usr/lib").Append("/usr/lib64").Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "lib*.so*"))
        .Where(path => Interpreter().Match(Path.GetFileName(path)) is { Success: true } match && !IsOwn(language, match.Groups["name"].Value))
        .Select(Behind);

    private static bool IsOwn(Language language, string library) => library switch
    {
        "python" => language is Python,
        "php" => language is Php,
        "node" or "v8" => language is JavaScript or TypeScript,
        Sqlite => language is Sql or Python or Php or JavaScript or TypeScript,
        _ => false,
    };

    // The files behind the links: python3 is python3.13, and cc may be gcc-14.
    private static IEnumerable<string> Installed(IEnumerable<string> programs) => programs.Distinct(StringComparer.Ordinal).SelectMany(program =>
    {
        string folder = Path.GetDirectoryName(program)!;
        string stem = Version().Replace(Path.GetFileName(program), "");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, stem + "*").Where(path => Version().Replace(Path.GetFileName(path), "") == stem).Select(Behind) : [];
    });

    private static IEnumerable<string> Folders(string pattern) =>
        Directory.Exists(Path.GetDirectoryName(pattern)) ? Directory.EnumerateDirectories(Path.GetDirectoryName(pattern)!, Path.GetFileName(pattern)) : [];

    private static string Behind(string path)
    {
        string file = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        return file.StartsWith("/bin/", StringComparison.Ordinal) ? "/usr" + file : file;
    }

    [GeneratedRegex(@"[-\d.]+$")]
    private static partial Regex Version();

    [GeneratedRegex(@"^lib(?<name>python|perl|ruby|luajit|lua|tcl|guile|node|v8|php|sqlite3|duktape|mozjs|javascriptcore|quickjs|gccjit|tcc|LLVM|clang)")]
    private static partial Regex Interpreter();
}
