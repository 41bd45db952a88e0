using System.Globalization;
using System.Xml.Linq;

namespace Dataflow.Cli.Testing;

/// <summary>Results as JUnit XML, which CI systems read.</summary>
internal static class JUnitReport
{
    public static void Write(string path, string suite, IReadOnlyList<CaseResult> results)
    {
        string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);
        var total = TimeSpan.FromTicks(results.Sum(result => result.Elapsed.Ticks));
        object[] counts = [new XAttribute("tests", results.Count), new XAttribute("failures", results.Count(result => !result.Passed)), new XAttribute("errors", 0), new XAttribute("time", Seconds(total))];
        var document = new XDocument(new XElement(
            "testsuites",
            counts,
            new XElement(
                "testsuite",
                new XAttribute("name", suite),
                counts,
                results.Select(result => new XElement(
                    "testcase",
                    new XAttribute("name", result.Name),
                    new XAttribute("classname", suite),
                    new XAttribute("file", result.Place.File),
                    new XAttribute("line", result.Place.Line),
                    new XAttribute("time", Seconds(result.Elapsed)),
                    result.Passed ? null : new XElement("failure", new XAttribute("message", Plain(result.Failures[0].Split('\n')[0])), Plain(string.Join('\n', result.Failures))))))));
        document.Save(path);
    }

    // XML cannot hold most control characters, and rows can.
    private static string Plain(string text) => string.Concat(text.Select(c => System.Xml.XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '\uFFFD'));
}
