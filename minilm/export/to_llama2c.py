"""How does a model get into C? As the two files that llama2.c's run.c and runq.c read.

llama2.c has its own order of things: the mark that begins and ends a text is id 1, the bytes follow from id 3 on, in RoPE neighbours turn
together, and each kind of weight lies there for all layers in turn. Its encoder knows no pre-tokens; `split_otherwise` finds the texts where that matters.
"""

import math
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from numpy import ndarray

from minilm.checkpoint import whole_folder
from minilm.config import ModelConfig
from minilm.export.common import arrays, check, ordinary
from minilm.model import Transformer
from minilm.numpy_model import neighbours
from minilm.quantise import quantise
from minilm.tokenizer import Tokenizer

MAGIC = 0x616B3432  # "ak42"


def export_llama2c(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32") -> Path:
    """Write a folder with model.bin and tokenizer.bin for llama2.c: `float32` for its run.c (version 0), `int8` for its runq.c (version 2).

    The ids are llama2.c's (`llama2c_order`). Raises ValueError for what its C programs have fixed, or cannot hold; FileExistsError as `export_hf`.
    Source: docs/SOURCES.md#llama2c
    """
    out, config = Path(out), model.config
    check("llama2c", weights, model, tokenizer, out)
    if config.rope_theta != 10_000 or config.norm_eps != 1e-5:
        raise ValueError(f"rope_theta {config.rope_theta:g} and norm_eps {config.norm_eps:g}: llama2.c has 10000 and 1e-05 written into its code")
    group_size = math.gcd(64, config.d_model, config.d_ff)
    if weights == "int8" and group_size < 32:
        raise ValueError(f"d_model {config.d_model} and d_ff {config.d_ff} must be multiples of 32 for int8; take float32")
    order = llama2c_order(tokenizer)
    strings = _llama2c_strings(tokenizer, order)
    arranged = arrays(model)
    for name, w in arranged.items():
        if name in ("embed.weight", "lm_head.weight"):
            arranged[name] = w[order]
        elif re.search(r"[qk]_proj", name):
            arranged[name] = neighbours(w, config.head_dim)
    with whole_folder(out) as part:
        with (part / "model.bin").open("wb") as file:
            if weights == "float32":
                _write_version_0(file, model, arranged)
            else:
                _write_version_2(file, config, arranged, group_size)
        with (part / "tokenizer.bin").open("wb") as file:
            file.write(struct.pack("<i", max(len(string) for string, _ in strings)))
            for string, score in strings:
                file.write(struct.pack("<fi", score, len(string)) + string)
    return out


def llama2c_order(tokenizer: Tokenizer) -> list[int]:
    """Our id of each of llama2.c's ids: 1 is <|endoftext|>, 3 to 258 are the bytes, then come the merges in order.

    There ids 0 and 2 are marks that we have not; new rows would change all probabilities, so the two last merges, the rarest tokens, move there.

    >>> order = llama2c_order(Tokenizer([(b"a", b"b"), (b"b", b"c"), (b"c", b"d")]))
    >>> order[:5], order[-1]
    ([257, 259, 258, 0, 1], 256)
    """
    n_ordinary, mark = len(ordinary(tokenizer)), tokenizer.end_of_text
    if len(tokenizer.merges) < 2:
        raise ValueError(f"the tokenizer has {len(tokenizer.merges)} merges; llama2.c needs two tokens for its ids 0 and 2, so train a larger vocabulary")
    others = [i for i in tokenizer.special_tokens.values() if i != mark]
    return [n_ordinary - 2, mark, n_ordinary - 1, *range(n_ordinary - 2), *others]


def _llama2c_strings(tokenizer: Tokenizer, order: list[int]) -> list[tuple[bytes, float]]:
    """The string and the score of each of llama2.c's ids. Its encoder merges the pair with the best score; what no text may give has none."""
    strings = []
    for i in order:
        token = tokenizer.vocab[i]
        if i in tokenizer.special_tokens.values():
            strings.append((b"\n<s>\n" if i == tokenizer.end_of_text else token, -math.inf))
        elif i == 0:
            strings.append((b"<0x00>", 0.0))  # in C a string ends at byte 0; this is how llama2.c writes it
        elif b"\0" in token:
            raise ValueError(f"the token {token!r} holds byte 0, where a string of C ends; train the tokenizer on text without it")
        else:
            strings.append((token, min(0.0, 256.0 - i)))
    return strings


# The matrices of version 0 and of version 2 come in this order, each through all blocks.
_LLAMA2C_ATTENTION = ("attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.o_proj")
_LLAMA2C_MLP = ("mlp.gate_proj", "mlp.down_proj", "mlp.up_proj")  # w1, w2, w3


def _through_blocks(weights: dict[str, ndarray], *names: str) -> Iterator[ndarray]:
    n_layers = sum(name.endswith("attn_norm.weight") for name in weights)
    for name in names:
        yield from (weights[f"blocks.{i}.{name}.weight"] for i in range(n_layers))


def _llama2c_shape(config: ModelConfig, vocab_size: int) -> bytes:
    return struct.pack("<7i", config.d_model, config.d_ff, config.n_layers, config.n_heads, config.n_kv_heads, vocab_size, config.context_length)


def _write_version_0(file: BinaryIO, model: Transformer, weights: dict[str, ndarray]) -> None:
    config = model.config
    file.write(_llama2c_shape(config, config.vocab_size if config.tie_embeddings else -config.vocab_size))
    file.write(weights["embed.weight"].astype("<f4").tobytes())
    for w in _through_blocks(weights, "attn_norm", *_LLAMA2C_ATTENTION, "mlp_norm", *_LLAMA2C_MLP):
        file.write(w.astype("<f4").tobytes())
    head = [] if config.tie_embeddings else [weights["lm_head.weight"]]
    for w in (weights["final_norm.weight"], model.cos.cpu().numpy(), model.sin.cpu().numpy(), *head):  # run.c skips the angles
        file.write(w.astype("<f4").tobytes())


def _write_version_2(file: BinaryIO, config: ModelConfig, weights: dict[str, ndarray], group_size: int) -> None:
    head = struct.pack("<Ii", MAGIC, 2) + _llama2c_shape(config, config.vocab_size) + struct.pack("<Bi", config.tie_embeddings, group_size)
    file.write(head.ljust(256, b"\0"))
    for w in (*_through_blocks(weights, "attn_norm", "mlp_norm"), weights["final_norm.weight"]):
        file.write(w.astype("<f4").tobytes())
    matrices = [weights["embed.weight"], *_through_blocks(weights, *_LLAMA2C_ATTENTION, *_LLAMA2C_MLP)]
    for w in [*matrices, *([] if config.tie_embeddings else [weights["lm_head.weight"]])]:
        q = quantise(w, 8, group_size)
        file.write(q.codes.tobytes() + q.scales.astype("<f4").tobytes())


class Split(NamedTuple):
    """A text that llama2.c splits otherwise than we do."""

    text: str
    ours: list[bytes]
    theirs: list[bytes]


def split_otherwise(tokenizer: Tokenizer, texts: Iterable[str]) -> list[Split]:
    """List the texts that llama2.c's encoder splits into other tokens than ours.

    Before a text it always puts a blank, as SentencePiece does; what is compared is how both split the text with that blank. (So a prompt never
    begins as our stories do, which no file can change; without a prompt its stories are ours.)

    >>> split_otherwise(Tokenizer([(b"b", b"'"), (b"'", b"s")]), ["ab", "ab's"])
    [Split(text="ab's", ours=[b' ', b'a', b'b', b"'s"], theirs=[b' ', b'a', b"b'", b's'])]
    """
    found = []
    for text in texts:
        ours = [tokenizer.vocab[i] for i in tokenizer.encode(" " + text)] if text else []
        if (theirs := llama2c_pieces(tokenizer, text)) != ours:
            found.append(Split(text, ours, theirs))
    return found


def llama2c_pieces(tokenizer: Tokenizer, text: str) -> list[bytes]:
    """Split a text as llama2.c does: a token for each letter that is one, else its bytes; then again and again the pair with the best score is joined.

    It knows no pre-tokens, so a token may reach from one word into the next.
    """
    ranks = {token: i for i, token in enumerate(ordinary(tokenizer))}
    parts = []
    for letter in (" " + text).partition("\0")[0] if text else "":
        parts.extend([letter.encode()] if letter.encode() in ranks else [bytes([byte]) for byte in letter.encode()])
    none = len(ranks)
    scores = [ranks.get(left + right, none) for left, right in zip(parts, parts[1:])]
    while scores and (best := min(scores)) < none:
        i = scores.index(best)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del scores[i]
        for j in range(max(0, i - 1), min(i + 1, len(scores))):
            scores[j] = ranks.get(parts[j] + parts[j + 1], none)
    return parts
