"""Where can a model run without this repository? In Hugging Face's `transformers`, in llama2.c, in whatever reads GGUF; and theirs can run here.

The ideas in order: a model of ours is a LLaMA, so nothing is computed anew, only names (`hugging_face_name`), orders and file formats differ; what a
format cannot say is refused, not bent (`export_hf`, `export_gguf`, `export_llama2c`). llama2.c takes the most turning: it has begin and end
of a text as id 1, the bytes from id 3 on, and in RoPE it turns neighbours together. Its encoder is simpler than ours and may split a text otherwise;
`split_otherwise` finds such texts. `quantised_model` tells what fewer bits cost. `import_hf` goes the other way.

Built by hand in: chapter 13. Left out on purpose: SentencePiece vocabularies, rescaled RoPE, pickles, GGUF's finer quantisations.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from minilm.checkpoint import model_of, read_tensors, whole_folder, write_tensors
from minilm.config import ModelConfig
from minilm.model import Transformer
from minilm.numpy_model import neighbours
from minilm.quantise import dequantise, quantise
from minilm.tokenizer import END_OF_TEXT, GPT2_PATTERN, GPT4_PATTERN, Tokenizer

WEIGHTS = {"hf": ("float32", "float16"), "llama2c": ("float32", "int8"), "gguf": ("float32", "float16", "int8", "int4")}
"""In which types the weights of each format can be written."""

# As published with LLaMA 3. It differs from GPT-4's in one thing: blanks after the last line break of a text are a pre-token of their own.
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Other patterns may mean different things to Python's regex and to the engines of others. GGUF has names for them; what its readers
# do by the name llama-bpe is LLAMA3_PATTERN.
GGUF_PATTERNS = {GPT2_PATTERN: "gpt-2", GPT4_PATTERN: "llama-bpe", LLAMA3_PATTERN: "llama-bpe"}
# The engine of `tokenizers` reads {1,3}+ as "one to three, again and again", not as "keep what you have"; no text needs that here.
HF_PATTERNS = {pattern.replace("{1,3}+", "{1,3}"): pattern for pattern in GGUF_PATTERNS}

HF_NAMES = {"embed.": "model.embed_tokens.", "blocks.": "model.layers.", ".attn_norm.": ".input_layernorm.", ".attn.": ".self_attn.",
            ".mlp_norm.": ".post_attention_layernorm.", "final_norm.": "model.norm."}  # fmt: skip
GGUF_NAMES = {"embed.": "token_embd.", "blocks.": "blk.", "attn.q_proj": "attn_q", "attn.k_proj": "attn_k", "attn.v_proj": "attn_v", "attn.o_proj": "attn_output",
              "mlp_norm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
              "final_norm": "output_norm", "lm_head": "output"}  # fmt: skip


# What all formats share


def hugging_face_name(name: str) -> str:
    """What Hugging Face's LLaMA calls a weight.

    >>> hugging_face_name("blocks.0.attn.q_proj.weight")
    'model.layers.0.self_attn.q_proj.weight'
    """
    return _renamed(name, HF_NAMES)


def _renamed(name: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        name = name.replace(old, new, 1)
    return name


def arrays(model: Transformer) -> dict[str, ndarray]:
    """The weights as float32 arrays by name; a tied head is left out."""
    found = {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
    if model.config.tie_embeddings:
        del found["lm_head.weight"]
    return found


def quantised_model(model: Transformer, bits: int = 8, group_size: int = 64) -> tuple[Transformer, int]:
    """A copy of a model of which all matrices have been through so few bits, and the bytes of its weights then. Norms stay float32.

    Raises ValueError for what `minilm.quantise.quantise` refuses; d_model and d_ff must be multiples of the group.
    """
    weights, n_bytes = arrays(model), 0
    for name, w in weights.items():
        if w.ndim == 2:
            q = quantise(w, bits, group_size)
            weights[name] = dequantise(q)
        n_bytes += q.n_bytes if w.ndim == 2 else w.nbytes
    return model_of(model.config, {name: torch.from_numpy(w) for name, w in weights.items()}, "the quantised model").eval(), n_bytes


def _check(to: str, weights: str, model: Transformer, tokenizer: Tokenizer, out: Path) -> None:
    if weights not in WEIGHTS[to]:
        raise ValueError(f"weights is {weights!r}; the format {to} takes {', '.join(WEIGHTS[to])}")
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(f"the tokenizer has {tokenizer.vocab_size} ids, the model {model.config.vocab_size}; one of them is another's")
    if END_OF_TEXT not in tokenizer.special_tokens:
        raise ValueError(f"the tokenizer has no {END_OF_TEXT}, by which texts begin and end; train it with that as a special token")
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists; name a new place, for nothing is written over")


def _check_pattern(tokenizer: Tokenizer) -> None:
    if tokenizer.pattern not in GGUF_PATTERNS:
        raise ValueError(f"the tokenizer cuts text by {tokenizer.pattern!r}, which other engines may read otherwise; "
                         "those of GPT-2, GPT-4 and LLaMA 3 can be exported")  # fmt: skip


# Hugging Face


def export_hf(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32", card: str = "") -> Path:
    """Write a folder that `transformers` loads as a LlamaForCausalLM and a fast tokenizer, without code of ours.

    Like LLaMA's, its tokenizer puts the mark of the beginning before a text; with `add_special_tokens=False` it gives our ids. A mark that stands in
    the text itself becomes its id, as with `allow_special` here. card: Markdown about the model, for README.md; a short one is made otherwise.
    Raises ValueError for what cannot be exported, FileExistsError when `out` is there already. Source: docs/SOURCES.md#hffolder
    """
    out = Path(out)
    _check("hf", weights, model, tokenizer, out)
    _check_pattern(tokenizer)
    mark = tokenizer.end_of_text
    marks = {"bos_token_id": mark, "eos_token_id": mark, "pad_token_id": mark}
    tensors = {hugging_face_name(name): torch.from_numpy(w).to(getattr(torch, weights)) for name, w in arrays(model).items()}
    contents = {
        "config.json": _hf_config(model.config) | {"dtype": weights} | marks,
        "generation_config.json": {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "max_new_tokens": model.config.context_length // 2} | marks,
        "tokenizer.json": _hf_tokenizer(tokenizer),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": model.config.context_length,
                                  "clean_up_tokenization_spaces": False, **dict.fromkeys(("bos_token", "eos_token", "pad_token"), END_OF_TEXT)},
    }  # fmt: skip
    with whole_folder(out) as part:
        write_tensors(tensors, part / "model.safetensors", {"format": "pt"})
        for name, content in contents.items():
            (part / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (part / "README.md").write_text(_hf_card(out.name, model, card), encoding="utf-8")
    return out


def _hf_config(config: ModelConfig) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.head_dim,
        "intermediate_size": config.d_ff,
        "rope_theta": config.rope_theta,  # for transformers before 5
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "rms_norm_eps": config.norm_eps,
        "tie_word_embeddings": config.tie_embeddings,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
    }


def _hf_tokenizer(tokenizer: Tokenizer) -> dict:
    regex = tokenizer.pattern.replace("{1,3}+", "{1,3}")
    mark, sequence = {"SpecialToken": {"id": END_OF_TEXT, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": token} | special for token, i in tokenizer.special_tokens.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": [mark, sequence], "pair": [mark, sequence, {"Sequence": {"id": "B", "type_id": 0}}],
                           "special_tokens": {END_OF_TEXT: {"id": END_OF_TEXT, "ids": [tokenizer.end_of_text], "tokens": [END_OF_TEXT]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {_visible(token): i for i, token in enumerate(_ordinary(tokenizer))}, "merges": _visible_merges(tokenizer)},
    }  # fmt: skip


def _ordinary(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes and the merged tokens, without the special ones."""
    return tokenizer.vocab[: 256 + len(tokenizer.merges)]


