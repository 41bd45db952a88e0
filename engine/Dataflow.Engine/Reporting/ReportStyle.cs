namespace Dataflow.Engine.Reporting;

internal static class ReportStyle
{
    public const string Css = """
        :root{--ink:#1c2330;--soft:#5d6878;--line:#d9dee6;--paper:#fff;--card:#f6f8fa;--accent:#2f6fdd;--good:#1f8a4c;--bad:#c33c3c}
        @media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a4b3;--line:#333d4a;--paper:#12161c;--card:#1a2028;--accent:#77a8ff;--good:#5bc587;--bad:#ff8080}}
        *{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:24px}h1{margin:0;font-size:26px}h2{font-size:18px;margin:32px 0 10px}
        header p{margin:4px 0;color:var(--soft)}.state{display:inline-block;padding:1px 10px;border-radius:10px;background:var(--card);border:1px solid var(--line)}
        .state.completed{color:var(--good)}.state.failed{color:var(--bad)}.cause{color:var(--bad)!important}
        table{border-collapse:collapse;font-size:14px;margin:6px 0}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
        th{color:var(--soft);font-weight:500}.n{text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}
        details{border:1px solid var(--line);border-radius:6px;padding:6px 12px;margin:6px 0;background:var(--card)}summary{cursor:pointer;font-weight:600}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 10px;font-size:13px}.row{margin:6px 0 0;color:var(--soft)}
        svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .soft{fill:var(--soft)}svg .box{fill:var(--card);stroke:var(--line)}svg .edge{fill:none;stroke:var(--soft)}
        svg .artifact{stroke-dasharray:5 4}svg .bar{fill:var(--accent)}svg .whisker{stroke:var(--ink);stroke-width:1.5}svg .axis{stroke:var(--line)}
        svg .c0{stroke:#2f6fdd}svg .c1{stroke:#d9822b}svg .c2{stroke:#1f8a4c}svg .c3{stroke:#a34fc7}svg .c4{stroke:#c33c3c}svg .curve{fill:none;stroke-width:1.8}
        """;
}
