namespace Dataflow.Prove;

/// <summary>A plugin project outside the repository, built against the contract's package alone.</summary>
internal sealed class PluginProject(DataflowCommand command, string name, string project, TextWriter output)
{
    private readonly DotnetCommand dotnet = new(output);

    /// <summary>The folder to give to <c>--plugins</c>.</summary>
    public string PluginsFolder => Path.Combine(command.Folder, "plugins");

    public void Write(string file, string source) => command.Write($"{name}/{file}", source);

    /// <summary>Packs the contract into a package folder of this project's own: a package of the same version built earlier must not be used instead.</summary>
    public async Task<bool> PrepareAsync()
    {
        string packages = Path.Combine(command.Folder, "packages");
        Write($"{name}.csproj", project);
        Write("nuget.config", DotnetCommand.PackageConfig(command.Folder, packages));
        return await dotnet.RunAsync(DataflowCommand.Root, "pack", "engine/Dataflow.Abstractions", "-c", "Release", "--no-build", "-o", packages);
    }

    public Task<bool> BuildAsync() =>
        dotnet.RunAsync(Path.Combine(command.Folder, name), "build", "-c", "Release", "--no-incremental", "-o", Path.Combine(PluginsFolder, name));
}
