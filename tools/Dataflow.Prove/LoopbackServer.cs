using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dataflow.Prove;

/// <summary>A web server on loopback; Kestrel, since HttpListener cannot keep up with a thousand calls a second beside the command it serves.</summary>
internal static class LoopbackServer
{
    /// <param name="port">0 for one that is free.</param>
    public static (WebApplication Server, string Address) Start(RequestDelegate answer, int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        WebApplication server = builder.Build();
        server.Run(answer);
        server.Start();
        return (server, server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/v1");
    }
}
