// Samples from llama.cpp by its Node bindings: a peer of the benchmark.
// usage: node generate.mjs BINDINGS MODEL.gguf PROMPTS.json SAMPLES TOKENS THREADS
// For each line N on standard input, answers N prompts with SAMPLES sequences of TOKENS tokens each and prints one line of
// JSON: seconds, tokens, and the seconds in which JavaScript ran.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [bindings, modelPath, promptsPath, samplesText, tokensText, threadsText] = process.argv.slice(2);
const [samples, tokens, threads] = [samplesText, tokensText, threadsText].map(Number);
const entry = createRequire(bindings + "/package.json").resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath });
const prompts = JSON.parse(readFileSync(promptsPath, "utf8"));
const context = await model.createContext({ contextSize: prompts[0].length + tokens + 8, sequences: samples, batchSize: 2048, threads });
const sequences = Array.from({ length: samples }, () => context.getSequence());

async function one(sequence, prompt, seed) {
  let made = 0;
  await sequence.clearHistory();
  for await (const token of sequence.evaluate(prompt, { temperature: 1, topK: 0, topP: 1, minP: 0, seed, yieldEogToken: true })) {
    made++;
    if (made >= tokens) break;
  }
  return made;
}

console.log(JSON.stringify({ ready: true }));
let next = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const begin = performance.now();
  const idle = performance.eventLoopUtilization();
  let made = 0;
  for (let i = 0; i < Number(line); i++, next++) {
    const prompt = prompts[next % prompts.length];
    const counts = await Promise.all(sequences.map((sequence, k) => one(sequence, prompt, 1000 * next + k)));
    made += counts.reduce((a, b) => a + b, 0);
  }
  const used = performance.eventLoopUtilization(idle);
  console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000, tokens: made, script: used.active / 1000 }));
}
process.exit(0);
