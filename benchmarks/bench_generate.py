"""How fast does minilm write, without PyTorch and with it, beside Hugging Face `generate`?

`python benchmarks/bench_generate.py` prints a table and, as its last line, the ratios as JSON. A ratio is the speed of `minilm.numpy_model`
over that of the peer: more is better.

One story at a time, greedy, with the same random weights for all, each peer with its cache and one thread; tokens per second of processor
time. Peers take turns within each round, and medians over rounds are compared. `same` counts the tokens before a peer first writes another
one than the first peer: rounding differs, so two nearly equal guesses may change places. `start_storyworld` is a fresh process that loads
the shipped model and shows its first piece of text.

What to expect: at 260k the work is calling the library, and there is much to save; at 15m it is reading 61 MB of weights for each token,
which nobody is spared, so ours cannot be much more than twice as fast.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # before NumPy and PyTorch start their threads

import torch
import transformers
import tyro

from minilm.config import MODELS, ModelConfig
from minilm.export.common import hugging_face_name
from minilm.generate import generate_ids
from minilm.model import Transformer
from minilm.numpy_model import NumpyModel
from minilm.tokenizer import Tokenizer

SHAPES = {
    "260k": ModelConfig(vocab_size=512, context_length=512, d_model=64, n_layers=5, n_heads=8, n_kv_heads=4, d_ff=172),
    "15m": ModelConfig(vocab_size=32_000, context_length=256, d_model=288, n_layers=6, n_heads=6, n_kv_heads=6, d_ff=768),
}  # those of llama2.c's stories260K and stories15M
STARTS = {
    "minilm": f"from minilm.numpy_model import NumpyModel; next(NumpyModel.load({str(MODELS / 'storyworld')!r}).generate())",
    "minilm_torch": "from minilm.checkpoint import load_model; from minilm.generate import generate; "
    f"next(generate(*load_model({str(MODELS / 'storyworld')!r})))",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    n_tokens: int = 256
    """tokens to write in each measurement"""
    rounds: int = 7
    """how often everything is measured"""


def hugging_face(model: Transformer) -> transformers.LlamaForCausalLM:
    config = model.config
    twin = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=config.vocab_size,
            max_position_embeddings=config.context_length,
            hidden_size=config.d_model,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            num_key_value_heads=config.n_kv_heads,
            intermediate_size=config.d_ff,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            rms_norm_eps=config.norm_eps,
            tie_word_embeddings=config.tie_embeddings,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
        )
    )
    twin.load_state_dict({hugging_face_name(name): tensor for name, tensor in model.state_dict().items()})
    return twin.eval()


def numpy_twin(model: Transformer) -> NumpyModel:
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if model.config.tie_embeddings:
        del weights["lm_head.weight"]
    filler = [(bytes([i // 256]), bytes([i % 256])) for i in range(model.config.vocab_size - 257)]  # the text does not matter here
    return NumpyModel(model.config, weights, Tokenizer(filler))


def writers(config: ModelConfig, n_tokens: int) -> dict[str, Callable[[], list[int]]]:
    """One function for each peer, which writes on from token 1 and returns what it wrote."""
    model = Transformer(config).eval()
    for parameter in model.parameters():  # large weights, so that the guesses differ from token to token
        parameter.data.mul_(4 if parameter.ndim == 2 else 1)
    ours, theirs, start = numpy_twin(model), hugging_face(model), torch.tensor([[1]])
    settings = {"do_sample": False, "use_cache": True, "min_new_tokens": n_tokens, "max_new_tokens": n_tokens}
    return {
        "minilm": lambda: list(ours.generate_ids([1], max_new_tokens=n_tokens, temperature=0)),
        "minilm_torch": lambda: list(generate_ids(model, [1], max_new_tokens=n_tokens, temperature=0)),
        "hf": lambda: theirs.generate(start, attention_mask=torch.ones_like(start), **settings)[0, 1:].tolist(),
    }


def n_same(ours: list[int], theirs: list[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))


def measure_writing(config: ModelConfig, options: Options) -> tuple[dict[str, list[float]], dict[str, int]]:
    peers = writers(config, options.n_tokens)
    speeds, written = {peer: [] for peer in peers}, {peer: write() for peer, write in peers.items()}  # the first time warms up
    for _ in range(options.rounds):
        for peer, write in peers.items():
            start = time.process_time()
            n_written = len(write())
            speeds[peer].append(n_written / (time.process_time() - start))
    return speeds, {peer: n_same(written["minilm"], ids) for peer, ids in written.items()}


def measure_start(rounds: int) -> dict[str, list[float]]:
    """Starts per second of processor time, each in a process of its own."""
    speeds = {peer: [] for peer in STARTS}
    for _ in range(rounds):
        for peer, code in STARTS.items():
            command = [sys.executable, "-c", f"{code}; import time; print(time.process_time())"]
            speeds[peer].append(1 / float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return speeds


def report(work: str, speeds: dict[str, list[float]], unit: str, same: dict[str, int] | None = None) -> dict[str, float]:
    """Print a row for each peer, and return ours beside theirs."""
    medians = {peer: statistics.median(values) for peer, values in speeds.items()}
    for peer, values in speeds.items():
        ratio, note = medians["minilm"] / medians[peer], same[peer] if same else ""
        print(
            f"{work:18} {peer:13} {medians[peer]:9.2f} {unit:9} [{min(values):.2f} .. {max(values):.2f}] {ratio:7.2f} {note:>6}", flush=True
        )
    return {f"{work}_vs_{peer}": round(medians["minilm"] / medians[peer], 3) for peer in speeds if peer != "minilm"}


def main(options: Options) -> None:
    torch.set_num_threads(1)
    print(f"{'work':18} {'peer':13} {'median':>9}           [least .. most]  ours over theirs, same")
    ratios = {}
    for name, config in SHAPES.items():
        speeds, same = measure_writing(config, options)
        ratios |= report(f"generate_{name}", speeds, "tokens/s", same)
    ratios |= report("start_storyworld", measure_start(options.rounds), "starts/s")
    print(json.dumps(ratios))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
