using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Launcher;

/// <summary>posix_spawn with a descriptor map; every other descriptor is close-on-exec.</summary>
internal static class Spawner
{
    // Sources are moved above every target first, so that one dup2 cannot overwrite the source of a later one.
    private const int Parking = 200;
    private const int DuplicateFrom = 1030;

    public static int Spawn(string[] arguments, string[] environment, IReadOnlyList<(int From, int To)> map)
    {
        nint actions = Marshal.AllocHGlobal(512);
        var strings = new List<nint>();
        var parked = new List<int>();
        try
        {
            _ = Native.posix_spawn_file_actions_init(actions);
            foreach ((int from, int to) in map)
            {
                int high = Native.fcntl(from, DuplicateFrom, Parking);
                parked.Add(high);
                _ = Native.posix_spawn_file_actions_adddup2(actions, high, to);
            }

            nint argv = Vector(arguments, strings);
            nint envp = Vector(environment, strings);
            int error = Native.posix_spawn(out int pid, arguments[0], actions, 0, argv, envp);
            return error == 0 ? pid : throw new IOException($"{arguments[0]} cannot be started: error {error}");
        }
        finally
        {
            parked.ForEach(fd => Native.close(fd));
            _ = Native.posix_spawn_file_actions_destroy(actions);
            Marshal.FreeHGlobal(actions);
            strings.ForEach(Marshal.FreeHGlobal);
        }
    }

    private static nint Vector(string[] values, List<nint> owned)
    {
        nint vector = Marshal.AllocHGlobal((values.Length + 1) * nint.Size);
        owned.Add(vector);
        for (int i = 0; i < values.Length; i++)
        {
            nint text = Marshal.StringToCoTaskMemUTF8(values[i]);
            owned.Add(text);
            Marshal.WriteIntPtr(vector, i * nint.Size, text);
        }

        Marshal.WriteIntPtr(vector, values.Length * nint.Size, 0);
        return vector;
    }
}
