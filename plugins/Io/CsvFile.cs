using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>A CSV file (RFC 4180) whose header is read: records one after the other, each with its line and what is wrong with it.</summary>
internal sealed class CsvFile : IDisposable
{
    private readonly CsvParser parser;
    private readonly string path;
    private bool openQuote;

    /// <exception cref="StageFailedException">There is no header line, or it names a column twice.</exception>
    public CsvFile(string path, string delimiter)
    {
        this.path = path;
        parser = new CsvParser(SourceFiles.Open(path), new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter,
            // A quote in the middle of a field is a character; a field that a quote opens must be closed by one.
            BadDataFound = bad => openQuote |= bad.Field.StartsWith('"'),
        });
        if (!parser.Read())
        {
            parser.Dispose();
            throw new StageFailedException($"'{path}' has no header line");
        }

        Header = parser.Record!;
        if (Header.Any(MalformedText.IsIn))
        {
            parser.Dispose();
            throw new StageFailedException($"'{path}': {MalformedText.Problem} in the header line");
        }

        if (Header.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            parser.Dispose();
            throw new StageFailedException($"'{path}' has two columns called '{twice.Key}'");
        }
    }

    public string[] Header { get; }

    /// <summary>The current record's fields.</summary>
    public string[] Fields { get; private set; } = [];

    /// <summary>What is wrong with the current record; null if nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>The line on which the current record begins, from 1.</summary>
    public int Line => parser.RawRow - (openQuote ? parser.RawRecord.TrimStart('\r', '\n') : Raw).Count(letter => letter == '\n');

    /// <summary>The current record as it stands in the file.</summary>
    public string Raw => MalformedText.Shown(parser.RawRecord.Trim('\r', '\n'));

    /// <summary>Where a column stands in this file's records.</summary>
    /// <exception cref="StageFailedException">It has no such column.</exception>
    public int Place(string column) => System.Array.IndexOf(Header, column) is >= 0 and int place
        ? place
        : throw new StageFailedException($"'{path}' has no column '{column}', which the first file has");

    public bool Read() => Take(parser.Read());

    public async Task<bool> ReadAsync() => Take(await parser.ReadAsync());

    public void Dispose() => parser.Dispose();

    private bool Take(bool read)
    {
        if (!read)
        {
            return false;
        }

        openQuote = false;
        Fields = parser.Record!;
        Problem = Fields.Any(MalformedText.IsIn) ? MalformedText.Problem
            : openQuote ? "a quote does not close"
            : Fields.Length != Header.Length ? $"{Fields.Length} fields, but the header has {Header.Length}"
            : null;
        return true;
    }
}
