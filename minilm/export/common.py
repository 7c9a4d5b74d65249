"""What do all formats share? Names, the letters that files write for bytes, what is refused, and what fewer bits cost."""

from pathlib import Path

import torch
from numpy import ndarray

from minilm.checkpoint import model_of
from minilm.model import Transformer
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


def hugging_face_name(name: str) -> str:
    """What Hugging Face's LLaMA calls a weight.

    >>> hugging_face_name("blocks.0.attn.q_proj.weight")
    'model.layers.0.self_attn.q_proj.weight'
    """
    return renamed(name, HF_NAMES)


def renamed(name: str, names: dict[str, str]) -> str:
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


def check(to: str, weights: str, model: Transformer, tokenizer: Tokenizer, out: Path) -> None:
    if weights not in WEIGHTS[to]:
        raise ValueError(f"weights is {weights!r}; the format {to} takes {', '.join(WEIGHTS[to])}")
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(f"the tokenizer has {tokenizer.vocab_size} ids, the model {model.config.vocab_size}; one of them is another's")
    if END_OF_TEXT not in tokenizer.special_tokens:
        raise ValueError(f"the tokenizer has no {END_OF_TEXT}, by which texts begin and end; train it with that as a special token")
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists; name a new place, for nothing is written over")
    for name, w in model.state_dict().items():
        if not torch.isfinite(w.to(torch.float16) if weights == "float16" else w).all():
            raise ValueError(f"{name} holds numbers that {weights} cannot hold; train the model anew if it diverged, or take float32 if they are large")


def check_pattern(tokenizer: Tokenizer) -> None:
    if tokenizer.pattern not in GGUF_PATTERNS:
        raise ValueError(f"the tokenizer cuts text by {tokenizer.pattern!r}, which other engines may read otherwise; "
                         "those of GPT-2, GPT-4 and LLaMA 3 can be exported")  # fmt: skip


def ordinary(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes and the merged tokens, without the special ones."""
    return tokenizer.vocab[: 256 + len(tokenizer.merges)]


def visible_merges(tokenizer: Tokenizer) -> list[str]:
    return [f"{visible(left)} {visible(right)}" for left, right in tokenizer.merges]


def alphabet() -> list[str]:
    """The character that GPT-2's files write for each byte: itself if it can be seen, others from U+0100 on. Source: docs/SOURCES.md#gpt2"""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]


ALPHABET = alphabet()
BYTES = {char: byte for byte, char in enumerate(ALPHABET)}


def visible(token: bytes) -> str:
    return "".join(map(ALPHABET.__getitem__, token))