def _visible_merges(tokenizer: Tokenizer) -> list[str]:
    return [f"{_visible(left)} {_visible(right)}" for left, right in tokenizer.merges]


def _alphabet() -> list[str]:
    """The character that GPT-2's files write for each byte: itself if it can be seen, others from U+0100 on. Source: docs/SOURCES.md#gpt2"""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]


ALPHABET = _alphabet()
BYTES = {char: byte for byte, char in enumerate(ALPHABET)}


def _visible(token: bytes) -> str:
    return "".join(map(ALPHABET.__getitem__, token))


def _hf_card(name: str, model: Transformer, card: str) -> str:
    config = model.config
    made = f"""# {name}

A LLaMA-shaped language model of {model.n_params:,} parameters ({model.n_params_without_embeddings:,} without the embedding table): d_model {config.d_model}, \
{config.n_layers} layers, {config.n_heads} heads ({config.n_kv_heads} for keys and values), d_ff {config.d_ff}, vocabulary {config.vocab_size:,}.
Before it is given away, say here what it was trained on and under which licence, and what it cannot do."""
    return f"""---
library_name: transformers
pipeline_tag: text-generation
tags: [minilm]
---
{re.sub(r"^!.*$", "", card, flags=re.MULTILINE).strip() or made}

## With transformers

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model, tokenizer = AutoModelForCausalLM.from_pretrained("PATH"), AutoTokenizer.from_pretrained("PATH")
ids = model.generate(**tokenizer("Once upon a time", return_tensors="pt"))
print(tokenizer.decode(ids[0], skip_special_tokens=True))
```

It has read texts of up to {config.context_length} tokens; what it makes of longer ones is not known.
"""


