"""llama2.c's files read, and its programs written again in NumPy, after the description of the format; nothing here imports minilm.

Version 0, for run.c: seven int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len), a negative vocab_size meaning that the
classifier has weights of its own; then float32: the embedding table, and for all layers in turn rms_att, wq, wk, wv, wo, rms_ffn, w1, w2, w3; rms_final;
two tables of angles that nobody reads; the classifier, if it is not shared.
Version 2, for runq.c: "ak42" as uint32, the version, the seven int32, a byte that is 1 for a shared classifier, the group size as int32, zeros up to
byte 256; float32 rms_att, rms_ffn, rms_final; then each matrix as int8, followed by a float32 scale for each group.
tokenizer.bin: int32 longest string; for each id a float32 score, an int32 length, and the bytes.
"""

import struct
from pathlib import Path

import numpy as np

SIZES = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len")


class Reader:
    """Takes arrays from a file, one after the other, and knows whether something is left."""

    def __init__(self, path: Path):
        self.data, self.place = path.read_bytes(), 0

    def take(self, kind: str, *shape: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, int(np.prod(shape)), self.place).reshape(shape)
        self.place += found.nbytes
        return found

    @property
    def n_left(self) -> int:
        return len(self.data) - self.place


def read_model(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The sizes and the float32 weights of either version; int8 ones are multiplied by their scales."""
    file = Reader(path)
    quantised = file.data[:4] == struct.pack("<I", 0x616B3432)
    if quantised:
        file.place = 4
        assert file.take("<i4", 1)[0] == 2
    p = dict(zip(SIZES, map(int, file.take("<i4", 7))))
    p["shared"] = bool(file.take("u1", 1)[0]) if quantised else p["vocab_size"] > 0
    p["group_size"] = int(file.take("<i4", 1)[0]) if quantised else 0
    p["vocab_size"] = abs(p["vocab_size"])
    dim, hidden, layers, vocab = p["dim"], p["hidden_dim"], p["n_layers"], p["vocab_size"]
    kv_dim = dim // p["n_heads"] * p["n_kv_heads"]
    shapes = {"wq": (dim, dim), "wk": (kv_dim, dim), "wv": (kv_dim, dim), "wo": (dim, dim), "w1": (hidden, dim), "w2": (dim, hidden), "w3": (hidden, dim)}

    def matrices(n: int, rows: int, columns: int) -> np.ndarray:
        if not quantised:
            return file.take("<f4", n, rows, columns)
        found = []
        for _ in range(n):
            codes = file.take("i1", rows * columns // p["group_size"], p["group_size"])
            found.append((codes * file.take("<f4", len(codes))[:, None]).reshape(rows, columns))
        return np.stack(found)

    w = {}
    if quantised:
        assert not any(file.data[file.place : 256])
        file.place = 256
        w["rms_att"], w["rms_ffn"], w["rms_final"] = file.take("<f4", layers, dim), file.take("<f4", layers, dim), file.take("<f4", dim)
        w["embedding"] = matrices(1, vocab, dim)[0]
        w |= {name: matrices(layers, *shape) for name, shape in shapes.items()}
    else:
        w["embedding"], w["rms_att"] = file.take("<f4", vocab, dim), file.take("<f4", layers, dim)
        w |= {name: matrices(layers, *shapes[name]) for name in ("wq", "wk", "wv", "wo")}
        w["rms_ffn"] = file.take("<f4", layers, dim)
        w |= {name: matrices(layers, *shapes[name]) for name in ("w1", "w2", "w3")}
        w["rms_final"] = file.take("<f4", dim)
        w["angles"] = file.take("<f4", 2, p["seq_len"], dim // p["n_heads"] // 2)
    w["classifier"] = w["embedding"] if p["shared"] else matrices(1, vocab, dim)[0]
    assert file.n_left == 0
    return p, w


def rounded(x: np.ndarray, group_size: int) -> np.ndarray:
    """What runq.c does to a vector before each multiplication: int8 in groups. `group_size` 0 leaves it, as run.c does."""
    if not group_size:
        return x
    groups = x.reshape(-1, group_size)
    scales = np.abs(groups).max(axis=1, keepdims=True) / np.float32(127)
    codes = np.divide(groups, scales, out=np.zeros_like(groups), where=scales > 0)
    return (np.copysign(np.floor(np.abs(codes) + 0.5), codes) * scales).reshape(x.shape).astype(np.float32)  # C rounds halves away from zero


class Runner:
    """run.c, or runq.c where vectors are rounded too: reads a token at a position, and returns the logits."""

    def __init__(self, path: Path, round_vectors: bool = False):
        self.p, self.w = read_model(path)
        self.group_size = self.p["group_size"] if round_vectors else 0
        self.head_size = self.p["dim"] // self.p["n_heads"]
        kv_dim = self.head_size * self.p["n_kv_heads"]
        self.keys, self.values = np.zeros((2, self.p["n_layers"], self.p["seq_len"], kv_dim), np.float32)

    def multiply(self, matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
        return matrix @ rounded(x, self.group_size)

    def turned(self, x: np.ndarray, position: int) -> np.ndarray:
        out = x.copy()
        for i in range(0, len(x), 2):
            angle = np.float32(position) / np.float32(10000.0) ** np.float32(i % self.head_size / self.head_size)
            cos, sin = np.cos(angle), np.sin(angle)
            out[i], out[i + 1] = x[i] * cos - x[i + 1] * sin, x[i] * sin + x[i + 1] * cos
        return out

    def forward(self, token: int, position: int) -> np.ndarray:
        p, w, size = self.p, self.w, self.head_size
        x = w["embedding"][token].copy()
        for layer in range(p["n_layers"]):
            xb = normalised(x, w["rms_att"][layer])
            q, k, v = (self.multiply(w[name][layer], xb) for name in ("wq", "wk", "wv"))
            q, self.keys[layer, position], self.values[layer, position] = self.turned(q, position), self.turned(k, position), v
            mixed = np.zeros_like(x)
            for head in range(p["n_heads"]):
                kv = slice(head * p["n_kv_heads"] // p["n_heads"] * size, (head * p["n_kv_heads"] // p["n_heads"] + 1) * size)
                scores = self.keys[layer, : position + 1, kv] @ q[head * size : (head + 1) * size] / np.sqrt(np.float32(size))
                weights = np.exp(scores - scores.max())
                mixed[head * size : (head + 1) * size] = weights / weights.sum() @ self.values[layer, : position + 1, kv]
            x = x + self.multiply(w["wo"][layer], mixed)
            xb = normalised(x, w["rms_ffn"][layer])
            gate = self.multiply(w["w1"][layer], xb)
            x = x + self.multiply(w["w2"][layer], gate / (1 + np.exp(-gate)) * self.multiply(w["w3"][layer], xb))
        return self.multiply(w["classifier"], normalised(x, w["rms_final"]))

    def greedy(self, prompt: list[int], n_tokens: int) -> list[int]:
        """The prompt, and the likeliest tokens after it up to so many in all, or up to id 1, which ends a text."""
        ids = list(prompt)
        for position in range(n_tokens - 1):
            logits = self.forward(ids[position], position)
            if position + 1 < len(ids):
                continue  # still reading the prompt
            ids.append(int(logits.argmax()))
            if ids[-1] == 1:
                break
        return ids


def normalised(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return weight * (x / np.sqrt((x * x).mean() + np.float32(1e-5)))


class Tokenizer:
    """tokenizer.bin, and what run.c does with it."""

    def __init__(self, path: Path, vocab_size: int):
        file = Reader(path)
        self.longest = int(file.take("<i4", 1)[0])
        self.strings, self.scores = [], []
        for _ in range(vocab_size):
            self.scores.append(float(file.take("<f4", 1)[0]))
            self.strings.append(file.take("u1", int(file.take("<i4", 1)[0])).tobytes())
        assert file.n_left == 0
        self.ids = {string: i for i, string in enumerate(self.strings)}
        assert len(self.ids) == vocab_size, "a search for a string finds one of two that are alike"
        assert not any(0 in string for string in self.strings), "a string of C ends at byte 0"

    def encode(self, text: str) -> list[int]:
        ids = [1]
        if not text:
            return ids
        ids.append(self.ids[b" "])
        for letter in text:
            utf8 = letter.encode()
            ids.extend([self.ids[utf8]] if utf8 in self.ids else [byte + 3 for byte in utf8])
        while True:
            best_score, best_id, best_place = -1e10, -1, -1
            for place in range(len(ids) - 1):
                found = self.ids.get(self.strings[ids[place]] + self.strings[ids[place + 1]], -1)
                if found != -1 and self.scores[found] > best_score:
                    best_score, best_id, best_place = self.scores[found], found, place
            if best_id == -1:
                return ids
            ids[best_place : best_place + 2] = [best_id]

    def decode(self, ids: list[int]) -> bytes:
        """What is printed after each token but the first; single bytes that are no letters, too, which run.c keeps back."""
        pieces = []
        for before, token in zip(ids, ids[1:]):
            piece = self.strings[token]
            if before == 1 and piece.startswith(b" "):
                piece = piece[1:]
            if len(piece) == 6 and piece.startswith(b"<0x") and piece.endswith(b">"):
                piece = bytes([int(piece[3:5], 16)])
            pieces.append(piece)
        return b"".join(pieces)
