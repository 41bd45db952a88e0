using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dataflow.Engine.Execution.Tapping;

/// <summary>Reads live rows of a running run.</summary>
public static class TapClient
{
    /// <summary>JSON lines as <see cref="TapServer"/> sends them, until the port ends or the reader stops.</summary>
    /// <param name="port"><c>STAGE</c> or <c>STAGE.PORT</c>.</param>
    /// <exception cref="IOException">Nothing runs in that folder.</exception>
    public static async IAsyncEnumerable<string> ReadAsync(string runFolder, string port, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            TapSocket.WithAddress(Path.GetFullPath(runFolder), socket.Connect);
        }
        catch (SocketException failure)
        {
            throw new IOException($"no run is at work in {runFolder}", failure);
        }

        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(port + "\n"), cancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellationToken) is string line)
        {
            yield return line;
        }
    }
}
