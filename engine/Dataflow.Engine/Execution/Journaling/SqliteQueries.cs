using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Execution.Journaling;

/// <summary>One SQLite connection with its prepared commands. Parameters are $0, $1, … Not thread-safe; <see cref="Gate"/> is there to be locked.</summary>
internal sealed class SqliteQueries : IAsyncDisposable
{
    private readonly SqliteConnection connection;
    private readonly Dictionary<string, SqliteCommand> commands = new(StringComparer.Ordinal);

    private SqliteQueries(SqliteConnection connection) => this.connection = connection;

    public Lock Gate { get; } = new();

    public static SqliteQueries Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 60 }.ToString());
        connection.Open();
        return new SqliteQueries(connection);
    }

    /// <summary>Opens or creates a database that is written ahead of its file, and makes the tables that it lacks.</summary>
    public static SqliteQueries Create(string path, string schema)
    {
        SqliteQueries queries = Open(path);
        // On its own: what follows a statement that answers with a row is run unheard, and its failure is lost.
        queries.Scalar("PRAGMA journal_mode = WAL");
        queries.Execute(schema);
        return queries;
    }

    public int Execute(string sql, params ReadOnlySpan<object?> arguments) => Prepare(sql, arguments).ExecuteNonQuery();

    public object? Scalar(string sql, params ReadOnlySpan<object?> arguments) => Prepare(sql, arguments).ExecuteScalar() is var value and not DBNull ? value : null;

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> arguments)
    {
        using SqliteDataReader rows = Prepare(sql, arguments).ExecuteReader();
        var result = new List<T>();
        while (rows.Read())
        {
            result.Add(read(rows));
        }

        return result;
    }

    /// <summary>Runs <paramref name="work"/> in one transaction.</summary>
    public void Transact(Action work)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        Enlist(transaction);
        try
        {
            work();
            transaction.Commit();
        }
        finally
        {
            Enlist(null);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SqliteCommand command in commands.Values)
        {
            await command.DisposeAsync();
        }

        await connection.DisposeAsync();
    }

    private void Enlist(SqliteTransaction? transaction)
    {
        foreach (SqliteCommand command in commands.Values)
        {
            command.Transaction = transaction;
        }
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!commands.TryGetValue(sql, out SqliteCommand? command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 0; i < arguments.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter(string.Create(CultureInfo.InvariantCulture, $"${i}"), null));
            }

            commands[sql] = command;
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        }

        return command;
    }
}
