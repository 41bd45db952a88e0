using System.Diagnostics;
using System.Text;

namespace Dataflow.Sandbox.Launcher;

/// <summary>Runs one program at a time.</summary>
internal sealed class Slot(RequestQueue requests, Action<LaunchReply> reply, Reaper reaper, SpawnThread spawner, Workspace workspace, ControlGroups groups)
{
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "slot" }.Start();

    private void Loop()
    {
        foreach (LaunchRequest request in requests.Take())
        {
            LaunchReply answer;
            try
            {
                answer = Run(request);
            }
            catch (Exception failure)
            {
                answer = new LaunchReply(request.Id, false, 0, false, false, false, [], Encoding.UTF8.GetBytes(failure.Message), [], 0, 0, 0);
            }

            requests.Done(request.Id);
            reply(answer);
        }
    }

    private LaunchReply Run(LaunchRequest request)
    {
        LaunchLimits limits = request.Limits;
        using IDisposable files = workspace.Prepare(request);
        using var handles = new Descriptors();
        (int outRead, int outWrite) = handles.Pipe();
        (int errorRead, int errorWrite) = handles.Pipe();
        (int resultRead, int resultWrite) = handles.Pipe();
        (int statusRead, int statusWrite) = handles.Pipe();
        (int goRead, int goWrite) = handles.BlockingPipe();
        (int doneRead, int doneWrite) = handles.Pipe();
        var map = new List<(int From, int To)>
        {
            (handles.Memory(request.Stdin), 0), (outWrite, 1), (errorWrite, 2), (resultWrite, LaunchDescriptors.Result), (statusWrite, LaunchDescriptors.Status), (goRead, LaunchDescriptors.Go),
        };
        map.AddRange(request.Descriptors.Select(content => (handles.Memory(content.Value), content.Key)));
        // What lies in its private /tmp counts as its memory too.
        groups.Limit(limits.MemoryBytes + limits.TemporaryBytes, limits.Processes);
        long kills = groups.MemoryKills();
        long begin = Stopwatch.GetTimestamp();
        RunningChild child = reaper.Spawn(() => spawner.Run(() => Spawner.Spawn(request.Arguments, request.Environment, map)), doneWrite);
        bool container = request.Bundle is { Length: > 0 };
        void Kill() => reaper.Kill(child, container);
        requests.Running(request.Id, Kill);
        handles.Close(outWrite, errorWrite, resultWrite, statusWrite, goRead);
        var status = new SandboxStart(pid => LetGo(pid, limits, goWrite));
        long? watched = groups.LimitMemory ? null : limits.MemoryBytes;
        var capture = new Capture([outRead, errorRead, resultRead], limits.OutputBytes, statusRead, status, watched);
        CaptureEnd end = capture.Until(doneRead, new TimeLimit(TimeSpan.FromMilliseconds(limits.WallMilliseconds), TimeSpan.FromSeconds(limits.CpuSeconds)), child.Pid, Kill);
        long wall = (long)Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        bool memory = end == CaptureEnd.Memory || groups.MemoryKills() > kills;
        byte[] complaint = status.Problem is null ? capture.Bytes(1) : Encoding.UTF8.GetBytes(status.Problem);
        byte[] result = container ? ResultFile.Read(Path.Combine(WorkspacePaths.Out, "result"), limits.OutputBytes) : capture.Bytes(2);
        bool reached = container ? ResultFile.Read(Path.Combine(WorkspacePaths.Out, "started"), 1).Length > 0 : status.Reached;
        bool tooMuch = end == CaptureEnd.Output || result.Length > limits.OutputBytes;
        return new LaunchReply(
            request.Id, reached, child.Status, end == CaptureEnd.Time, tooMuch, memory, capture.Bytes(0), complaint, result.Length > limits.OutputBytes ? result[..limits.OutputBytes] : result, wall, child.Cpu, child.Peak);
    }

    // Null if the program may go on; without its limits it does not. A user may limit its own processes, root those of
    // others only with a capability that it lacks in many containers.
    private string? LetGo(int pid, LaunchLimits limits, int goWrite)
    {
        try
        {
            spawner.Run(() => ResourceLimits.Apply(pid, limits));
            ResourceLimits.PreferForMemoryKill(pid);
            Native.write(goWrite, [1], 1);
            return null;
        }
        catch (IOException refused)
        {
            return refused.Message;
        }
    }
}
