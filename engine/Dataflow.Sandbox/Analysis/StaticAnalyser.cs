using System.Text;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Analysis;

/// <summary>
/// Looks at sources without running them: the language's own check, and its linter where one is installed. The tools run
/// in the sandbox, since what they read was written by a model.
/// </summary>
public sealed class StaticAnalyser(SandboxPool pool)
{
    /// <exception cref="SandboxException">The sandbox failed.</exception>
    public async Task<SourceAnalysis> AnalyseAsync(Language language, string source, CancellationToken cancellationToken) =>
        (await AnalyseAsync(language, [source], cancellationToken))[0];

    /// <summary>Looks at many sources, in one run where the language's tools take many.</summary>
    public async Task<IReadOnlyList<SourceAnalysis>> AnalyseAsync(Language language, IReadOnlyList<string> sources, CancellationToken cancellationToken)
    {
        var analyses = new List<SourceAnalysis>();
        foreach (string[] some in sources.Chunk(language.SourcesPerAnalysis))
        {
            analyses.AddRange(await TogetherAsync(language, some, cancellationToken));
        }

        return analyses;
    }

    /// <summary>Whether each source is well-formed, whatever its names mean; in one run where the language's tools can tell.</summary>
    /// <exception cref="SandboxException">The sandbox failed, or the tool did not come to an end.</exception>
    public async Task<IReadOnlyList<bool>> ParseAsync(Language language, IReadOnlyList<string> sources, CancellationToken cancellationToken)
    {
        if (language.ToParse(sources) is not LanguageProgram program)
        {
            return (await AnalyseAsync(language, sources, cancellationToken)).Select(analysis => analysis.Parses ?? throw new SandboxException(analysis.Findings[0].Message)).ToArray();
        }

        SandboxResult result = await pool.RunAsync(language.ToCompile(program), cancellationToken);
        Endings.ThrowIfNoTool(result);
        return language.Parsed(sources.Count, language.Findings(program, result))
            ?? throw new SandboxException($"the {language.Name} parser said nothing: {result.Outcome} {result.ExitCode} {Encoding.UTF8.GetString(result.Stderr)}");
    }

    private async Task<IEnumerable<SourceAnalysis>> TogetherAsync(Language language, string[] sources, CancellationToken cancellationToken)
    {
        LanguageProgram program = language.ToAnalyse(sources);
        SandboxResult result = await pool.RunAsync(language.ToCompile(program), cancellationToken);
        if (result.Outcome is not SandboxOutcome.Exited)
        {
            // One source can be too much for a tool; the others are not to suffer from it.
            return sources.Length == 1
                ? [new SourceAnalysis(null, [new Finding(language.SourceName, 0, 0, Severity.Error, "", $"the {language.Name} tools did not come to an end with it: {result.Outcome}")])]
                : (await Task.WhenAll(sources.Select(source => TogetherAsync(language, [source], cancellationToken)))).SelectMany(each => each);
        }

        Endings.ThrowIfNoTool(result);
        ILookup<string, Finding> findings = language.AnalysisFindings(program, result).Distinct().ToLookup(finding => finding.File, StringComparer.Ordinal);
        if (sources.Length == 1)
        {
            SourceAnalysis one = Of(findings[language.SourceName], sources[0], result.ExitCode == 0, language, result);
            // A source that is refused may yet be well-formed, such as one that needs libraries which are not here.
            return [one.Parses == false && language.ToParse(sources) is not null ? one with { Parses = (await ParseAsync(language, sources, cancellationToken))[0] } : one];
        }

        return sources.Select((source, i) => Of(findings[language.SourceNameOf(i)].Select(finding => finding with { File = language.SourceName }), source, true, language, result));
    }

    private static SourceAnalysis Of(IEnumerable<Finding> findings, string source, bool accepted, Language language, SandboxResult result)
    {
        Finding[] ordered = findings.Select(finding => finding.Within(language.SourceName, source)).OrderBy(finding => finding.Line).ThenBy(finding => finding.Column).ToArray();
        bool parses = accepted && (language.SourcesPerAnalysis == 1 || !Array.Exists(ordered, finding => finding.Severity == Severity.Error));
        if (!accepted && ordered.Length == 0)
        {
            ordered = [new Finding(language.SourceName, 0, 0, Severity.Error, "", Endings.Short(string.Join('\n', CompilerMessages.Reasons(result))))];
        }

        return new SourceAnalysis(parses, ordered);
    }
}
