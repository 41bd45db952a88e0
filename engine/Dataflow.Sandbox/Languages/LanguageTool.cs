namespace Dataflow.Sandbox.Languages;

/// <summary>A file that a language needs on this machine, and the Debian package that brings it.</summary>
public sealed record LanguageTool(string Path, string Package)
{
    public bool IsThere => File.Exists(Path);
}