# GGUF


def export_gguf(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32") -> Path:
    """Write one GGUF file with model and tokenizer, of the architecture `llama`, for llama.cpp and all that builds on it.

    weights: `int8` is GGUF's Q8_0 and `int4` its Q4_0; norms stay float32. The format knows our way of cutting text by a name, and its readers
    follow LLaMA 3 there, so a text that ends in a line break and blanks can get other ids (LLAMA3_PATTERN). Queries and keys are in llama.cpp's order.
    Raises ValueError for what cannot be exported, and when the package gguf is missing; FileExistsError as `export_hf`. Source: docs/SOURCES.md#gguf
    """
    out = Path(out)
    _check("gguf", weights, model, tokenizer, out)
    _check_pattern(tokenizer)
    try:
        import gguf  # an optional extra, needed for nothing else
    except ImportError as error:
        raise ValueError('writing GGUF needs the package gguf: pip install "minilm[export]"') from error
    config = model.config
    if weights.startswith("int") and math.gcd(32, config.d_model, config.d_ff) < 32:
        raise ValueError(f"d_model {config.d_model} and d_ff {config.d_ff} must be multiples of 32 for {weights}; take float16")
    kind = {"float32": "F32", "float16": "F16", "int8": "Q8_0", "int4": "Q4_0"}[weights]
    part = out.with_name(f".{out.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        writer = gguf.GGUFWriter(part, "llama")
        _gguf_keys(writer, out.stem, config, gguf.LlamaFileType["ALL_F32" if kind == "F32" else f"MOSTLY_{kind}"])
        _gguf_tokenizer(writer, tokenizer)
        for name, w in arrays(model).items():
            if re.search(r"[qk]_proj", name):
                w = neighbours(w, config.head_dim)
            quantised = gguf.GGMLQuantizationType[kind if w.ndim == 2 else "F32"]
            writer.add_tensor(_renamed(name, GGUF_NAMES), gguf.quants.quantize(w, quantised), raw_dtype=quantised)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return out


def _gguf_keys(writer, name: str, config: ModelConfig, file_type: int) -> None:
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)  # of Q8_0 and Q4_0 as they are now
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.context_length)
    writer.add_embedding_length(config.d_model)
    writer.add_block_count(config.n_layers)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_eps)


def _gguf_tokenizer(writer, tokenizer: Tokenizer) -> None:
    writer.add_tokenizer_model("gpt2")  # that is byte-level BPE
    writer.add_tokenizer_pre(GGUF_PATTERNS[tokenizer.pattern])
    writer.add_token_list([*map(_visible, _ordinary(tokenizer)), *tokenizer.special_tokens])
    writer.add_token_types([1] * len(_ordinary(tokenizer)) + [3] * len(tokenizer.special_tokens))  # 1 is an ordinary token, 3 a mark
    writer.add_token_merges(_visible_merges(tokenizer))
    writer.add_bos_token_id(tokenizer.end_of_text)
    writer.add_eos_token_id(tokenizer.end_of_text)
    writer.add_add_bos_token(True)


# llama2.c

LLAMA2C_MARK = 1  # begins a text, and ends one: run.c stops there
LLAMA2C_BYTES = 3  # the id of byte 0, and so on
LLAMA2C_MAGIC = 0x616B3432  # "ak42"


