// Logits of every position of some token sequences, by llama.cpp.
// usage: node logits.mjs MODEL.gguf SEQUENCES.json OUT.bin  (float32, sequence after sequence, position after position)
import { readFileSync, writeFileSync } from "node:fs";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [modelPath, sequencesPath, outPath] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath });
const sequences = JSON.parse(readFileSync(sequencesPath, "utf8"));
const context = await model.createContext({ contextSize: Math.max(...sequences.map((ids) => ids.length)) + 8, threads: 1 });
const out = [];
const sequence = context.getSequence();
for (const ids of sequences) {
  await sequence.clearHistory();
  const results = await sequence.controlledEvaluate(ids.map((id) => [id, { generateNext: { logits: true } }]));
  for (const result of results) {
    const row = new Float32Array(Number(model.fileInfo.metadata.llama.vocab_size));
    for (const [token, logit] of result.next.logits) row[token] = logit;
    out.push(row);
  }
}
writeFileSync(outPath, Buffer.concat(out.map((row) => Buffer.from(row.buffer))));
process.exit(0);
