"""The same Llama and the same training step in PyTorch: a peer of the benchmark.

usage: train.py FOLDER sft|dpo THREADS
Reads a checkpoint (config.json, model.safetensors) and batch.json from FOLDER; then, for each line N on standard input,
does N steps and answers with one line of JSON: their seconds and losses.
"""
import json
import math
import os
import struct
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy, linear, logsigmoid, silu

folder, task, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
config = json.load(open(os.path.join(folder, "config.json")))
heads, groups, layers = config["num_attention_heads"], config["num_key_value_heads"], config["num_hidden_layers"]
size, epsilon = config["hidden_size"] // heads, config["rms_norm_eps"]

with open(os.path.join(folder, "model.safetensors"), "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header, data = json.loads(file.read(length)), file.read()
header.pop("__metadata__", None)
w = {}
for name, t in header.items():
    array = np.frombuffer(data[slice(*t["data_offsets"])], dtype="<f4").reshape(t["shape"]).copy()
    w[name] = torch.from_numpy(array).requires_grad_(True)

batch = json.load(open(os.path.join(folder, "batch.json")))
ids = torch.tensor(batch["ids"])
length = ids.shape[1]
labels = torch.cat([ids[:, 1:], torch.full((len(ids), 1), -100)], 1)
t = torch.arange(length, dtype=torch.float64)
angles = torch.outer(t, config["rope_theta"] ** (-torch.arange(0, size, 2, dtype=torch.float64) / size))
cos, sin = torch.cat([angles, angles], 1).cos().float(), torch.cat([angles, angles], 1).sin().float()
hidden_future = torch.full((length, length), -math.inf).triu(1)


def norm(x, weight):
    return x * (x * x).mean(-1, keepdim=True).add(epsilon).rsqrt() * weight


def turn(x):
    return x * cos + torch.cat([-x[..., size // 2 :], x[..., : size // 2]], -1) * sin


def attend(q, k, v):
    if hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return torch.softmax(q @ k.transpose(2, 3) / math.sqrt(size) + hidden_future, -1) @ v


def logits(ids):
    rows = len(ids)
    x = w["model.embed_tokens.weight"][ids]
    for i in range(layers):
        p = f"model.layers.{i}."
        h = norm(x, w[p + "input_layernorm.weight"])
        split = lambda name, n: linear(h, w[p + f"self_attn.{name}.weight"]).view(rows, length, n, size).transpose(1, 2)
        q, k, v = turn(split("q_proj", heads)), turn(split("k_proj", groups)), split("v_proj", groups)
        k, v = k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)
        x = x + linear(attend(q, k, v).transpose(1, 2).reshape(rows, length, heads * size), w[p + "self_attn.o_proj.weight"])
        h = norm(x, w[p + "post_attention_layernorm.weight"])
        x = x + linear(silu(linear(h, w[p + "mlp.gate_proj.weight"])) * linear(h, w[p + "mlp.up_proj.weight"]), w[p + "mlp.down_proj.weight"])
    return linear(norm(x, w["model.norm.weight"]), w["model.embed_tokens.weight"])


def sft():
    return cross_entropy(logits(ids).flatten(0, 1), labels.flatten(), ignore_index=-100)


counted = torch.tensor(batch["counted"]) if task == "dpo" else None
whole = torch.tensor(batch["whole"]) if task == "dpo" else None
reference = torch.tensor(batch["reference"]) if task == "dpo" else None


def dpo():
    logps = torch.log_softmax(logits(ids)[:, :-1], -1).gather(2, ids[:, 1:].unsqueeze(2)).squeeze(2)
    half = len(ids) // 2
    sums = (logps * counted[:, 1:]).sum(1)
    ratio = sums - reference
    nll = -((logps * whole[:, 1:]).sum(1) / whole[:, 1:].sum(1))[:half].mean()
    return -logsigmoid(0.1 * (ratio[:half] - ratio[half:])).mean() + 0.2 * nll


optimizer = torch.optim.AdamW(w.values(), lr=batch["learning_rate"], betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    seconds, losses = [], []
    for _ in range(int(line)):
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss = sft() if task == "sft" else dpo()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": seconds, "losses": losses}), flush=True)
