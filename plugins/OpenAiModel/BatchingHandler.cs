using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>
/// Stands where the network would: hands each chat completion request to the batches and gives the client the answer as
/// if it had come at once, so that requests are rendered, answers read and errors named by the same code in both modes.
/// </summary>
internal sealed class BatchingHandler(OfflineBatches batches) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = await request.Content!.ReadAsStringAsync(cancellationToken);
        BatchAnswer answer = await batches.AskAsync(body, cancellationToken);
        var response = new HttpResponseMessage((HttpStatusCode)answer.Status) { RequestMessage = request, Content = new StringContent(answer.Body, Encoding.UTF8) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return response;
    }
}
