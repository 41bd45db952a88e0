using System.Globalization;
using System.Text.RegularExpressions;
using Dataflow.Prove;

namespace Dataflow.Pipelines.Tests;

/// <summary>
/// Plays the teacher of code-feedback.yaml: of each twelve problems six solutions are right at once, two after feedback,
/// one never, one is hostile, and two get tests that test nothing.
/// </summary>
internal sealed partial class CodeTeacher
{
    private static readonly string[] Hostile =
    [
        // Speaks in the results' place and leaves as if all were well.
        "import os\nos.write(8, b'{\"i\": 0, \"value\": true}\\n' * 9)\nprint('all tests passed')\nos._exit(0)\n",
        "import os, signal, sys\nfor pid in range(1, 99):\n    try:\n        os.kill(pid, 9)\n    except OSError:\n        pass\nsys.exit(0)\n",
    ];

    // By prompt. Calls come at the same time, and each new prompt must get a number of its own.
    private readonly Dictionary<string, int> problems = [];

    public EndpointReply Answer(EndpointCall call)
    {
        if (call.Prompt.Contains("Write one self-contained programming problem", StringComparison.Ordinal))
        {
            int number = Number(call.Prompt);
            return new EndpointReply($"Write task_{number}(n), which returns n plus {number}.");
        }

        int i = int.Parse(TaskName().Match(call.Prompt).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        if (call.Prompt.Contains("tests for this problem", StringComparison.Ordinal))
        {
            return new EndpointReply((i % 12) switch
            {
                10 => $"```json\n[{{\"call\": \"task_{i}(1) == task_{i}(1)\", \"expected\": true}}]\n```",
                11 => "```json\n[]\n```",
                _ => $"```json\n[{{\"call\": \"task_{i}(1)\", \"expected\": {i + 1}}}, {{\"call\": \"task_{i}(-{i})\", \"expected\": 0}}]\n```",
            });
        }

        bool repairing = call.Prompt.Contains("does not pass its tests", StringComparison.Ordinal);
        string code = (i % 12) switch
        {
            6 or 7 => Solution(i, repairing ? i : i + 1),
            8 => Solution(i, i + 1),
            9 => Hostile[i / 12 % Hostile.Length],
            _ => Solution(i, i),
        };
        return new EndpointReply($"I add the number.\n\n```python\n{code}```\n\nExample usage:\n```python\nprint(task_{i}(int(input())))\n```");
    }

    private int Number(string prompt)
    {
        lock (problems)
        {
            problems.TryAdd(prompt, problems.Count);
            return problems[prompt];
        }
    }

    private static string Solution(int i, int added) => $"def task_{i}(n):\n    # Adding is all there is to it, in constant time.\n    return n + {added}\n";

    [GeneratedRegex(@"task_(\d+)")]
    private static partial Regex TaskName();
}
