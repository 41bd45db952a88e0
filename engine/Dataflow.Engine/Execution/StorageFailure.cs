using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Execution;

/// <summary>Tells a disk that cannot be written or read (full, gone, not permitted) from mistakes of ours.</summary>
public static class StorageFailure
{
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException or SqliteException;
}
