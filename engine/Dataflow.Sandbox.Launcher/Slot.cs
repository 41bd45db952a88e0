using System.Diagnostics;
using System.Text;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Runs one program at a time, on a thread that lives as long as the launcher: the sandbox dies with the thread that
/// started it, so a pool thread must not be that thread.
/// </summary>
internal sealed class Slot(RequestQueue requests, Action<LaunchReply> reply, Reaper reaper, Workspace workspace, ControlGroups groups)
{
    private const int ResultDescriptor = 8;
    private const int StartedDescriptor = 9;

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
                answer = new LaunchReply(request.Id, false, 0, false, false, false, [], Encoding.UTF8.GetBytes(failure.Message), [], 0, 0);
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
        (int startRead, int startWrite) = handles.Pipe();
        (int doneRead, int doneWrite) = handles.Pipe();
        var map = new List<(int From, int To)>
        {
            (handles.Memory(request.Stdin), 0), (outWrite, 1), (errorWrite, 2), (resultWrite, ResultDescriptor), (startWrite, StartedDescriptor),
        };
        map.AddRange(request.Descriptors.Select(content => (handles.Memory(content.Value), content.Key)));
        // What lies in its private /tmp counts as its memory too.
        groups.Limit(limits.MemoryBytes + limits.TemporaryBytes, limits.Processes);
        long kills = groups.MemoryKills();
        long begin = Stopwatch.GetTimestamp();
        RunningChild child = reaper.Spawn(() => Spawner.Spawn(request.Arguments, request.Environment, map), doneWrite);
        requests.Running(request.Id, () => reaper.Kill(child));
        handles.Close(outWrite, errorWrite, resultWrite, startWrite);
        long? watched = groups.LimitMemory ? null : limits.MemoryBytes;
        var capture = new Capture([outRead, errorRead, resultRead, startRead], limits.OutputBytes, watched);
        CaptureEnd end = capture.Until(doneRead, TimeSpan.FromMilliseconds(limits.WallMilliseconds), child.Pid, () => reaper.Kill(child));
        long wall = (long)Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        bool started = capture.Bytes(3).Length > 0;
        bool memory = end == CaptureEnd.Memory || groups.MemoryKills() > kills;
        return new LaunchReply(
            request.Id, started, child.Status, end == CaptureEnd.Time, end == CaptureEnd.Output, memory, capture.Bytes(0), capture.Bytes(1), capture.Bytes(2), wall, child.Cpu);
    }
}
