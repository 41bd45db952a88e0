"""A Llama forward pass and the safetensors format in numpy, written from their descriptions: a peer of the tests.

usage: llama.py logits FOLDER SEQUENCES.json OUT.bin    float32 logits of every position, sequence after sequence
       llama.py write FOLDER CONFIG.json                a random checkpoint in two shards with an index
"""
import json
import os
import struct
import sys

import numpy as np


def bfloat16(raw):
    return (np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16).view(np.float32)


READ = {"F32": lambda raw: np.frombuffer(raw, dtype="<f4"), "F16": lambda raw: np.frombuffer(raw, dtype="<f2").astype(np.float32), "BF16": bfloat16}


def load(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: READ[t["dtype"]](data[slice(*t["data_offsets"])]).reshape(t["shape"]).astype(np.float64) for name, t in header.items()}


def save(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensor.tobytes() for tensor in tensors.values()))


def load_all(folder):
    index = os.path.join(folder, "model.safetensors.index.json")
    if not os.path.exists(index):
        return load(os.path.join(folder, "model.safetensors"))
    with open(index) as file:
        names = sorted(set(json.load(file)["weight_map"].values()))
    return {name: tensor for part in names for name, tensor in load(os.path.join(folder, part)).items()}


def forward(config, w, ids):
    size, heads, groups = config["head_dim"], config["num_attention_heads"], config["num_key_value_heads"]
    norm = lambda x, weight: x / np.sqrt((x * x).mean(-1, keepdims=True) + config["rms_norm_eps"]) * weight
    t = np.arange(len(ids))
    angles = np.outer(t, config["rope_theta"] ** (-np.arange(0, size, 2) / size))
    cos, sin = np.cos(np.hstack([angles, angles])), np.sin(np.hstack([angles, angles]))
    turn = lambda x: x * cos + np.concatenate([-x[..., size // 2 :], x[..., : size // 2]], -1) * sin
    x = w["model.embed_tokens.weight"][ids]
    for i in range(config["num_hidden_layers"]):
        p = f"model.layers.{i}."
        linear = lambda h, name: h @ w[p + name + ".weight"].T + w.get(p + name + ".bias", 0)
        split = lambda h, n: h.reshape(len(ids), n, size).transpose(1, 0, 2)
        h = norm(x, w[p + "input_layernorm.weight"])
        q, k = turn(split(linear(h, "self_attn.q_proj"), heads)), turn(split(linear(h, "self_attn.k_proj"), groups))
        v = split(linear(h, "self_attn.v_proj"), groups)
        k, v = np.repeat(k, heads // groups, 0), np.repeat(v, heads // groups, 0)
        scores = np.where(t[:, None] >= t, q @ k.transpose(0, 2, 1) / np.sqrt(size), -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        x = x + linear(mixed.transpose(1, 0, 2).reshape(len(ids), heads * size), "self_attn.o_proj")
        h = norm(x, w[p + "post_attention_layernorm.weight"])
        gate = linear(h, "mlp.gate_proj")
        x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, "mlp.up_proj"), "mlp.down_proj")
    head = w["model.embed_tokens.weight"] if config["tie_word_embeddings"] else w["lm_head.weight"]
    return norm(x, w["model.norm.weight"]) @ head.T


def random_weights(c):
    rng = np.random.default_rng(3)
    draw = lambda *shape: (0.2 * rng.standard_normal(shape)).astype("<f4")
    d, f, size = c["hidden_size"], c["intermediate_size"], c["head_dim"]
    q, kv = c["num_attention_heads"] * size, c["num_key_value_heads"] * size
    w = {"model.embed_tokens.weight": draw(c["vocab_size"], d)}
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        shapes = {"self_attn.q_proj": (q, d), "self_attn.k_proj": (kv, d), "self_attn.v_proj": (kv, d), "self_attn.o_proj": (d, q)}
        shapes.update({"mlp.gate_proj": (f, d), "mlp.up_proj": (f, d), "mlp.down_proj": (d, f)})
        w.update({f"{p}{name}.weight": draw(*shape) for name, shape in shapes.items()})
        if c["model_type"] == "qwen2":
            w.update({f"{p}self_attn.{n}_proj.bias": draw(r) for n, r in (("q", q), ("k", kv), ("v", kv))})
        w.update({p + name: 1 + draw(d) for name in ("input_layernorm.weight", "post_attention_layernorm.weight")})
    w["model.norm.weight"] = 1 + draw(d)
    w["lm_head.weight"] = draw(c["vocab_size"], d)
    return w


def main():
    command, folder = sys.argv[1:3]
    if command == "write":
        with open(sys.argv[3]) as file:
            config = json.load(file)
        weights = random_weights(config)
        names = list(weights)
        parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
        os.makedirs(folder)
        for part, held in parts.items():
            save(os.path.join(folder, part), {name: weights[name] for name in held})
        with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
            json.dump({"metadata": {}, "weight_map": {name: part for part, held in parts.items() for name in held}}, file)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file)
        return
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    weights = load_all(folder)
    with open(sys.argv[3]) as file:
        sequences = json.load(file)
    with open(sys.argv[4], "wb") as out:
        for ids in sequences:
            out.write(forward(config, weights, ids).astype("<f4").tobytes())


main()
