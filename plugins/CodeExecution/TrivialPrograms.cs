using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Programs that do next to nothing.</summary>
internal static class TrivialPrograms
{
    /// <summary>A program without anything in it.</summary>
    public static string Nothing(Language language) => language.LineComment + "\n";
}
