using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Testing;

/// <summary>Where the parts of a file of cases stand.</summary>
/// <param name="places">Option path to place.</param>
internal sealed class CasePlaces(string file, IReadOnlyDictionary<string, SourceSpan> places)
{
    public string File => file;

    /// <summary>A path of the cases, relative to their file.</summary>
    public string Resolve(string path) => Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(file))!);

    /// <summary>True if the part is written, rightly or not.</summary>
    public bool Has(string option) => places.ContainsKey(option);

    /// <summary>The place of a part, or of what encloses it most nearly.</summary>
    public SourceSpan Of(string option)
    {
        for (string path = option; path.Length > 0; path = path[..Math.Max(path.LastIndexOfAny(['.', '[']), 0)])
        {
            if (places.TryGetValue(path, out SourceSpan span))
            {
                return span;
            }
        }

        return new SourceSpan(file, 1, 1);
    }
}
