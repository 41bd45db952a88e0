using Dataflow.Bench;

// dotnet run -c Release --project tools/Dataflow.Bench -- engine [graphs|journal|wide] [--quick]
string[] words = args.Where(word => !word.StartsWith('-')).ToArray();
bool quick = args.Contains("--quick");
if (words is not ["engine", .. var parts] || parts.Any(part => part is not ("graphs" or "journal" or "wide")))
{
    Console.Error.WriteLine("usage: dataflow-bench engine [graphs] [journal] [wide] [--quick]");
    return 2;
}

bool Wanted(string part) => parts.Length == 0 || parts.Contains(part);

Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {Environment.ProcessorCount} cores, .NET {Environment.Version}, load {Machine.Load()}");
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
