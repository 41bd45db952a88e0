using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>Replaces <c>${kind:name}</c> and <c>${kind:name:-default}</c> in scalars; <c>$${</c> is a literal <c>${</c>.</summary>
internal sealed partial class Interpolator(
    VariableScope variables, LoadOptions options, string folder, SecretRegistry secrets, DiagnosticBag diagnostics)
{
    public ConfigNode Expand(ConfigNode node) => node switch
    {
        ConfigScalar scalar => ExpandScalar(scalar),
        ConfigSequence sequence => sequence with { Items = sequence.Items.Select(Expand).ToArray() },
        ConfigMapping mapping => mapping with { Entries = mapping.Entries.Select(entry => entry with { Value = Expand(entry.Value) }).ToArray() },
        _ => node,
    };

    private ConfigNode ExpandScalar(ConfigScalar scalar)
    {
        if (!scalar.Text.Contains("${", StringComparison.Ordinal))
        {
            return scalar;
        }

        // A scalar that is one reference takes over the value's own type.
        Match whole = Reference().Match(scalar.Text);
        if (whole.Success && whole.Index == 0 && whole.Length == scalar.Text.Length && !whole.Value.StartsWith("$$", StringComparison.Ordinal))
        {
            return Lookup(whole, scalar.Span) switch
            {
                ConfigScalar value => value with { Span = scalar.Span },
                ConfigNode value => value,
                null => scalar with { Text = "", IsUnresolved = true },
            };
        }

        var text = new StringBuilder();
        int position = 0;
        bool unresolved = false;
        bool standIn = false;
        foreach (Match match in Reference().Matches(scalar.Text))
        {
            text.Append(scalar.Text, position, match.Index - position);
            position = match.Index + match.Length;
            if (match.Value.StartsWith("$$", StringComparison.Ordinal))
            {
                text.Append(match.Value, 1, match.Length - 1);
            }
            else if (Lookup(match, scalar.Span) is ConfigScalar value)
            {
                text.Append(value.Text);
                standIn |= value.IsStandIn;
            }
            else
            {
                unresolved = true;
            }
        }

        text.Append(scalar.Text, position, scalar.Text.Length - position);
        foreach (Match loose in Loose().Matches(Reference().Replace(scalar.Text, match => new string(' ', match.Length))))
        {
            string start = scalar.Text[loose.Index..];
            string what = start.Contains('}', StringComparison.Ordinal) ? $"'{start[..(start.IndexOf('}', StringComparison.Ordinal) + 1)]}' is no reference" : $"'{Short(start)}' has no closing '}}'";
            diagnostics.Error(DiagnosticCodes.UnknownVariable, scalar.Span, what, "a reference is ${kind:name}; a literal ${ is written $${");
            unresolved = true;
        }

        return scalar with { Text = text.ToString(), IsUnresolved = unresolved, IsStandIn = standIn };
    }

    private ConfigNode? Lookup(Match match, SourceSpan span)
    {
        string kind = match.Groups["kind"].Value;
        string name = match.Groups["name"].Value;
        ConfigNode? value = kind switch
        {
            "var" => variables.Use(name),
            "env" => Secret(options.Environment(name), span),
            "file" => Secret(ReadFile(name), span),
            "run" => options.RunVariables.TryGetValue(name, out string? run) ? new ConfigScalar(run, IsPlain: true, span) : null,
            _ => null,
        };
        if (value is not null)
        {
            return value;
        }

        if (match.Groups["default"].Success)
        {
            return new ConfigScalar(match.Groups["default"].Value, IsPlain: true, span);
        }

        if (kind is "env" or "file" && !options.RequireSecrets)
        {
            return new ConfigScalar(name, IsPlain: true, span) { IsStandIn = true };
        }

        (string what, string? hint) = kind switch
        {
            "var" => variables.IsBelow(name)
                ? ($"the variable '{name}' is given further down", "a variable may use those above it")
                : ($"unknown variable '{name}'", Suggest.DidYouMean(name, variables.Names)),
            "env" => ($"environment variable {name} is not set", "set it, or give a default: ${env:" + name + ":-value}"),
            "file" => ($"file '{name}' cannot be read", "paths are relative to the pipeline file"),
            "run" => ($"unknown run variable '{name}'", Suggest.DidYouMean(name, options.RunVariables.Keys)),
            _ => ($"unknown reference kind '{kind}'", "known: var, env, file, run"),
        };
        diagnostics.Error(DiagnosticCodes.UnknownVariable, span, what, hint);
        return null;
    }

    private ConfigScalar? Secret(string? value, SourceSpan span)
    {
        if (value is null)
        {
            return null;
        }

        secrets.Add(value);
        return new ConfigScalar(value, IsPlain: true, span);
    }

    private static string Short(string text) => text.Length > 40 ? text[..40] + "…" : text;

    private string? ReadFile(string name)
    {
        string path = Path.GetFullPath(name, folder);
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\$?\$\{(?<kind>[a-z]+):(?<name>[^}:]+)(:-(?<default>[^}]*))?\}")]
    private static partial Regex Reference();

    // What begins like a reference and is none.
    [GeneratedRegex(@"(?<!\$)\$\{")]
    private static partial Regex Loose();
}
