"""What goes between the attentions? The whole transformer: LLaMA's block, stacked.

The ideas in order: normalise before each sub-layer (RMSNorm), let tokens talk (attention), let each think by itself (a gated
feed-forward layer, SwiGLU), and add each answer to a running sum, the residual stream x (B, T, C). Names are those of Hugging Face's LLaMA.

Built by hand in: chapter 05. Left out on purpose: dropout and biases (LLaMA has neither), and any second shape of the output:
`model(tokens)` is logits, always; `model.hidden(tokens)` stops before the head, for a loss that makes the logits piece by piece.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minilm.attention import KVCache, apply_rope, attention, rope_table
from minilm.config import ModelConfig


class RMSNorm(nn.Module):
    """Scale each vector to unit root-mean-square, then by learned weights (C,). Source: docs/SOURCES.md#rmsnorm"""

    def __init__(self, d_model: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Attention(nn.Module):
    """Project to queries, keys and values, turn them to their positions, attend, project back."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.head_dim = config.head_dim
        self.q_proj = nn.Linear(config.d_model, config.n_heads * config.head_dim, bias=False)
        self.k_proj = nn.Linear(config.d_model, config.n_kv_heads * config.head_dim, bias=False)
        self.v_proj = nn.Linear(config.d_model, config.n_kv_heads * config.head_dim, bias=False)
        self.o_proj = nn.Linear(config.n_heads * config.head_dim, config.d_model, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None = None) -> Tensor:
        q, k, v = (self._split_heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))
        q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
        if cache is not None:
            k, v = cache.append(k, v)
        mixed = attention(q, k, v)  # (B, H, T, D)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))  # (B, T, C)

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (B, T, H*D) -> (B, H, T, D)


class SwiGLU(nn.Module):
    """The feed-forward layer: one projection decides how much of the other passes. Source: docs/SOURCES.md#swiglu"""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.up_proj = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.down_proj = nn.Linear(config.d_ff, config.d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """One layer: tokens talk, then each thinks; both add to the residual stream x (B, T, C)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.attn_norm = RMSNorm(config.d_model, config.norm_eps)
        self.attn = Attention(config)
        self.mlp_norm = RMSNorm(config.d_model, config.norm_eps)
        self.mlp = SwiGLU(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None = None) -> Tensor:
        x = x + self.attn(self.attn_norm(x), cos, sin, cache)
        return x + self.mlp(self.mlp_norm(x))


class Transformer(nn.Module):
    """A LLaMA-style language model.

    `model(tokens)` maps token ids (B, T) to logits (B, T, V), position t holding the scores of token t + 1.

    >>> model = Transformer(ModelConfig(vocab_size=512, d_model=64, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=128))
    >>> model(torch.zeros(3, 5, dtype=torch.long)).shape
    torch.Size([3, 5, 512])
    """

    def __init__(self, config: ModelConfig, seed: int = 0):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = RMSNorm(config.d_model, config.norm_eps)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tie_embeddings:
            self.lm_head.weight = self.embed.weight
        cos, sin = rope_table(config.context_length, config.head_dim, config.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        init_weights(self, seed)

    def forward(self, tokens: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        return self.lm_head(self.hidden(tokens, caches))

    def hidden(self, tokens: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        """Map token ids (B, T) to the vectors (B, T, C) that the head reads.

        caches: one per block, when the tokens continue a text whose beginning the caches hold.
        Raises ValueError when the text would be longer than the context.
        """
        start = len(caches[0]) if caches else 0
        end = start + tokens.shape[1]
        if end > self.config.context_length:
            raise ValueError(f"{end} tokens were given; this model was built for context_length {self.config.context_length}")
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = self.embed(tokens)  # (B, T, C)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, caches[i] if caches else None)
        return self.final_norm(x)

    def new_caches(self, batch_size: int = 1) -> list[KVCache]:
        """Empty caches, one per block, for `batch_size` texts written side by side."""
        shape = (batch_size, self.config.n_kv_heads, self.config.context_length, self.config.head_dim)
        weight = self.embed.weight
        return [KVCache(*shape, dtype=weight.dtype, device=weight.device) for _ in self.blocks]

    @property
    def n_params(self) -> int:
        """Parameters, embeddings included; a tied table counts once."""
        return sum(p.numel() for p in self.parameters())

    @property
    def n_params_without_embeddings(self) -> int:
        """Parameters of the blocks and norms: neither the embedding table nor the head."""
        tables = {self.embed.weight, self.lm_head.weight}
        return self.n_params - sum(p.numel() for p in tables)


def flops_per_token(model: Transformer) -> int:
    """Operations to train on one token: 6 for each weight that multiplies, the head's included, and the causal half of the attention.

    Looking up a vector costs nothing, so neither positions nor an embedding table that is not also the head count. Source: docs/SOURCES.md#kaplan
    """
    config = model.config
    looked_up = getattr(model.embed, "positions", torch.empty(0)).numel()
    if model.lm_head.weight is not model.embed.weight:
        looked_up += model.embed.weight.numel()
    return 6 * (model.n_params - looked_up) + 6 * config.n_layers * config.context_length * config.d_model


def init_weights(model: Transformer, seed: int) -> None:
    """Draw the first weights from a generator of their own, so that a seed means one model on every machine.

    Matrices are normal with standard deviation 0.02; those that write into the residual stream are smaller by sqrt(2 n_layers),
    so that the sum of all blocks starts no larger than one. The first loss is then close to ln(vocab_size).
    Source: docs/SOURCES.md#gpt2 (section 2.3)
    """
    generator = torch.Generator().manual_seed(seed)
    residual_std = 0.02 / math.sqrt(2 * model.config.n_layers)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            std = residual_std if name.endswith(("o_proj.weight", "down_proj.weight")) else 0.02
            nn.init.normal_(parameter, std=std, generator=generator)
