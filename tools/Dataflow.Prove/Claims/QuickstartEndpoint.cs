namespace Dataflow.Prove;

/// <summary>Models are interchangeable: nothing but their section changes.</summary>
internal sealed class QuickstartEndpoint : Claim
{
    private const string Local = "policy:  { uses: llama, from: pretrain }";

    public override string Name => "quickstart-endpoint";

    public override string Promise => "the quickstart YAML with its policy at an OpenAI-compatible endpoint runs unchanged, and no call is made twice";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        // A policy that is right about sums and tails, and always wrong about reversal.
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply(call.Prompt.Contains("[::-1]", StringComparison.Ordinal) ? "'wrong'" : $"str({call.Prompt})"));
        using var command = new DataflowCommand();
        string yaml = await File.ReadAllTextAsync(Quickstart.Pipeline);
        string remote = yaml.Replace(Local, $"policy: {{ uses: openai, with: {{ endpoint: \"{endpoint.Address}\", model: scripted }}, limits: {{ concurrency: 32 }} }}", StringComparison.Ordinal);
        if (remote == yaml)
        {
            await output.WriteLineAsync($"the pipeline holds no line '{Local}'");
            return false;
        }

        command.Write("quickstart.yaml", remote);
        command.Write("fragments/evaluate.yaml", await File.ReadAllTextAsync(Path.Combine(DataflowCommand.Root, "pipelines/fragments/evaluate.yaml")));
        CommandResult run = await command.RunAsync(["run", "quickstart.yaml", "--run-id", "q", .. Quickstart.Settings(scale)]);
        if (run.ExitCode != 0)
        {
            await output.WriteLineAsync(run.All);
            return false;
        }

        int distinct = endpoint.Calls.Select(call => (call.Prompt, call.Seed)).Distinct().Count();
        int expected = scale == Scale.Full ? (1200 * 8) + 600 : (60 * 4) + 60;
        foreach ((string label, (double value, _, _)) in Quickstart.Results(run.Output))
        {
            await output.WriteLineAsync($"{label} {value:0.0}%");
        }

        await output.WriteLineAsync($"{endpoint.Calls.Count} calls, {distinct} of them distinct, {expected} expected");
        return endpoint.Calls.Count == expected && distinct == expected;
    }
}
