using Microsoft.Data.Sqlite;

namespace Dataflow.Cli;

/// <summary>Failures of the disk under a run: full, read-only, gone.</summary>
internal static class DiskTrouble
{
    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException or SqliteException;

    public static string Explain(Exception failure) =>
        failure is SqliteException sqlite ? $"the journal: {sqlite.Message}" : failure.Message;
}
