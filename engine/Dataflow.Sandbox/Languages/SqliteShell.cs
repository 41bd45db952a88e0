using System.Security.Cryptography;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// The sqlite3 shell in its safe mode, in which neither its commands nor its functions reach out of SQL: to files, to other
/// programs, to its own settings. Our own commands need what it forbids, so each comes after a nonce that nobody else knows.
/// </summary>
internal sealed class SqliteShell
{
    public const string Program = "/usr/bin/sqlite3";

    /// <summary>
    /// What every script begins with. The nonce holds until a command within the script ends, so this ends it: a command that
    /// changes nothing.
    /// </summary>
    public const string Prelude = ".bail on\n";

    private readonly string nonce = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Runs commands of the shell one after another, in an empty database in memory.</summary>
    public string[] Run(params string[] commands) =>
        [Program, "-safe", "-nonce", nonce, "-batch", "-bail", ":memory:", .. commands.SelectMany(command => new[] { ".nonce " + nonce, command })];

    /// <summary>The same, as a shell writes it.</summary>
    public string Line(params string[] commands) => string.Join(' ', Run(commands).Select(word => $"'{word}'"));
}
