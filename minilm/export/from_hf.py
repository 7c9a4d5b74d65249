"""How does a checkpoint of Hugging Face's come here? If it is LLaMA-shaped, by other names and another order of ids; if not, it is refused by the reason."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from minilm.checkpoint import model_of, read_tensors
from minilm.config import ModelConfig
from minilm.export.common import BYTES, HF_NAMES, HF_PATTERNS, hugging_face_name, renamed, visible
from minilm.files import read_json
from minilm.model import Transformer
from minilm.tokenizer import END_OF_TEXT, GPT2_PATTERN, Tokenizer


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
    saved = read_json(folder / "config.json", "a model's config")
    config = _config_from_hf(saved, folder / "config.json")
    ours = {theirs: name for name, theirs in HF_NAMES.items()}
    weights = {renamed(name, ours): w for name, w in _hf_tensors(folder).items() if not name.endswith("rotary_emb.inv_freq")}
    if config.tie_embeddings and not torch.equal(weights.pop("lm_head.weight", tied := weights.get("embed.weight", torch.empty(0))), tied):
        raise ValueError(f"{folder}: config.json ties the head to the embedding table, but lm_head.weight is another; set tie_word_embeddings to false")
    if f"blocks.{config.n_layers - 1}.attn_norm.weight" not in weights:
        raise ValueError(f"{folder}: config.json has {config.n_layers} layers, but there are no weights of the last; the files are not whole or another's")
    tables = {"embed.weight", "lm_head.weight"} & weights.keys()
    for name in tables:
        if len(weights[name]) != config.vocab_size:
            raise ValueError(f"{folder}: {hugging_face_name(name)} has {len(weights[name])} rows; config.json means {config.vocab_size}")
    tokenizer, rows = _tokenizer_from_hf(read_json(folder / "tokenizer.json", "a tokenizer"), saved, config.vocab_size, folder / "tokenizer.json")
    weights |= {name: weights[name][rows] for name in tables}
    return model_of(config, weights, str(folder)).eval(), tokenizer


def _hf_tensors(folder: Path) -> dict[str, Tensor]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        if not (folder / "model.safetensors").is_file() and list(folder.glob("*.bin")):
            raise ValueError(f"{folder} has its weights as pickles, which can run code when loaded and are never read here; convert them to safetensors")
        return read_tensors(folder / "model.safetensors")
    parts = read_json(index, "a list of weight files").get("weight_map")
    if not isinstance(parts, dict) or not all(isinstance(name, str) and name == Path(name).name for name in parts.values()):
        raise ValueError(f"{index} has no weight_map of files beside it")
    tensors = {}
    for name in sorted(set(parts.values())):
        tensors |= read_tensors(folder / name)
    return tensors


LONGEST = 2**22  # tokens; longer contexts come with a rescaled RoPE, or are a mistake that would take all memory
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
    if not isinstance(rope, dict) or sizes["context_length"] > LONGEST:
        raise ValueError(f"{path}: rope_parameters is {rope!r} and max_position_embeddings {sizes['context_length']}; no such table of angles can be made")
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
        rows = [ids.pop(visible(token)) for token in [*(bytes([byte]) for byte in range(256)), *(left + right for left, right in merges)]]
        left_over = sorted(set(range(vocab_size)) - set(rows))
        tokenizer = Tokenizer(merges, [names.get(i, f"<|unused_{i}|>") for i in left_over], pattern)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} cannot become a tokenizer here: {error}") from None
    for i in (*rows, *names):
        if type(i) is not int or not 0 <= i < vocab_size:
            raise ValueError(f"{path} has the id {i!r}, but config.json a vocab_size of {vocab_size}; one of them is damaged or another's")
    if len(set(rows)) < len(rows):
        raise ValueError(f"{path} gives two tokens the same id; it is damaged")
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
