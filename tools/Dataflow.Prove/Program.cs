using System.Diagnostics;
using Dataflow.Prove;

// tools/prove: lists the claims. tools/prove NAME [--small]: runs one.
if (args is [TrainingProbe.Verb, string probe])
{
    TrainingProbe.Run(probe, Console.Out);
    return 0;
}

string? name = args.FirstOrDefault(argument => !argument.StartsWith('-'));
if (name is null)
{
    foreach (Claim listed in Claim.All)
    {
        Console.WriteLine($"{listed.Name,-20} {listed.Promise}");
    }

    return 0;
}

if (Claim.All.FirstOrDefault(known => known.Name == name) is not Claim claim)
{
    Console.Error.WriteLine($"there is no claim '{name}'; 'tools/prove' lists them");
    return 2;
}

Scale scale = args.Contains("--small") ? Scale.Small : Scale.Full;
Console.WriteLine($"{claim.Name} ({scale.ToString().ToLowerInvariant()}): {claim.Promise}");
var clock = Stopwatch.StartNew();
bool holds = await claim.HoldsAsync(scale, Console.Out);
Console.WriteLine($"{(holds ? "pass" : "FAIL")} in {clock.Elapsed.TotalSeconds:0} s");
return holds ? 0 : 1;
