using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>The parts of the root file that are not stages or models.</summary>
internal sealed record FragmentOutline(string? Name, string? Description, ConfigMapping Run);

/// <summary>Reads a file, then the fragments it includes, adding models and stages to the whole.</summary>
internal sealed class FragmentReader(LoadOptions options, SecretRegistry secrets, DiagnosticBag diagnostics, PipelineParts parts)
{
    private const int MaxIncludeDepth = 16;
    private static readonly string[] RootKeys = ["name", "description", "include", "vars", "run", "models", "stages"];

    private readonly List<VariableScope> scopes = [];

    public FragmentOutline? ReadRoot(string path)
    {
        if (Parse(path, null) is not ConfigMapping root)
        {
            return null;
        }

        CheckKeys(root, RootKeys);
        VariableScope variables = Variables(root, null, new Dictionary<string, ConfigNode>(), path);
        ReadBody(root, path, variables, Scope.Root, [Path.GetFullPath(path)]);
        Interpolator interpolator = Interpolate(variables, path);
        var outline = new FragmentOutline(Text(root, "name", interpolator), Text(root, "description", interpolator), (ConfigMapping)interpolator.Expand(MappingAt(root, "run")));
        if (!diagnostics.HasErrors)
        {
            // Behind a mistake there may be a use that was not reached.
            scopes.ForEach(scope => scope.WarnUnused(diagnostics));
        }

        return outline;
    }

    private void ReadBody(ConfigMapping root, string path, VariableScope variables, Scope scope, IReadOnlyList<string> chain)
    {
        Interpolator interpolator = Interpolate(variables, path);
        foreach (ConfigNode include in Items(root, "include"))
        {
            ReadInclude(interpolator.Expand(include), path, variables, scope, chain);
        }

        var reader = new EntryReader(diagnostics, parts, scope);
        foreach (ConfigEntry entry in MappingAt(root, "models").Entries)
        {
            reader.ReadModel(entry with { Value = interpolator.Expand(entry.Value) });
        }

        foreach (ConfigEntry entry in MappingAt(root, "stages").Entries)
        {
            reader.ReadStage(entry with { Value = interpolator.Expand(entry.Value) });
        }
    }

