using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Tests.Languages;

/// <summary>Sources as models write them, and values of the kinds that each language has.</summary>
public sealed class ShapeTests(LanguagePool shared) : IClassFixture<LanguagePool>
{
    private static readonly LanguageSet Known = LanguageSet.Standard();

    public static TheoryData<string, string, string[]> Shapes => new()
    {
        { "python", "import collections\ndef f(x): return {'b': (1, 2.5), 'a': {3, 1}}\nclass A:\n    def __init__(self, x): self.x = x", ["f(1) => {'a': {1, 3}, 'b': (1, 2.5)}", "A(7).x => 7", "collections.Counter('aab')['a'] => 2", "f(1)['b'] => json [1, 2.5]", "f(1)['b'] => [1, 2.5]!"] },
        { "javascript", "import fs from 'fs';\nexport default function f(x) { return new Map([[x, new Set([1])]]); }\nexport class A { #y = 1n; get y() { return this.#y; } }", ["f('k') => new Map([['k', new Set([1])]])", "new A().y => json 1", "typeof fs.readFileSync => 'function'", "Promise.resolve([undefined, NaN]) => [null, NaN]"] },
        { "javascript", "function f(x) { return x.map((y) => y * 2); }\nmodule.exports = { f };\nif (require.main === module) { f([1]); }", ["f([1, 2]) => json [2, 4]", "f([0.1]) => [0.2]"] },
        { "typescript", "interface P { x: number }\nenum E { A = 3 }\nexport function f<T extends P>(p: T): number[] { return [p.x, E.A]; }", ["f({ x: 1 }) => json [1, 3]"] },
        { "c", "#include <stdio.h>\n#include <string.h>\n#define int long long\nstatic const char* name(int x) { return x ? \"a\\\"b\" : NULL; }\ndouble half(int x) { return x / 2.0; }\nsigned main() { return 1; }", ["name(1) => \"a\\\"b\"", "name(0) => json null", "half(3) => json 1.5", "half(4) > 1 => json true", "(unsigned char)200 => 200", "'a' => 'a'"] },
        { "cpp", "#include <bits/stdc++.h>\nusing namespace std;\n#define int long long\n#define endl '\\n'\nvector<pair<int, string>> f(int n) { return {{n, \"x\"}}; }\nmap<string, vector<bool>> g() { return {{\"k\", {true, false}}}; }\noptional<double> h(bool b) { return b ? optional<double>(0.1) : nullopt; }\nclass Solution { public: int square(int x) { return x * x; } };\nsigned main() { int n; cin >> n; }", ["f(2) => json [[2, \"x\"]]", "g() => json {\"k\": [true, false]}", "h(true) => json 0.1", "h(false) => json null", "Solution().square(3) => 9", "string(\"é\") => json \"é\"", "set<int>{2, 1} => std::set<int>{1, 2}", "'x' => json \"x\""] },
        { "csharp", "using System.Collections.Generic;\n\nnamespace My.Code;\n\npublic class Solution\n{\n    public int Square(int x) => x * x;\n    public static Dictionary<string, int[]> Map() => new() { [\"k\"] = new[] { 1, 2 } };\n    static void Main() { }\n}", ["new My.Code.Solution().Square(3) => 9", "My.Code.Solution.Map() => json {\"k\": [1, 2]}", "new HashSet<int> { 2, 1 } => new HashSet<int> { 1, 2 }", "(1, \"a\") => json [1, \"a\"]", "await Task.FromResult(0.1) => json 0.1"] },
        { "csharp", "using System.Text;\nvar seen = new Dictionary<int, long>();\nlong Fib(int n) { if (n < 2) return n; if (seen.TryGetValue(n, out var v)) return v; return seen[n] = Fib(n - 1) + Fib(n - 2); }\nConsole.WriteLine(Fib(3));\n\nclass Node { public int Value = 5; }", ["Fib(50) => 12586269025", "new Node().Value => 5"] },
        { "java", "package com.example;\n\nimport java.util.*;\n\npublic class Solution {\n    public static int square(int x) { return x * x; }\n    public Map<String, int[]> map() { return Map.of(\"k\", new int[] {1, 2}); }\n    public static void main(String[] args) { }\n}", ["Solution.square(3) => 9", "new Solution().map() => json {\"k\": [1, 2]}", "Set.of(1) => new HashSet<>(List.of(1))", "'x' => json \"x\"", "1.0f / 10 => json 0.1", "Optional.empty() => null"] },
        { "go", "package main\n\nimport (\n\t\"errors\"\n\t\"sort\"\n)\n\ntype P struct{ X, Y int }\n\nfunc div(a, b int) (int, error) {\n\tif b == 0 {\n\t\treturn 0, errors.New(\"zero\")\n\t}\n\treturn a / b, nil\n}\n\nfunc keys(m map[string]int) []string {\n\tvar all []string\n\tfor k := range m {\n\t\tall = append(all, k)\n\t}\n\tsort.Strings(all)\n\treturn all\n}\n\nfunc (p *P) Sum() int { return p.X + p.Y }\n\nfunc main() { panic(1) }\n", ["div(4, 2) => json [2, null]", "div(4, 0) => json [0, \"zero\"]", "keys(map[string]int{\"b\": 1, \"a\": 2}) => json [\"a\", \"b\"]", "(&P{1, 2}).Sum() => 3", "P{1, 2} => json {\"X\": 1, \"Y\": 2}", "map[int]float32{1: 0.1} => map[int]float64{1: 0.1}"] },
        { "rust", "use std::collections::HashMap;\n\n#[derive(Debug, Clone)]\npub struct Point { x: i32 }\n\nimpl Point { fn new(x: i32) -> Self { Self { x } } }\n\nfn parse(s: &str) -> Result<i32, std::num::ParseIntError> { s.parse() }\n\nfn count(s: &str) -> HashMap<char, usize> { let mut m = HashMap::new(); for c in s.chars() { *m.entry(c).or_insert(0) += 1; } m }\n\nfn main() { println!(\"{:?}\", Point::new(1)); }", ["count(\"aab\") => json {\"a\": 2, \"b\": 1}", "Point::new(3).x => 3", "parse(\"4\").ok() => json 4", "parse(\"x\").is_err() => json true", "(1, \"a\", Some(0.1f32)) => json [1, \"a\", 0.1]", "vec![(); 0].len() => 0"] },
        { "php", "<?php\ndeclare(strict_types=1);\nnamespace App;\nfinal class Solution { public static function map(array $a): array { return array_map(fn($x) => $x * 2, $a); } }", ["\\App\\Solution::map([1, 2]) => json [2, 4]", "['b' => 1, 'a' => [0.1, null]] => json {\"a\": [0.1, null], \"b\": 1}", "[] => json {}"] },
        { "bash", "#!/bin/bash\nset -euo pipefail\nadd() { local a=$1 b=$2; echo $((a + b)); }\nlines() { printf 'a\\nb\\n'; }", ["add 1 2 => 3", "lines => json [\"a\", \"b\"]", "lines | tail -n 1 => b", "add 1 1; add 2 2 => 2\n4"] },
        { "sql", "CREATE TABLE t(id INTEGER, name TEXT, price REAL);\nINSERT INTO t VALUES (1, 'a', 1.5), (2, NULL, 2.0);", ["SELECT * FROM t ORDER BY id => json [[1, \"a\", 1.5], [2, null, 2]]", "SELECT name FROM t WHERE id = 2 => json null", "SELECT id FROM t WHERE id > 5 => json []", "SELECT id FROM t => json [1, 2]", "SELECT count(*) FROM t => SELECT 1 + 1"] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task A_source_of_any_usual_shape_is_called_with_values_of_any_kind(string name, string source, string[] tests)
    {
        var grader = new CodeGrader(shared.Pool, Known.Find(name)!, new SandboxLimits());
        CodeTest[] right = tests.Where(test => !test.EndsWith('!')).Select(Read).ToArray();
        Assert.Equal(new Grade(Verdict.Passed, ""), await grader.GradeAsync(source, right, CancellationToken.None));
        foreach (CodeTest wrong in tests.Where(test => test.EndsWith('!')).Select(test => Read(test[..^1])))
        {
            Assert.Equal(Verdict.Failed, (await grader.GradeAsync(source, [wrong], CancellationToken.None)).Verdict);
        }
    }

    private static CodeTest Read(string text)
    {
        int arrow = text.LastIndexOf(" => ", StringComparison.Ordinal);
        string expected = text[(arrow + 4)..];
        bool json = expected.StartsWith("json ", StringComparison.Ordinal);
        return new CodeTest(text[..arrow], null, json ? expected["json ".Length..] : expected, json);
    }
}
