namespace Dataflow.Sandbox.Languages;

/// <summary>
/// Extensions that PHP programs take for granted and Debian builds as files. Our PHP reads no configuration of the machine,
/// which would name them.
/// </summary>
internal sealed class PhpExtensions
{
    private const string Root = "/usr/lib/php";

    private static readonly string[] Wanted = ["ctype", "iconv", "mbstring", "posix", "readline", "tokenizer"];

    // …/20220829, the version of the interface.
    private readonly string folder = Directory.Exists(Root)
        ? Directory.GetDirectories(Root).Where(path => Path.GetFileName(path).All(char.IsAsciiDigit)).Order(StringComparer.Ordinal).LastOrDefault() ?? Root
        : Root;

    /// <summary>What must be installed besides PHP itself.</summary>
    public LanguageTool Multibyte => new(FileOf("mbstring"), "php-mbstring");

    /// <summary>Options that load those that are there.</summary>
    public IReadOnlyList<string> Options => Wanted.Where(name => File.Exists(FileOf(name))).SelectMany(name => new[] { "-d", "extension=" + FileOf(name) }).ToArray();

    private string FileOf(string name) => Path.Combine(folder, name + ".so");
}
