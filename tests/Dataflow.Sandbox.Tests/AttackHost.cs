using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Dataflow.Sandbox.Tests;

/// <summary>What attacks aim at on the host: ports that listen, a file, a process, a secret; and whether they were touched.</summary>
public sealed class AttackHost : IAsyncDisposable
{
    private const string CanaryText = "untouched";

    private readonly string folder = Directory.CreateTempSubdirectory("dataflow-attack-").FullName;
    private readonly TcpListener tcp = new(IPAddress.Loopback, 0);
    private readonly Socket tcp6 = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket abstractSocket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Socket namedSocket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Process bystander = Process.Start("sleep", "600");
    private readonly string secret = "hunter2-" + Guid.NewGuid().ToString("N");

    public AttackHost()
    {
        Environment.SetEnvironmentVariable("DATAFLOW_ATTACK_SECRET", secret);
        tcp.Start();
        if (Socket.OSSupportsIPv6)
        {
            tcp6.Bind(new IPEndPoint(IPAddress.IPv6Loopback, ((IPEndPoint)tcp.LocalEndpoint).Port));
            tcp6.Listen();
        }

        Canary = Path.Combine(folder, "canary");
        File.WriteAllText(Canary, CanaryText);
        File.SetUnixFileMode(Canary, (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        abstractSocket.Bind(new UnixDomainSocketEndPoint("\0" + Path.GetFileName(folder)));
        abstractSocket.Listen();
        namedSocket.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")));
        namedSocket.Listen();
        Pool = SandboxPool.Create(1);
    }

    public SandboxPool Pool { get; }

    /// <summary>Name that a program gives a process of which nothing may be left.</summary>
    public string Marker => Path.GetFileName(folder);

    private string Canary { get; }

    /// <summary>Runs one attack under small limits.</summary>
    public Task<SandboxResult> RunAsync(string program) => Pool.RunAsync(
        new SandboxRequest(["/usr/bin/python3", "-I", "-S", "/job/main.py"], new Dictionary<string, SandboxFile> { ["main.py"] = SandboxFile.Text(program) }, Given(), Limits),
        CancellationToken.None);

    private static SandboxLimits Limits => new()
    {
        WallTime = TimeSpan.FromSeconds(2), CpuTime = TimeSpan.FromSeconds(2), MemoryBytes = 256_000_000, TemporaryBytes = 64_000_000, TemporaryFiles = 10_000, OutputBytes = 200_000,
    };

    /// <summary>What is wrong on the host; empty if everything is as it was.</summary>
    public IEnumerable<string> Damage()
    {
        if (File.ReadAllText(Canary) != CanaryText)
        {
            yield return "the host's file was written";
        }

        if (bystander.HasExited)
        {
            yield return "the host's process was killed";
        }

        if (tcp.Pending() || (Socket.OSSupportsIPv6 && tcp6.Poll(0, SelectMode.SelectRead)) || abstractSocket.Poll(0, SelectMode.SelectRead) || namedSocket.Poll(0, SelectMode.SelectRead))
        {
            yield return "the host was connected to";
        }

        foreach (string file in new[] { "/tmp", "/dev/shm", "/var/tmp", "/run", "/" }.Select(place => Path.Combine(place, "left-behind")).Where(File.Exists))
        {
            yield return $"{file} was left behind";
        }

        foreach (string line in Processes.CommandLines().Where(line => line.Contains(Marker, StringComparison.Ordinal)))
        {
            yield return $"a process was left running: {line}";
        }

        foreach (int launcher in Pool.Launchers)
        {
            foreach (string child in Directory.GetDirectories($"/proc/{launcher}/task").SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            {
                yield return $"the launcher still has the child {child}";
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Pool.DisposeAsync();
        tcp.Stop();
        tcp6.Dispose();
        abstractSocket.Dispose();
        namedSocket.Dispose();
        bystander.Kill();
        bystander.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    // The secret goes in reversed, or the attack would find it in its own input.
    private byte[] Given() => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["port"] = ((IPEndPoint)tcp.LocalEndpoint).Port,
        ["abstract"] = Path.GetFileName(folder),
        ["socket"] = Path.Combine(folder, "socket"),
        ["canary"] = Canary,
        ["pid"] = bystander.Id,
        ["secret"] = new string([.. secret.Reverse()]),
        ["marker"] = Marker,
    }) + "\n");
}
