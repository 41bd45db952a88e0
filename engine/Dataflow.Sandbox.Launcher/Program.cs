using System.Text.Json;
using Dataflow.Sandbox.Launcher;

// The launcher of sandboxed programs: requests in as lines of JSON, replies out. It lives and dies with its engine:
// when its stdin closes it ends, and every sandbox dies with the thread that started it.
int slots = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
// What the engine or its host left open must not reach a sandboxed program.
foreach (string descriptor in Directory.GetFileSystemEntries("/proc/self/fd").Select(path => Path.GetFileName(path)))
{
    int fd = int.Parse(descriptor, System.Globalization.CultureInfo.InvariantCulture);
    if (fd > 2)
    {
        _ = Native.fcntl(fd, Native.SetDescriptorFlags, 1);
    }
}

_ = Native.prctl(Native.SubreaperOption, 1, 0, 0, 0);
var reaper = new Reaper();
reaper.Start();
using Stream output = Console.OpenStandardOutput();
var outputGate = new Lock();
using var requests = new RequestQueue();
for (int i = 0; i < slots; i++)
{
    new Slot(requests, Reply, reaper).Start();
}

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

// Exit at once: the threads' death takes the sandboxes with them.
Environment.Exit(0);
return 0;

void Reply(LaunchReply reply)
{
    byte[] line = JsonSerializer.SerializeToUtf8Bytes(reply, ProtocolJson.Default.LaunchReply);
    lock (outputGate)
    {
        output.Write(line);
        output.WriteByte((byte)'\n');
        output.Flush();
    }
}
