using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>The SDK's own command.</summary>
internal sealed class DotnetCommand(TextWriter output)
{
    public Dictionary<string, string> Environment { get; } = new() { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1" };

    /// <summary>
    /// A nuget.config for projects outside the repository: packages of a folder, kept in a package folder of their own,
    /// since one of the same version built earlier must not be used instead; all others come from the user's.
    /// </summary>
    public static string PackageConfig(string folder, string packages) => $"""
        <configuration>
          <config><add key="globalPackagesFolder" value="{folder}/nuget" /></config>
          <packageSources><add key="local" value="{packages}" /></packageSources>
          <fallbackPackageFolders><add key="shared" value="{SharedPackages()}" /></fallbackPackageFolders>
        </configuration>
        """;

    /// <summary>Where packages of the user's other projects are.</summary>
    public static string SharedPackages() =>
        System.Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget/packages");

    /// <summary>True if it ended well; what it said otherwise goes to the output.</summary>
    public async Task<bool> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        await output.WriteLineAsync($"dotnet {string.Join(' ', arguments.Take(2))}: exit {process.ExitCode}");
        if (process.ExitCode != 0)
        {
            await output.WriteLineAsync(await text + await errors);
        }

        return process.ExitCode == 0;
    }
}