def export_llama2c(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32") -> Path:
    """Write a folder with model.bin and tokenizer.bin for llama2.c: `float32` for its run.c (version 0), `int8` for its runq.c (version 2).

    The ids are llama2.c's (`llama2c_order`). Raises ValueError for what its C programs have fixed, or cannot hold; FileExistsError as `export_hf`.
    Source: docs/SOURCES.md#llama2c
    """
    out, config = Path(out), model.config
    _check("llama2c", weights, model, tokenizer, out)
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
    n_ordinary, mark = len(_ordinary(tokenizer)), tokenizer.end_of_text
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
    head = struct.pack("<Ii", LLAMA2C_MAGIC, 2) + _llama2c_shape(config, config.vocab_size) + struct.pack("<Bi", config.tie_embeddings, group_size)
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
    ranks = {token: i for i, token in enumerate(_ordinary(tokenizer))}
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


EXPORTS: dict[str, Callable[..., Path]] = {"hf": export_hf, "llama2c": export_llama2c, "gguf": export_gguf}


# The other way


def import_hf(folder: Path) -> tuple[Transformer, Tokenizer]:
    """Read a LLaMA-shaped checkpoint of Hugging Face's: config.json, safetensors (in one file or several) and tokenizer.json.

    The ids become ours: first the bytes, then the merges, then the marks; the rows of the tables move along. The token that ends a text is called
    <|endoftext|> here, and a row that belongs to no token gets a name of its own, so that every probability stays. Raises ValueError, saying what,
    for anything that a model here cannot be, and for files that are damaged; FileNotFoundError for missing ones.
    """
    folder = Path(folder)
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}; name the folder of a checkpoint that Hugging Face's save_pretrained wrote")
    saved = _read_json(folder / "config.json")
    config = _config_from_hf(saved, folder / "config.json")
    tokenizer, rows = _tokenizer_from_hf(_read_json(folder / "tokenizer.json"), saved, config.vocab_size, folder / "tokenizer.json")
    config = replace(config, vocab_size=len(rows))
    ours = {theirs: name for name, theirs in HF_NAMES.items()}
    weights = {_renamed(name, ours): w for name, w in _hf_tensors(folder).items() if not name.endswith("rotary_emb.inv_freq")}
    if config.tie_embeddings and not torch.equal(weights.pop("lm_head.weight", tied := weights.get("embed.weight", torch.empty(0))), tied):
        raise ValueError(f"{folder}: config.json ties the head to the embedding table, but lm_head.weight is another; set tie_word_embeddings to false")
    if f"blocks.{config.n_layers - 1}.attn_norm.weight" not in weights:
        raise ValueError(f"{folder}: config.json has {config.n_layers} layers, but there are no weights of the last; the files are not whole or another's")
    for name in {"embed.weight", "lm_head.weight"} & weights.keys():
        if len(weights[name]) != len(rows):
            raise ValueError(f"{folder}: {hugging_face_name(name)} has {len(weights[name])} rows; config.json means {len(rows)}")
        weights[name] = weights[name][rows]
    return model_of(config, weights, str(folder)).eval(), tokenizer


