using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>A plugin project outside the repository, built against the contract's package alone.</summary>
internal sealed class PluginProject(DataflowCommand command, string name, string project, TextWriter output)
{
    /// <summary>The folder to give to <c>--plugins</c>.</summary>
    public string PluginsFolder => Path.Combine(command.Folder, "plugins");

    public void Write(string file, string source) => command.Write($"{name}/{file}", source);

    /// <summary>Packs the contract into a package folder of this project's own: a package of the same version built earlier must not be used instead.</summary>
    public async Task<bool> PrepareAsync()
    {
        string packages = Path.Combine(command.Folder, "packages");
        Write($"{name}.csproj", project);
        Write("nuget.config", $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{command.Folder}/nuget" /></config>
              <packageSources><add key="local" value="{packages}" /></packageSources>
              <fallbackPackageFolders><add key="shared" value="{SharedPackages()}" /></fallbackPackageFolders>
            </configuration>
            """);
        return await DotnetAsync(DataflowCommand.Root, "pack", "engine/Dataflow.Abstractions", "-c", "Release", "--no-build", "-o", packages);
    }

    public Task<bool> BuildAsync() =>
        DotnetAsync(Path.Combine(command.Folder, name), "build", "-c", "Release", "--no-incremental", "-o", Path.Combine(PluginsFolder, name));

    private async Task<bool> DotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        await output.WriteLineAsync($"dotnet {arguments[0]}: exit {process.ExitCode}");
        if (process.ExitCode != 0)
        {
            await output.WriteLineAsync(await text + await errors);
        }

        return process.ExitCode == 0;
    }

    private static string SharedPackages() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
}
