using System.Diagnostics;
using System.Text;

namespace Dataflow.Sandbox.Tests;

/// <summary>Runs every program in Attacks: each begins with how it may end, and says ESCAPED for what it should not have been able to do.</summary>
public sealed class AttackTests(AttackHost host) : IClassFixture<AttackHost>
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Attacks");

    public static TheoryData<string> Names => new(Directory.GetFiles(Folder, "*.py").Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => name != "prelude").Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_attack_is_contained_and_the_machine_is_as_before(string name)
    {
        await AttackAsync(name);
        // What an attack leaves to the next program would show here.
        SandboxResult next = await host.RunAsync("print(6 * 7)");
        Assert.Equal((SandboxOutcome.Exited, 0, "42\n"), (next.Outcome, next.ExitCode, Encoding.UTF8.GetString(next.Stdout)));
    }

    [Fact]
    public async Task A_program_finds_nothing_of_the_one_before_it_in_its_slot()
    {
        await AttackAsync("leave_files");
        await AttackAsync("leave_files_then_look");
    }

    [Fact]
    public async Task All_of_it_holds_for_an_ordinary_user_too()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            // This very run is an ordinary user's.
            return;
        }

        string copy = Path.Combine(Directory.CreateTempSubdirectory("dataflow-ordinary-").FullName, "bin");
        try
        {
            // The build may lie where an ordinary user cannot read.
            await RunAsync("cp", "-rL", AppContext.BaseDirectory, copy);
            await RunAsync("chmod", "-R", "a+rX", Path.GetDirectoryName(copy)!);
            string program = Path.Combine(copy, "Dataflow.Sandbox.Tests");
            string output = await RunAsync("setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "--", program, "-noLogo", "-class", typeof(AttackTests).FullName!);
            Assert.Contains($"Total: {Names.Count + 2}, Errors: 0, Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(copy)!, recursive: true);
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}:\n{output}");
    }

    private async Task AttackAsync(string name)
    {
        string attack = await File.ReadAllTextAsync(Path.Combine(Folder, name + ".py"));
        string[] expected = attack.Split('\n')[0]["# expect:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] launchers = [.. host.Pool.Launchers];
        SandboxResult result = await host.RunAsync(await File.ReadAllTextAsync(Path.Combine(Folder, "prelude.py")) + "\n\n" + attack);
        string output = Encoding.UTF8.GetString(result.Stdout);
        Assert.DoesNotContain("ESCAPED", output, StringComparison.Ordinal);
        Assert.True(expected.Contains(result.Outcome.ToString()), $"{result.Outcome} {result.ExitCode}\n{output[..Math.Min(2000, output.Length)]}\n{Encoding.UTF8.GetString(result.Stderr)[..Math.Min(2000, result.Stderr.Length)]}");
        Assert.False(result.Outcome == SandboxOutcome.Exited && Encoding.UTF8.GetString(result.Stderr).Contains("SyntaxError", StringComparison.Ordinal), "the attack itself is broken");
        Assert.Empty(host.Damage());
        // The launcher too must have lived through it.
        Assert.True(launchers.Length == 0 || host.Pool.Launchers.SequenceEqual(launchers), "the launcher was killed");
    }
}