    private void ReadInclude(ConfigNode include, string path, VariableScope variables, Scope outer, IReadOnlyList<string> chain)
    {
        ConfigMapping mapping = include as ConfigMapping ?? new ConfigMapping([new ConfigEntry("path", include.Span, include)], include.Span);
        IncludeDefinition? definition = new OptionsBinder(diagnostics).Bind<IncludeDefinition>(mapping, include.Span);
        if (definition is null)
        {
            return;
        }

        string target = Path.GetFullPath(definition.Path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        SourceSpan place = mapping.Find("path")!.Value.Span;
        if (chain.Contains(target) || chain.Count > MaxIncludeDepth)
        {
            diagnostics.Error(DiagnosticCodes.BadInclude, place, $"'{definition.Path}' includes itself: {string.Join(" -> ", chain.Append(target).Select(Path.GetFileName))}");
            return;
        }

        // As the user would write it: beside the file that includes, in whatever form that one was given.
        string shown = Path.Combine(Path.GetDirectoryName(place.File) ?? "", definition.Path);
        if (Parse(shown, place) is not ConfigMapping root)
        {
            return;
        }

        CheckKeys(root, ["include", "vars", "models", "stages", "description"]);
        Dictionary<string, ConfigNode> given = mapping.Find("vars")?.Value is ConfigMapping vars
            ? vars.Entries.ToDictionary(entry => entry.Key, entry => entry.Value)
            : [];
        foreach (ConfigEntry entry in (mapping.Find("vars")?.Value as ConfigMapping)?.Entries ?? [])
        {
            if (MappingAt(root, "vars").Find(entry.Key) is null)
            {
                diagnostics.Error(DiagnosticCodes.UnknownVariable, entry.KeySpan, $"the fragment has no variable '{entry.Key}'", Suggest.DidYouMean(entry.Key, MappingAt(root, "vars").Entries.Select(e => e.Key)));
            }
        }

        string prefix = outer.Prefix + (definition.As is null ? "" : definition.As + "_");
        var local = new HashSet<string>(MappingAt(root, "stages").Entries.Concat(MappingAt(root, "models").Entries).Select(entry => entry.Key), StringComparer.Ordinal);
        Scope scope = prefix.Length == 0 ? Scope.Root : new Scope(prefix, local);
        ReadBody(root, target, Variables(root, variables, given, target), scope, [.. chain, target]);
    }

    private VariableScope Variables(ConfigMapping root, VariableScope? outer, Dictionary<string, ConfigNode> given, string path)
    {
        bool isRoot = outer is null;
        IReadOnlyList<ConfigEntry> declared = MappingAt(root, "vars").Entries;
        var variables = new VariableScope(outer, declared);
        scopes.Add(variables);
        foreach (ConfigEntry entry in declared)
        {
            ConfigNode value = given.GetValueOrDefault(entry.Key) ?? entry.Value;
            if (isRoot && options.Overrides.TryGetValue(entry.Key, out string? set))
            {
                value = new ConfigScalar(set, IsPlain: true, entry.Value.Span);
            }

            // A variable may use those above it.
            variables.Set(entry.Key, Interpolate(variables, path).Expand(value));
        }

        string[] known = declared.Select(entry => entry.Key).ToArray();
        foreach (string name in isRoot ? options.Overrides.Keys.Except(known, StringComparer.Ordinal) : [])
        {
            SourceSpan? place = options.OverridePlaces.TryGetValue(name, out SourceSpan written) ? written : null;
            diagnostics.Error(DiagnosticCodes.UnknownVariable, place, $"{(place is null ? $"--set {name}: " : "")}the pipeline has no variable '{name}'", Suggest.DidYouMean(name, known));
        }

        return variables;
    }

    private Interpolator Interpolate(VariableScope variables, string path) =>
        new(variables, options, Path.GetDirectoryName(Path.GetFullPath(path))!, secrets, diagnostics);

    private ConfigMapping? Parse(string path, SourceSpan? includedAt)
    {
        string? text;
        try
        {
            text = PipelineText.Read(path, diagnostics);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            bool missing = failure is FileNotFoundException or DirectoryNotFoundException;
            diagnostics.Error(
                DiagnosticCodes.MissingFile, includedAt ?? new SourceSpan(path, 1, 1), missing ? $"there is no file '{path}'" : $"'{path}' cannot be read: {failure.Message}",
                missing && includedAt is not null ? "paths are relative to the file that includes" : null);
            return null;
        }

        ConfigNode? node = text is null ? null : YamlReader.Read(path, text, diagnostics);
        if (node is not null and not ConfigMapping)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Span, $"a pipeline file is a mapping with 'stages', but this is {node.Kind}");
        }

        return node as ConfigMapping;
    }

    private void CheckKeys(ConfigMapping root, string[] known)
    {
        foreach (ConfigEntry entry in root.Entries)
        {
            if (!known.Contains(entry.Key))
            {
                diagnostics.Error(DiagnosticCodes.UnknownKey, entry.KeySpan, $"unknown key '{entry.Key}'", Suggest.DidYouMean(entry.Key, known));
            }
            else if (entry.Key is "vars" or "run" or "models" or "stages" && entry.Value is not ConfigMapping && entry.Value is not ConfigScalar { IsNull: true })
            {
                diagnostics.Error(DiagnosticCodes.WrongType, entry.Value.Span, $"'{entry.Key}' must be a mapping, but is {entry.Value.Kind}");
            }
        }
    }

    private string? Text(ConfigMapping root, string key, Interpolator interpolator)
    {
        if (root.Find(key)?.Value is not ConfigNode value)
        {
            return null;
        }

        if (interpolator.Expand(value) is ConfigScalar { IsNull: false } scalar)
        {
            return scalar.Text;
        }

        diagnostics.Error(DiagnosticCodes.WrongType, value.Span, $"'{key}' must be text, but is {value.Kind}");
        return null;
    }

    private static ConfigMapping MappingAt(ConfigMapping root, string key) => root.Find(key)?.Value as ConfigMapping ?? ConfigMapping.Empty(root.Span);

    private static IReadOnlyList<ConfigNode> Items(ConfigMapping root, string key) => root.Find(key)?.Value switch
    {
        ConfigSequence sequence => sequence.Items,
        ConfigScalar { IsNull: true } or null => [],
        ConfigNode one => [one],
    };
}

/// <summary>One entry of <c>include:</c>.</summary>
internal sealed record IncludeDefinition
{
    public required string Path { get; init; }

    /// <summary>Prefix for the fragment's own names.</summary>
    [System.ComponentModel.DataAnnotations.RegularExpression("[A-Za-z][A-Za-z0-9_]*")]
    public string? As { get; init; }

    public IReadOnlyDictionary<string, object>? Vars { get; init; }
}
