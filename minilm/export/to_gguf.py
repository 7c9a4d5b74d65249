"""How does a model get to llama.cpp, and to all that builds on it? As one GGUF file, written by the package `gguf`."""

import math
import re
from pathlib import Path

from minilm.config import ModelConfig
from minilm.export.common import GGUF_PATTERNS, arrays, check, check_pattern, ordinary, renamed, visible, visible_merges
from minilm.model import Transformer
from minilm.numpy_model import neighbours
from minilm.tokenizer import Tokenizer

GGUF_NAMES = {"embed.": "token_embd.", "blocks.": "blk.", "attn.q_proj": "attn_q", "attn.k_proj": "attn_k", "attn.v_proj": "attn_v", "attn.o_proj": "attn_output",
              "mlp_norm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
              "final_norm": "output_norm", "lm_head": "output"}  # fmt: skip


def export_gguf(model: Transformer, tokenizer: Tokenizer, out: Path, *, weights: str = "float32") -> Path:
    """Write one GGUF file with model and tokenizer, of the architecture `llama`, for llama.cpp and all that builds on it.

    weights: `int8` is GGUF's Q8_0 and `int4` its Q4_0; norms stay float32. The format knows our way of cutting text by a name, and its readers
    follow LLaMA 3 there, so a text that ends in a line break and blanks can get other ids (LLAMA3_PATTERN). Queries and keys are in llama.cpp's order.
    Raises ValueError for what cannot be exported, and when the package gguf is missing; FileExistsError as `export_hf`. Source: docs/SOURCES.md#gguf
    """
    out = Path(out)
    check("gguf", weights, model, tokenizer, out)
    check_pattern(tokenizer)
    if out.is_dir():
        raise FileExistsError(f"{out} is a folder; name a file, such as {out / 'model.gguf'}")
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
            writer.add_tensor(renamed(name, GGUF_NAMES), gguf.quants.quantize(w, quantised), raw_dtype=quantised)
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
    writer.add_token_list([*map(visible, ordinary(tokenizer)), *tokenizer.special_tokens])
    writer.add_token_types([1] * len(ordinary(tokenizer)) + [3] * len(tokenizer.special_tokens))  # 1 is an ordinary token, 3 a mark
    writer.add_token_merges(visible_merges(tokenizer))
    writer.add_bos_token_id(tokenizer.end_of_text)
    writer.add_eos_token_id(tokenizer.end_of_text)
    writer.add_add_bos_token(True)
