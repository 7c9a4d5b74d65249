"""What does each format weigh, and what does it cost? The shipped models as files of every format, read back and judged.

`python benchmarks/bench_export.py [--tinystories PATH]` prints a table and, as its last line, its numbers as JSON.

MB are those of the weights' file, GGUF's with the tokenizer in it. Bits per byte are those of the weights as they are read back from the file, on stories that
the model never saw: storyworld's of the seed "unseen", and the first of valid.txt of TinyStories; they are judged by our own model, in float32. llama2.c's runq.c
rounds the vectors as well as the weights, which no other does; its bits per byte are those of the rounded weights alone. `same` counts, for a story from nothing, the
likeliest tokens, up to its end, before the first that differs from what the model writes as it is shipped; runq.c's rounding of vectors is in it.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import gguf
import numpy as np
import torch
import tyro

from minilm.checkpoint import load_model, model_of
from minilm.config import MODELS, ROOT, ModelConfig
from minilm.corpora import read_stories
from minilm.data import encode_stories
from minilm.evaluate import evaluate
from minilm.export import WEIGHTS, export_gguf, export_hf, export_llama2c, import_hf, llama2c_order, quantised_model, split_otherwise
from minilm.export.common import renamed
from minilm.export.to_gguf import GGUF_NAMES
from minilm.generate import generate_ids
from minilm.model import Transformer
from minilm.storyworld import stories
from minilm.tokenizer import Tokenizer

sys.path.insert(0, str(ROOT))  # llama2.c's programs in NumPy are the tests'
from tests import llama2c


@dataclass(frozen=True, kw_only=True)
class Options:
    tinystories: Path | None = None
    """folder with valid.txt of real TinyStories"""
    n_stories: int = 100
    """stories that each model is judged on"""
    n_tokens: int = 300
    """tokens of the story that is compared"""


def from_gguf(path: Path, config: ModelConfig) -> Transformer:
    """The model in a GGUF file, by the reader of the package gguf."""
    theirs = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors}
    weights = {}
    for name in Transformer(config).state_dict():
        there = renamed(name, GGUF_NAMES)
        if there in theirs:
            w = theirs[there]
            if "q_proj" in name or "k_proj" in name:  # turn back what lies side by side there
                w = w.reshape(-1, config.head_dim // 2, 2, config.d_model).swapaxes(1, 2).reshape(w.shape)
            weights[name] = torch.from_numpy(np.array(w, np.float32))
    return model_of(config, weights, str(path)).eval()


def files(model: Transformer, tokenizer: Tokenizer, folder: Path) -> Iterator[tuple[str, Path, Transformer]]:
    """Each format by name, the file of its weights, and the model that is in it."""
    for weights in WEIGHTS["hf"]:
        made = export_hf(model, tokenizer, folder / f"hf_{weights}", weights=weights)
        yield f"hf_{weights}", made / "model.safetensors", import_hf(made)[0]
    for weights in WEIGHTS["gguf"]:
        made = export_gguf(model, tokenizer, folder / f"{weights}.gguf", weights=weights)
        yield f"gguf_{weights}", made, from_gguf(made, model.config)
    for weights in WEIGHTS["llama2c"]:
        made = export_llama2c(model, tokenizer, folder / f"c_{weights}", weights=weights)
        yield f"llama2c_{weights}", made / "model.bin", quantised_model(model)[0] if weights == "int8" else model


class Judge:
    """What weights are worth on some stories, and the story that they hold likeliest; weights that are alike are judged once."""

    def __init__(self, ids: np.ndarray, tokenizer: Tokenizer, n_tokens: int):
        self.ids, self.tokenizer, self.n_tokens, self.known = ids, tokenizer, n_tokens, {}

    def __call__(self, model: Transformer) -> tuple[float, list[int]]:
        key = hashlib.sha256(b"".join(w.numpy().tobytes() for w in model.state_dict().values())).digest()
        if key not in self.known:
            self.known[key] = evaluate(model, self.ids, self.tokenizer).bits_per_byte, self._story(model)
        return self.known[key]

    def _story(self, model: Transformer) -> list[int]:
        ids = []
        for token in generate_ids(model, [self.tokenizer.end_of_text], temperature=0, max_new_tokens=self.n_tokens):
            ids.append(token)
            if token == self.tokenizer.end_of_text:  # where run.c stops, too
                break
        return ids


def n_same(first: list[int], second: list[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))


def in_llama2c(path: Path, tokenizer: Tokenizer, n_tokens: int, round_vectors: bool) -> list[int]:
    order = llama2c_order(tokenizer)
    return [order[i] for i in llama2c.Runner(path, round_vectors).greedy([1], n_tokens + 1)[1:]]


def main(options: Options) -> None:
    texts = {"storyworld": lambda: islice(stories("unseen"), options.n_stories)}
    if options.tinystories:
        texts["tinystories"] = lambda: islice(read_stories(options.tinystories / "valid.txt"), options.n_stories)
    values = {}
    for name, told in texts.items():
        model, tokenizer = load_model(MODELS / name)
        judge = Judge(encode_stories(told(), tokenizer), tokenizer, options.n_tokens)
        shipped = judge(model)[1]
        values |= {f"{name}_split_otherwise": len(split_otherwise(tokenizer, told())), f"{name}_story": len(shipped)}
        print(f"{name}: {options.n_stories} stories, of which llama2.c splits {values[f'{name}_split_otherwise']} otherwise; the likeliest has {len(shipped)} tokens")
        print(f"\n{'format':20} {'MB':>8} {'bits/byte':>10} {'same':>5}")
        with tempfile.TemporaryDirectory() as folder:
            found = [("by hand, int4 in 64s", None, quantised_model(model, 4, 64)), ("by hand, int4 in 32s", None, quantised_model(model, 4, 32))]
            for kind, path, there in [*files(model, tokenizer, Path(folder)), *found]:
                there, n_bytes = there if path is None else (there, path.stat().st_size)
                bits, written = judge(there)
                if kind.startswith("llama2c"):
                    rounded, written = written, in_llama2c(path, tokenizer, options.n_tokens, round_vectors=kind.endswith("int8"))
                    values[f"{name}_{kind}_same_as_rounded"] = n_same(rounded, written)
                key = f"{name}_{kind.replace('by hand, ', 'hand_').replace(' in ', '_')}"
                values |= {f"{key}_mb": n_bytes / 1e6, f"{key}_bits_per_byte": bits, f"{key}_same": n_same(shipped, written)}
                print(f"{kind:20} {n_bytes / 1e6:8.3f} {bits:10.5f} {n_same(shipped, written):5}", flush=True)
        print(flush=True)
    print(json.dumps(values))


if __name__ == "__main__":
    main(tyro.cli(Options))
