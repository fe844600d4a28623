"""SmolLM2 in plain numpy over the dequantized weights: the oracle of the example's tests.

    python reference.py MODEL.gguf --tokens 1,2,3 --steps 64 --out logits.npz

Writes `logits` [len(tokens) + steps - 1, vocabulary] f32 (one row for every position fed) and `greedy` [steps] i32.
"""

import argparse

import numpy as np
from gguf import GGUFReader, dequantize


class Model:
    """Llama architecture: rms_norm, rope over interleaved pairs, grouped-query attention, swiglu; f32 throughout."""

    def __init__(self, path: str) -> None:
        reader = GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items() if name.startswith("llama.")}
        self.layers = int(fields["llama.block_count"])
        self.heads = int(fields["llama.attention.head_count"])
        self.kv_heads = int(fields["llama.attention.head_count_kv"])
        self.epsilon = float(fields["llama.attention.layer_norm_rms_epsilon"])
        self.theta = float(fields["llama.rope.freq_base"])
        self.weights = {t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors}
        self.width = self.weights["token_embd.weight"].shape[1]
        self.head_size = self.width // self.heads
        empty = np.zeros((0, self.kv_heads, self.head_size), np.float32)
        self.cache = [(empty, empty) for _ in range(self.layers)]

    def rms_norm(self, x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.epsilon) * self.weights[name]

    def rope(self, x: np.ndarray, start: int) -> np.ndarray:
        half = self.head_size // 2
        frequency = self.theta ** (-np.arange(half) * 2.0 / self.head_size)
        angle = (start + np.arange(x.shape[0]))[:, None] * frequency
        cos, sin = np.cos(angle)[:, None, :].astype(np.float32), np.sin(angle)[:, None, :].astype(np.float32)
        even, odd = x[..., 0::2], x[..., 1::2]
        return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)

    def attention(self, x: np.ndarray, layer: int) -> np.ndarray:
        length, start = x.shape[0], self.cache[layer][0].shape[0]
        project = {n: x @ self.weights[f"blk.{layer}.attn_{n}.weight"].T for n in "qkv"}
        q = self.rope(project["q"].reshape(length, self.heads, -1), start)
        k = self.rope(project["k"].reshape(length, self.kv_heads, -1), start)
        v = project["v"].reshape(length, self.kv_heads, -1)
        k, v = (np.concatenate([old, new]) for old, new in zip(self.cache[layer], (k, v), strict=True))
        self.cache[layer] = (k, v)
        group = self.heads // self.kv_heads
        k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
        scores = np.einsum("qhd,khd->hqk", q, k) / np.float32(np.sqrt(self.head_size))
        visible = np.arange(k.shape[0])[None, :] <= start + np.arange(length)[:, None]
        scores = np.where(visible[None], scores, -np.inf)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        out = np.einsum("hqk,khd->qhd", p, v).reshape(length, -1)
        return out @ self.weights[f"blk.{layer}.attn_output.weight"].T

    def feed_forward(self, x: np.ndarray, layer: int) -> np.ndarray:
        gate, up = (x @ self.weights[f"blk.{layer}.ffn_{n}.weight"].T for n in ("gate", "up"))
        return (gate / (1 + np.exp(-gate)) * up) @ self.weights[f"blk.{layer}.ffn_down.weight"].T

    def forward(self, tokens: list[int]) -> np.ndarray:
        """Logits [len(tokens), vocabulary] of `tokens`, which follow what was fed before."""
        x = self.weights["token_embd.weight"][tokens]
        for layer in range(self.layers):
            x = x + self.attention(self.rms_norm(x, f"blk.{layer}.attn_norm.weight"), layer)
            x = x + self.feed_forward(self.rms_norm(x, f"blk.{layer}.ffn_norm.weight"), layer)
        return self.rms_norm(x, "output_norm.weight") @ self.weights["token_embd.weight"].T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--tokens", required=True, help="comma-separated token ids")
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    model = Model(arguments.model)
    rows = [model.forward([int(t) for t in arguments.tokens.split(",")])]
    greedy = [int(rows[0][-1].argmax())]
    for _ in range(arguments.steps - 1):
        rows.append(model.forward([greedy[-1]]))
        greedy.append(int(rows[-1][-1].argmax()))
    np.savez(arguments.out, logits=np.concatenate(rows), greedy=np.array(greedy, np.int32))


if __name__ == "__main__":
    main()
