using System.Text.RegularExpressions;
using Dataflow.Sandbox;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.Code;

/// <summary>
/// By what of this machine a program could have another language's work done. Interpreters lie in many places, so of the
/// system's folders a program sees those alone that its own language needs; what is left are interpreters in libraries.
/// </summary>
internal static partial class OtherLanguages
{
    private const string PosixShell = "/bin/sh";
    private const string Sqlite = "sqlite3";

    // Libraries of all programs, and data that they look up. /usr/lib64 leads into the first.
    private static readonly string[] Common = ["/usr/lib/*-linux-*", "/usr/lib/locale", "/usr/lib/ssl", "/usr/share/zoneinfo", "/usr/share/i18n", "/usr/share/misc"];

    /// <summary>All that a program of the language does not need to run.</summary>
    /// <param name="withShell">Whether the system's shell and its tools stay: a container starts its program by them, and sees all folders.</param>
    public static HiddenPaths Hidden(Language language, bool withShell)
    {
        // What compiles a program is not needed to run it.
        string runtime = language.Alone("").Run[0];
        string[] needed = [.. Installed([runtime, .. language.Tools.Select(tool => tool.Path).Where(path => path.EndsWith(".so", StringComparison.Ordinal))]), .. withShell || language is Bash ? Installed([PosixShell]) : []];
        string[] programs = Installed(LanguageSet.Standard().All.SelectMany(other => other.Tools).Select(tool => tool.Path).Append(PosixShell))
            .Where(path => path.StartsWith("/usr/", StringComparison.Ordinal) && !needed.Contains(path)).ToArray();
        string[] folders = Directory.GetDirectories("/usr").Where(folder => new DirectoryInfo(folder).LinkTarget is null && folder != "/usr/lib64").ToArray();
        string[] shown = [runtime, .. language is Bash ? ShellTools.Installed() : [], .. Common.Concat(Own(language)).SelectMany(Matching)];
        return new HiddenPaths([.. programs.Concat(Libraries(language)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], folders, shown);
    }

    // What a runtime is made of besides its program. Debian's Node.js keeps some of its own modules beside those of others.
    private static string[] Own(Language language) => language switch
    {
        Python => ["/usr/lib/python3.*"],
        JavaScript or TypeScript => ["/usr/share/nodejs/acorn*", "/usr/share/nodejs/cjs-module-lexer", "/usr/share/nodejs/undici", "/usr/share/nodejs/minimatch", "/usr/share/nodejs/brace-expansion", "/usr/share/nodejs/balanced-match"],
        Java => ["/usr/lib/jvm"],
        CSharp => ["/usr/lib/dotnet", "/usr/share/dotnet"],
        Php => ["/usr/lib/php"],
        _ => [],
    };

    // Scripts of Python, PHP and JavaScript may use the SQLite that comes with their language, and some need it to start.
    private static IEnumerable<string> Libraries(Language language) => Matching("/usr/lib/*-linux-*").Append("/usr/lib64").Where(Directory.Exists)
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

    private static IEnumerable<string> Matching(string pattern) =>
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
