// Transpiles the candidate to /tmp/out, as a script or as a module. Mistakes of form are told as tsc tells them; types
// are looked at by static analysis alone.
"use strict";
const fs = require("fs");
const ts = require("/usr/share/nodejs/typescript");
const [name, hook] = process.argv.slice(2);
const source = fs.readFileSync("/job/candidate.ts", "utf8");
const result = ts.transpileModule(source, {
  reportDiagnostics: true,
  fileName: "candidate.ts",
  compilerOptions: { target: "ES2020", module: name.endsWith(".mjs") ? "ESNext" : "CommonJS", experimentalDecorators: true },
});
const errors = result.diagnostics.filter((found) => found.category === ts.DiagnosticCategory.Error);
for (const error of errors) {
  const at = ts.getLineAndCharacterOfPosition(error.file, error.start);
  console.error(`candidate.ts(${at.line + 1},${at.character + 1}): error TS${error.code}: ${ts.flattenDiagnosticMessageText(error.messageText, " ")}`);
}
if (errors.length > 0) process.exit(1);
fs.writeFileSync("/tmp/out/" + name, result.outputText + (hook || ""));