def _read_json(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not whole JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {type(found).__name__}, not an object with settings")
    return found


def _hf_tensors(folder: Path) -> dict[str, Tensor]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        if not (folder / "model.safetensors").is_file() and list(folder.glob("*.bin")):
            raise ValueError(f"{folder} has its weights as pickles, which can run code when loaded and are never read here; convert them to safetensors")
        return read_tensors(folder / "model.safetensors")
    parts = _read_json(index).get("weight_map")
    if not isinstance(parts, dict) or not all(isinstance(name, str) and name == Path(name).name for name in parts.values()):
        raise ValueError(f"{index} has no weight_map of files beside it")
    tensors = {}
    for name in sorted(set(parts.values())):
        tensors |= read_tensors(folder / name)
    return tensors


# What a model here is, and may be left unsaid.
FIXED = {"model_type": "llama", "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "pretraining_tp": 1,
         "quantization_config": None, "sliding_window": None, "partial_rotary_factor": 1.0}  # fmt: skip
SIZES = {"vocab_size": "vocab_size", "max_position_embeddings": "context_length", "hidden_size": "d_model", "num_hidden_layers": "n_layers",
         "num_attention_heads": "n_heads", "num_key_value_heads": "n_kv_heads", "intermediate_size": "d_ff"}  # fmt: skip


def _config_from_hf(saved: dict, path: Path) -> ModelConfig:
    for key, wanted in FIXED.items():
        if saved.get(key, wanted) != wanted:
            raise ValueError(f"{path}: {key} is {saved[key]!r}; a model here has {wanted!r}, so this one cannot be imported")
    sizes = {ours: saved.get(key) for key, ours in SIZES.items()}
    if sizes["n_kv_heads"] is None:
        sizes["n_kv_heads"] = sizes["n_heads"]
    for key, ours in SIZES.items():
        if type(sizes[ours]) is not int:
            raise ValueError(f"{path}: {key} is {saved.get(key)!r}; it must be a whole number")
    rope = saved.get("rope_parameters") or saved.get("rope_scaling") or {}
    if (kind := rope.get("rope_type", rope.get("type", "default"))) != "default":
        raise ValueError(f"{path}: its RoPE is of the type {kind!r}; here positions turn by the plain rule ('default'), so it cannot be imported")
    try:
        numbers = {"rope_theta": float(rope.get("rope_theta", saved.get("rope_theta", 10_000.0))), "norm_eps": float(saved.get("rms_norm_eps", 1e-6))}
        config = ModelConfig(**sizes, **numbers, tie_embeddings=bool(saved.get("tie_word_embeddings", False)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} describes no model that can be built here: {error}") from None
    if saved.get("head_dim") not in (None, config.head_dim):
        raise ValueError(f"{path}: head_dim is {saved['head_dim']}; here it is hidden_size / num_attention_heads, {config.head_dim}")
    return config


def _tokenizer_from_hf(saved: dict, config: dict, vocab_size: int, path: Path) -> tuple[Tokenizer, list[int]]:
    """Our tokenizer, and for each of our ids the id there."""
    end, begin = config.get("eos_token_id"), config.get("bos_token_id")
    if type(end) is not int or begin not in (None, end):
        raise ValueError(f"{path.parent}: texts begin with token {begin} and end with token {end}; here one token does both, so it cannot be imported")
    try:
        model, pattern = saved["model"], _pattern_from_hf(saved)
        plain = {"dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "byte_fallback": False}
        if model["type"] != "BPE" or saved.get("normalizer") or any(model.get(key) not in (None, "", value) for key, value in plain.items()):
            raise ValueError("it is no plain byte-level BPE")
        merges = list(_merges_from_hf(model["merges"]))
        names = {i: token["content"] for token in saved.get("added_tokens", ()) for i in (token["id"],)} | {end: END_OF_TEXT}
        ids = {token: i for token, i in model["vocab"].items() if i not in names}
        rows = [ids.pop(_visible(token)) for token in [*(bytes([byte]) for byte in range(256)), *(left + right for left, right in merges)]]
        left_over = sorted(set(range(vocab_size)) - set(rows))
        tokenizer = Tokenizer(merges, [names.get(i, f"<|unused_{i}|>") for i in left_over], pattern)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} cannot become a tokenizer here: {error}") from None
    if max(rows + list(names)) >= vocab_size:
        raise ValueError(f"{path} has the id {max(rows + list(names))}, but config.json a vocab_size of {vocab_size}; one of them is another's")
    return tokenizer, rows + left_over


def _pattern_from_hf(saved: dict) -> str:
    found = saved["pre_tokenizer"]
    steps = found["pretokenizers"] if found["type"] == "Sequence" else [found]
    if steps[-1]["type"] == "ByteLevel" and not steps[-1].get("add_prefix_space"):
        if len(steps) == 1 and steps[0].get("use_regex", True):
            return GPT2_PATTERN
        split = steps[0]
        if len(steps) == 2 and split["type"] == "Split" and split["behavior"] == "Isolated" and not split.get("invert") and not steps[1].get("use_regex", True):
            if split["pattern"].get("Regex") in HF_PATTERNS:
                return HF_PATTERNS[split["pattern"]["Regex"]]
    raise ValueError("it cuts text otherwise than GPT-2, GPT-4 or LLaMA 3 do, which is all that is known here")


def _merges_from_hf(merges: list) -> Iterator[tuple[bytes, bytes]]:
    """Merges as pairs of byte strings. Some files name every way to a token, one after the other; the first stands for all."""
    last = b""
    for merge in merges:
        left, right = (bytes(BYTES[char] for char in part) for part in (merge.split(" ") if isinstance(merge, str) else merge))
        if left + right != last:
            yield left, right
        last = left + right
