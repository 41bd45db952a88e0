// Transpiles the candidate to /tmp/out, as a script or as a module, and says there which it is. Mistakes of form are told
// as tsc tells them; types are looked at by static analysis alone.
"use strict";
const fs = require("fs");
const vm = require("vm");
const ts = require("/usr/share/nodejs/typescript");
const hook = process.argv[2] || "";
const source = fs.readFileSync("/job/candidate.ts", "utf8");
const parsed = ts.createSourceFile("candidate.ts", source, ts.ScriptTarget.ES2020);

function transpile(module) {
  return ts.transpileModule(source, {
    reportDiagnostics: true,
    fileName: "candidate.ts",
    compilerOptions: { target: "ES2020", module, experimentalDecorators: true },
  });
}

// A call without its types; one that cannot be read stays as it is, for the driver to say so.
function plainCall(call) {
  const { outputText, diagnostics } = ts.transpileModule(`(${call}\n)`, { reportDiagnostics: true, compilerOptions: { target: "ES2020", module: "CommonJS" } });
  const statement = outputText.replace(/^"use strict";\s*/, "").trim();
  return diagnostics.length === 0 && statement.endsWith(";") ? statement.slice(0, -1) : call;
}

function report(diagnostics) {
  const errors = diagnostics.filter((found) => found.category === ts.DiagnosticCategory.Error);
  for (const error of errors) {
    const at = ts.getLineAndCharacterOfPosition(error.file, error.start);
    console.error(`candidate.ts(${at.line + 1},${at.character + 1}): error TS${error.code}: ${ts.flattenDiagnosticMessageText(error.messageText, " ")}`);
  }
  if (errors.length > 0) process.exit(1);
}

function compiles(text) {
  try {
    new vm.Script(text);
    return true;
  } catch {
    return false;
  }
}

// 'import x = require()' and 'export =' are CommonJS, whatever else is imported. What is neither is a module if it can be
// read only so, as Node.js takes JavaScript.
const commonJs = parsed.statements.some((each) => (ts.isImportEqualsDeclaration(each) && ts.isExternalModuleReference(each.moduleReference)) || (ts.isExportAssignment(each) && each.isExportEquals));
const declared = ts.isExternalModule(parsed) && !commonJs;
report(parsed.parseDiagnostics);
const result = transpile(declared ? "ESNext" : "CommonJS");
const awaits = !declared && !compiles(`(function () {${result.outputText}\n})`) && compiles(`(async function () {${result.outputText}\n})`);

report(result.diagnostics);
if (fs.existsSync("/job/calls.json")) {
  fs.writeFileSync("/tmp/out/calls.json", JSON.stringify(JSON.parse(fs.readFileSync("/job/calls.json", "utf8")).map(plainCall)));
}
fs.writeFileSync("/tmp/out/candidate.js", result.outputText + hook);
fs.writeFileSync("/tmp/out/package.json", JSON.stringify({ type: declared || awaits ? "module" : "commonjs" }));
