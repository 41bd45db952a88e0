// Token ids of some texts, by llama.cpp; special tokens spelt out in them stay text.
// usage: node tokens.mjs MODEL.gguf TEXTS.json OUT.json
import { readFileSync, writeFileSync } from "node:fs";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [modelPath, textsPath, outPath] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath });
const texts = JSON.parse(readFileSync(textsPath, "utf8"));
writeFileSync(outPath, JSON.stringify(texts.map((text) => [...model.tokenize(text, false, "trimLeadingSpace")])));
process.exit(0);
