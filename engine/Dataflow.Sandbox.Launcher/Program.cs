using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dataflow.Sandbox.Launcher;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// The launcher of one slot's programs: requests in as lines of JSON, replies out, the first line saying what it can
// enforce. It lives and dies with its engine: when its stdin closes it ends. It is the first process of a namespace, so
// that all it started dies with it.
// What the engine or its host left open must not reach a sandboxed program.
foreach (string descriptor in Directory.GetFileSystemEntries("/proc/self/fd").Select(path => Path.GetFileName(path)))
{
    int fd = int.Parse(descriptor, System.Globalization.CultureInfo.InvariantCulture);
    if (fd > 2)
    {
        _ = Native.fcntl(fd, Native.SetDescriptorFlags, 1);
    }
}

// The user that programs shall be, where we are root; and whether a container runtime, which needs root, makes it so.
int? user = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : null;
bool container = args.Length > 1;
using Stream output = Console.OpenStandardOutput();
Workspace workspace;
SpawnThread spawner;
try
{
    workspace = Workspace.Create(user, container);
    spawner = new SpawnThread(container ? null : user);
}
catch (IOException refused)
{
    Write(new LauncherHello(refused.Message, "", null, []), ProtocolJson.Default.LauncherHello);
    return 1;
}

ControlGroups groups = ControlGroups.Join();
if (container)
{
    // crun refuses machines with both versions of control groups; it need not see the second.
    _ = Native.umount2("/sys/fs/cgroup/unified", 2);
}

var reaper = new Reaper();
reaper.Start();
using var requests = new RequestQueue();
new Slot(requests, reply => Write(reply, ProtocolJson.Default.LaunchReply), reaper, spawner, workspace, groups).Start();
Write(
    new LauncherHello(
        null,
        groups.LimitMemory ? groups.MemoryDescription : $"watched every {MemoryWatch.EveryMilliseconds} ms, no control group being writable",
        groups.LimitProcesses ? "control group" : null,
        groups.Folders),
    ProtocolJson.Default.LauncherHello);

using var input = new StreamReader(Console.OpenStandardInput());
while (input.ReadLine() is string line)
{
    LaunchRequest request = JsonSerializer.Deserialize(line, ProtocolJson.Default.LaunchRequest)!;
    if (request.Cancel)
    {
        requests.Cancel(request.Id);
    }
    else
    {
        requests.Add(request);
    }
}

// Exit at once: that takes what still runs with it.
Environment.Exit(0);
return 0;

void Write<T>(T message, JsonTypeInfo<T> type)
{
    output.Write([.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n']);
    output.Flush();
}
