using System.Net;
using System.Net.Sockets;

namespace Dataflow.Cli.Serving;

/// <summary>The address that a server listens on.</summary>
internal static class ListenAddress
{
    /// <summary>An IP address, or that of a name. A name that is none must not come to mean every address of the machine, as it does for Kestrel.</summary>
    /// <exception cref="ArgumentException">It has no address.</exception>
    public static async Task<IPAddress> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out IPAddress? literal))
        {
            return literal;
        }

        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(host, cancellationToken);
            return found.OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork).FirstOrDefault() ?? throw Unknown(host, "no address");
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            throw Unknown(host, failure.Message);
        }
    }

    private static ArgumentException Unknown(string host, string why) =>
        new($"--host {host}: {why}; give an address of this machine, such as 127.0.0.1, or 0.0.0.0 or :: for all of them");
}
