using Dataflow.Bench;

// dotnet run -c Release --project tools/Dataflow.Bench -- engine [graphs|journal|wide] | train | generate | device [auto|cuda:N|cpu] [--quick]
string[] words = args.Where(word => !word.StartsWith('-')).ToArray();
bool quick = args.Contains("--quick");
if (words is not ["engine" or "train" or "generate" or "device", .. var parts]
    || (words[0] == "device" ? parts.Length > 1 : parts.Any(part => words[0] != "engine" || part is not ("graphs" or "journal" or "wide"))))
{
    Console.Error.WriteLine("usage: dataflow-bench engine [graphs] [journal] [wide] | train | generate | device [auto|cuda:N|cpu] [--quick]");
    return 2;
}

bool Wanted(string part) => words[0] == "engine" && (parts.Length == 0 || parts.Contains(part));

Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {Environment.ProcessorCount} cores, .NET {Environment.Version}, load {Machine.Load()}");
switch (words[0])
{
    case "train":
        await new TrainCase(quick).RunAsync(Console.Out);
        return 0;
    case "generate":
        string bindings = Path.Combine(Machine.Root(), "tests/Dataflow.Torch.Tests/Peers/LlamaCpp");
        await new GenerateCase(quick, Directory.Exists(Path.Combine(bindings, "node_modules")) ? bindings : null).RunAsync(Console.Out);
        return 0;
    case "device":
        await new DeviceCase(quick, parts is [var name] ? name : "auto").RunAsync(Console.Out);
        return 0;
}

using var host = new EngineHost();
if (Wanted("graphs"))
{
    await new GraphCases(host, quick).RunAsync(Console.Out);
}

if (Wanted("journal"))
{
    await new JournalCost(host, quick).RunAsync(Console.Out);
}

if (Wanted("wide"))
{
    await new WideCase(host, quick).RunAsync(Console.Out);
}

return 0;
