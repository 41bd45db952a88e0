using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>The real command line, as a process of its own, in a folder of its own.</summary>
internal sealed class DataflowCommand : IDisposable
{
    public static string Root { get; } = FindRoot();

    public static string Program { get; } = Path.Combine(Root, "artifacts/bin/Dataflow.Cli/release_linux-x64/dataflow");

    public string Folder { get; } = Directory.CreateTempSubdirectory("dataflow-test-").FullName;

    public Dictionary<string, string> Environment { get; } = [];

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));

    public Process Start(params string[] arguments) => StartProgram(Program, arguments);

    public Task<CommandResult> RunAsync(params string[] arguments) => ResultAsync(Start(arguments));

    /// <summary>Another program, in the same folder and environment.</summary>
    public Task<CommandResult> RunProgramAsync(string program, string[] arguments, params (string Name, string Value)[] environment) =>
        ResultAsync(StartProgram(program, arguments, environment));

    private Process StartProgram(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        // A job in the background of a shell ignores Ctrl-C, and so would all that it starts.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", program])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        foreach ((string name, string value) in Environment.Select(pair => (pair.Key, pair.Value)).Concat(environment))
        {
            start.Environment[name] = value;
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static async Task<CommandResult> ResultAsync(Process started)
    {
        using Process process = started;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CommandResult(process.ExitCode, await output, await error);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dataflow.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("the tests run from inside the checkout");
    }
}

internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public string All => Output + Error;
}
