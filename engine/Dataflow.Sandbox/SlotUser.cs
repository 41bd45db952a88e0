using System.Globalization;
using System.Net.Sockets;

namespace Dataflow.Sandbox;

/// <summary>
/// A user id that no other slot on this machine has: the kernel counts processes by user, so two slots with one id would
/// share one limit. A name in the kernel's abstract sockets stands for the id: it can be bound once, and is free again as
/// soon as its process is gone, however that ended.
/// </summary>
internal sealed class SlotUser : IDisposable
{
    private const int First = 200_000;
    private const int Count = 640_000;
    private readonly Socket claim;

    private SlotUser(int id, Socket claim) => (Id, this.claim) = (id, claim);

    public int Id { get; }

    /// <exception cref="SandboxException">All ids are taken.</exception>
    public static SlotUser Take()
    {
        // Containers may share the machine's users and not its sockets: far apart, engines in two of them hardly meet.
        int begin = Environment.ProcessId % 10_000 * 64;
        for (int i = 0; i < Count; i++)
        {
            int id = First + ((begin + i) % Count);
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Bind(new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"\0dataflow-sandbox-user-{id}")));
                return new SlotUser(id, socket);
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                socket.Dispose();
            }
        }

        throw new SandboxException("no user id is left for a sandbox: other engines on this machine hold them all");
    }

    public void Dispose() => claim.Dispose();
}
