namespace Dataflow.Cli;

/// <summary>Where plugins are looked for: built-in, then <c>--plugins</c>, then DATAFLOW_PLUGINS.</summary>
internal static class PluginPath
{
    public static IEnumerable<string> Folders(IEnumerable<string> given)
    {
        if (BuiltIn() is string builtIn)
        {
            yield return builtIn;
        }

        foreach (string folder in given)
        {
            yield return folder;
        }

        foreach (string folder in (Environment.GetEnvironmentVariable("DATAFLOW_PLUGINS") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }
    }

    // Beside the executable where it is installed; artifacts/plugins in a checkout.
    private static string? BuiltIn()
    {
        string beside = Path.Combine(AppContext.BaseDirectory, "plugins");
        if (Directory.Exists(beside))
        {
            return beside;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (folder.Name == "artifacts")
            {
                string built = Path.Combine(folder.FullName, "plugins");
                return Directory.Exists(built) ? built : null;
            }
        }

        return null;
    }
}
