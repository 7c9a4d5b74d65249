"""How little does it take to run a model? NumPy, little more than a hundred lines, and no PyTorch.

The ideas in order: weights are laid out for speed once, when they are loaded (`_layers`); a text that is read token by token lies in a
`Cache`; reading is a loop over the layers, the same mathematics as `minilm.model` (`NumpyModel.hidden`); then draw, read, draw again
(`generate_ids`), by the rules of `minilm.generate` (`likeliest`), and show the text while it grows (`generate`).

With one token at a time the work is a row times a matrix. A large model is bounded by how fast weights come from memory, a small one by the
cost of calling NumPy, so matrices that read the same row are joined, and what never changes is worked into them: the weights of the norms;
the 1 / sqrt(D) of the scores; half the gate, as silu(g) = g/2 (1 + tanh(g/2)); and an order of coordinates in which those that RoPE turns
together are neighbours, so that a turn is one multiplication of complex numbers.

Built by hand in: chapter 07. Left out on purpose: training, batches, half precision. Parity with `minilm.model` is a test.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy import ndarray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from minilm.config import ModelConfig, check_sampling
from minilm.files import read_json
from minilm.tokenizer import Tokenizer


class Cache:
    """The keys and values of the tokens read so far, for all layers; keys lie (D, T), which is how the scores read them."""

    def __init__(self, config: ModelConfig):
        n_layers, n_heads, length, width = config.n_layers, config.n_kv_heads, config.context_length, config.head_dim
        self.keys = np.empty((n_layers, n_heads, width, length), np.float32)
        self.values = np.empty((n_layers, n_heads, length, width), np.float32)
        self.n_tokens = 0


class NumpyModel:
    """A trained model that runs without PyTorch: the twin of `minilm.model.Transformer`.

    `model(ids)` maps T token ids to logits (T, V). weights: by their names in a model folder; any float type that NumPy has.
    Raises ValueError when they do not fit the config, or the tokenizer does not.
    """

    def __init__(self, config: ModelConfig, weights: dict[str, ndarray], tokenizer: Tokenizer):
        if tokenizer.vocab_size != config.vocab_size:
            raise ValueError(f"the tokenizer has {tokenizer.vocab_size} ids, the model {config.vocab_size}; one of them is another's")
        weights = _checked(config, weights)
        self.config, self.tokenizer, self.embed = config, tokenizer, weights["embed.weight"]
        self.layers = list(_layers(config, weights))
        self.head = _joined(weights["final_norm.weight"], weights.get("lm_head.weight", self.embed))  # (C, V)
        frequencies = config.rope_theta ** (-np.arange(0, config.head_dim, 2, dtype=np.float32) / config.head_dim)
        angles = np.outer(np.arange(config.context_length, dtype=np.float32), frequencies)
        self.turns = np.exp(1j * angles)[:, None]  # (context_length, 1, D/2)

    @classmethod
    def load(cls, folder: str | Path) -> "NumpyModel":
        """Read a model folder, such as `data/models/storyworld`. Raises ValueError when a file is missing, damaged or another model's."""
        folder = Path(folder)
        try:
            config = ModelConfig(**read_json(folder / "config.json", "a model's config"))
            return cls(config, load_file(folder / "model.safetensors"), Tokenizer.load(folder / "tokenizer.json"))
        except (OSError, TypeError, ValueError, SafetensorError) as error:
            raise ValueError(f"{folder} holds no whole model; name another folder, such as data/models/storyworld: {error}") from error

    def __call__(self, ids: list[int], cache: Cache | None = None) -> ndarray:
        return self.hidden(ids, cache).dot(self.head)

    def hidden(self, ids: list[int], cache: Cache | None = None) -> ndarray:
        """Map T token ids to the vectors (T, C) that the head reads.

        cache: when the ids continue a text whose beginning it holds. Raises ValueError for ids that do not exist or do not fit the context.
        """
        config, cache = self.config, Cache(self.config) if cache is None else cache
        start, end = cache.n_tokens, cache.n_tokens + len(ids)
        if not ids:
            raise ValueError("ids is empty; begin with the end-of-text id to have a text from its start")
        if not 0 <= min(ids) <= max(ids) < config.vocab_size:
            raise ValueError(f"ids go from {min(ids)} to {max(ids)}; the model knows 0 to {config.vocab_size - 1}")
        if end > config.context_length:
            raise ValueError(f"{end} tokens were given; this model was built for context_length {config.context_length}")
        x = self.embed[ids]  # (T, C)
        # Here `.dot` means what `@` means; for one row of a small model, calling `@` costs as much again as the multiplication.
        for (qkv, o, gate_up, down), keys, values in zip(self.layers, cache.keys, cache.values):
            x = x + self._attention(self._normalised(x).dot(qkv), keys, values, start).dot(o)
            both = self._normalised(x).dot(gate_up)  # (T, 2F)
            gate, up = both[:, : config.d_ff], both[:, config.d_ff :]
            x = x + ((np.tanh(gate) + 1) * gate * up).dot(down)
        cache.n_tokens = end
        return self._normalised(x)

    def _normalised(self, x: ndarray) -> ndarray:
        """Scale rows of x (T, C) to unit root-mean-square."""
        if len(x) == 1:  # Python's root of one number is much cheaper than NumPy's of an array
            return x / math.sqrt(np.vdot(x, x) / self.config.d_model + self.config.norm_eps)
        return x / np.sqrt(np.vecdot(x, x)[:, None] / self.config.d_model + self.config.norm_eps)

    def _attention(self, qkv: ndarray, keys: ndarray, values: ndarray, start: int) -> ndarray:
        """Add the keys and values of T new tokens to one layer's cache, and let their queries look at all: (T, (H + 2K) * D) to (T, C)."""
        n_heads, n_kv_heads, width = self.config.n_heads, self.config.n_kv_heads, self.config.head_dim
        n_read, end = len(qkv), start + len(qkv)
        pairs = qkv.view(np.complex64).reshape(n_read, -1, width // 2)  # (T, H + 2K, D/2)
        pairs[:, :-n_kv_heads] *= self.turns[start:end]
        heads = pairs.view(np.float32).transpose(1, 0, 2)  # (H + 2K, T, D)
        keys[:, :, start:end], values[:, start:end] = heads[n_heads:-n_kv_heads].transpose(0, 2, 1), heads[-n_kv_heads:]
        q = heads[:n_heads].reshape(n_kv_heads, -1, width)  # (K, H/K * T, D): the query heads that share a key head are one matrix
        scores = q @ keys[:, :, :end]  # (K, H/K * T, S)
        if n_read > 1:
            scores.reshape(n_heads, n_read, end)[:, ~np.tri(n_read, end, start, dtype=bool)] = -np.inf  # the future
        mixed = _softmax(scores) @ values[:, :end]  # (K, H/K * T, D)
        return mixed.reshape(n_heads, n_read, width).transpose(1, 0, 2).reshape(n_read, -1)

    def generate_ids(self, ids: list[int], *, max_new_tokens: int = 200, temperature: float = 0.8, top_k: int | None = None,
                     top_p: float = 0.95, min_p: float = 0.0, seed: int = 0) -> Iterator[int]:  # fmt: skip
        """Continue a row of ids, yielding each new id as it is drawn: `minilm.generate.generate_ids` without PyTorch.

        Without temperature both write the same; otherwise the generators of random numbers differ, so a seed gives other texts here.
        """
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is {max_new_tokens}; it must be at least 1")
        context_length, random = self.config.context_length, np.random.default_rng(seed)
        ids, unread, cache = list(ids)[-context_length:], 0, Cache(self.config)
        for _ in range(max_new_tokens):
            if len(ids) > context_length:  # it is full: forget the older half
                ids, unread, cache = ids[-max(1, context_length // 2) :], 0, Cache(self.config)
            logits = self.hidden(ids[unread:], cache)[-1].dot(self.head)
            unread = len(ids)
            tokens, probs = likeliest(logits, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
            held = probs.cumsum()
            ids.append(int(tokens[np.searchsorted(held, random.random() * held[-1])]))
            yield ids[-1]

    def generate(self, prompt: str = "", **settings) -> Iterator[str]:
        """Write on from a prompt, yielding the new text piece by piece until the story ends. settings: those of `generate_ids`."""
        prompt_ids = [self.tokenizer.end_of_text, *self.tokenizer.encode(prompt)]
        return self.tokenizer.decode_stream(self.generate_ids(prompt_ids, **settings))


def likeliest(logits: ndarray, *, temperature: float, top_k: int | None, top_p: float, min_p: float) -> tuple[ndarray, ndarray]:
    """Say which tokens may come next, the likeliest first, and with what probabilities: `minilm.generate.next_token_probs` without its zeros.

    >>> likeliest(np.log([0.1, 0.6, 0.3]), temperature=1.0, top_k=2, top_p=1.0, min_p=0.0)[0].tolist()
    [1, 2]
    """
    check_sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    if temperature == 0:
        return np.array([logits.argmax()]), np.ones(1)
    probs = _softmax((logits - logits.max()) / temperature)
    # A token below (1 - top_p) / V cannot be among those that together hold top_p, so it need not be sorted.
    tokens = np.flatnonzero(probs >= max(min_p * probs.max(), (1 - top_p) / len(probs)))
    tokens = tokens[np.argsort(-probs[tokens])][:top_k]
    held = probs[tokens].cumsum(dtype=np.float64)  # by a token and the likelier ones together
    if top_p < 1:
        tokens = tokens[: np.searchsorted(held, top_p) + 1]
    return tokens, probs[tokens] / probs[tokens].sum()


def neighbours(w: ndarray, head_dim: int) -> ndarray:
    """Reorder the rows of a query or key matrix (heads * D, C) so that those that RoPE turns together, i and i + D/2 of a head, become 2i and 2i + 1.

    >>> neighbours(np.array([[0], [1], [2], [3]]), head_dim=4).T.tolist()
    [[0, 2, 1, 3]]
    """
    return w.reshape(-1, 2, head_dim // 2, w.shape[-1]).swapaxes(1, 2).reshape(w.shape)


def weight_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a model's weights; a tied head is not among them."""
    c, f, v, n_kv = config.d_model, config.d_ff, config.vocab_size, config.n_kv_heads * config.head_dim
    block = {"attn_norm": (c,), "attn.q_proj": (c, c), "attn.k_proj": (n_kv, c), "attn.v_proj": (n_kv, c), "attn.o_proj": (c, c),
             "mlp_norm": (c,), "mlp.gate_proj": (f, c), "mlp.up_proj": (f, c), "mlp.down_proj": (c, f)}  # fmt: skip
    wanted = {f"blocks.{i}.{name}.weight": shape for i in range(config.n_layers) for name, shape in block.items()}
    return wanted | {"embed.weight": (v, c), "final_norm.weight": (c,)} | ({} if config.tie_embeddings else {"lm_head.weight": (v, c)})


def check_layers(config: ModelConfig, n_weights: int, source: str) -> None:
    """Raise ValueError for more layers than there are weights at all: the names of a billion layers would take all memory."""
    if config.n_layers > n_weights:
        raise ValueError(f"{source}: config.json means {config.n_layers:,} layers, and there are {n_weights} weights in all; one of the two is another's")


def _softmax(x: ndarray) -> ndarray:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def _checked(config: ModelConfig, weights: dict[str, ndarray]) -> dict[str, ndarray]:
    """Return the weights as float32; raise ValueError when they are not those that the config means."""
    check_layers(config, len(weights), "the weights")
    wanted, found = weight_shapes(config), {name: weight.shape for name, weight in weights.items()}
    for name in sorted(wanted | found):
        if wanted.get(name) != found.get(name):
            raise ValueError(f"{name} has shape {found.get(name)}; the config means {wanted.get(name)}")
    for name, weight in weights.items():
        if not np.issubdtype(weight.dtype, np.floating) or not np.isfinite(weight).all():
            raise ValueError(f"{name} holds {weight.dtype} numbers, or some that are not finite; weights are finite floating-point numbers")
    return {name: weight.astype(np.float32) for name, weight in weights.items()}


def _layers(config: ModelConfig, weights: dict[str, ndarray]) -> Iterator[tuple[ndarray, ndarray, ndarray, ndarray]]:
    """Yield the matrices of each block, (in, out): qkv (C, (H + 2K) * D), o (C, C), gate_up (C, 2F), down (F, C)."""
    for i in range(config.n_layers):
        attn, mlp = f"blocks.{i}.attn", f"blocks.{i}.mlp"
        q, k, v, o = (weights[f"{attn}.{name}_proj.weight"] for name in "qkvo")
        gate, up, down = (weights[f"{mlp}.{name}_proj.weight"] for name in ("gate", "up", "down"))
        qkv = _joined(weights[f"{attn}_norm.weight"], neighbours(q, config.head_dim) / math.sqrt(config.head_dim), neighbours(k, config.head_dim), v)
        yield qkv, o.T.copy(), _joined(weights[f"{mlp}_norm.weight"], gate / 2, up), down.T.copy()


def _joined(norm: ndarray, *matrices: ndarray) -> ndarray:
    """One matrix (in, out) of several (out, in) that read the same rows, with the weights of the norm before them worked in."""
    return (np.concatenate(matrices) * norm).T.copy()
