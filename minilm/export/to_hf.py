"""How does a model get to Hugging Face? As a folder that `transformers` loads without code of ours."""

import json
import re
from pathlib import Path

import torch

from minilm.checkpoint import whole_folder, write_tensors
from minilm.config import ModelConfig
from minilm.export.common import arrays, check, check_pattern, hugging_face_name, ordinary, visible, visible_merges
from minilm.model import Transformer
from minilm.tokenizer import END_OF_TEXT, Tokenizer


def export_hf(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32", card: str = "") -> Path:
    """Write a folder that `transformers` loads as a LlamaForCausalLM and a fast tokenizer, without code of ours.

    Like LLaMA's, its tokenizer puts the mark of the beginning before a text; with `add_special_tokens=False` it gives our ids. A mark that stands in
    the text itself becomes its id, as with `allow_special` here. card: Markdown about the model, for README.md; a short one is made otherwise.
    Raises ValueError for what cannot be exported, FileExistsError when `out` is there already. Source: docs/SOURCES.md#hffolder
    """
    out = Path(out)
    check("hf", weights, model, tokenizer, out)
    check_pattern(tokenizer)
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
                  "vocab": {visible(token): i for i, token in enumerate(ordinary(tokenizer))}, "merges": visible_merges(tokenizer)},
    }  # fmt: skip


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
