"""What if one part were another? The transformer of `minilm.model` with one choice of its design undone at a time.

The ideas in order: a variant is a change of shape (`variant_config`) and a change of parts (`build`); each part that takes another's place is a class of
a few lines; `minilm.model.flops_per_token` says what a token of training costs, so that variants can be compared at equal computation.

| variant | instead of | source |
|---|---|---|
| `baseline` | nothing: it is `minilm.model.Transformer` | docs/SOURCES.md#llama |
| `post_norm` | normalising what each sub-layer reads: the sum after it | docs/SOURCES.md#attention (section 3.1) |
| `layer_norm` | RMSNorm: LayerNorm, which also takes away the mean and adds a learned shift | docs/SOURCES.md#layernorm |
| `learned_positions` | rotating queries and keys: a learned vector for each place, added to the embedding | docs/SOURCES.md#gpt2 |
| `no_positions` | the same: nothing; the causal mask alone tells order | docs/SOURCES.md#nope |
| `gelu` | SwiGLU's three matrices: two, half as wide again, with GELU between | docs/SOURCES.md#gpt2 |
| `relu2` | the same: two, with the square of ReLU between | docs/SOURCES.md#primer |
| `mha` | two key/value heads: one for each query head | docs/SOURCES.md#attention |
| `mqa` | the same: a single one for all | docs/SOURCES.md#mqa |
| `untied` | one table for reading and writing tokens: a head of its own | docs/SOURCES.md#llama |
| `gpt2` | five of these at once: LayerNorm, learned positions, GELU, a key/value head for each query head | docs/SOURCES.md#gpt2 |

Left out on purpose: biases of the projections and dropout, which GPT-2 had; a variant that `minilm.export` or `minilm.checkpoint` would know.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minilm.attention import KVCache
from minilm.config import ModelConfig
from minilm.model import Block, RMSNorm, Transformer, init_weights

VARIANTS = ("baseline", "post_norm", "layer_norm", "learned_positions", "no_positions", "gelu", "mha", "mqa", "untied", "gpt2", "relu2")


class PostNormBlock(Block):
    """The block of 2017: normalise the sum after each sub-layer, so that no path through the model goes around the norms."""

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None = None) -> Tensor:
        x = self.attn_norm(x + self.attn(x, cos, sin, cache))
        return self.mlp_norm(x + self.mlp(x))


class TwoMatrices(nn.Module):
    """The feed-forward layer before gates: widen, bend, narrow. d_ff is 1.5 times SwiGLU's, for as many parameters in two matrices as in three."""

    def __init__(self, config: ModelConfig, activation: Callable[[Tensor], Tensor]):
        super().__init__()
        self.up_proj = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.down_proj = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.activation(self.up_proj(x)))


class PlacedEmbedding(nn.Embedding):
    """Token vectors plus a learned vector for each place; `start` is the place of the first token given."""

    start = 0

    def __init__(self, config: ModelConfig):
        super().__init__(config.vocab_size, config.d_model)
        self.positions = nn.Parameter(torch.zeros(config.context_length, config.d_model))  # (T, C)

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens) + self.positions[self.start : self.start + tokens.shape[1]]


class PlacedTransformer(Transformer):
    """The transformer with a `PlacedEmbedding`, which must be told where a text goes on that the caches began."""

    def hidden(self, tokens: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        self.embed.start = len(caches[0]) if caches else 0
        return super().hidden(tokens, caches)

    @property
    def n_params_without_embeddings(self) -> int:
        return super().n_params_without_embeddings - self.embed.positions.numel()


def relu_squared(x: Tensor) -> Tensor:
    """Zero below zero, x squared above. Source: docs/SOURCES.md#primer"""
    return F.relu(x).square()


def variant_config(name: str, config: ModelConfig) -> ModelConfig:
    """The shape of a variant whose baseline has the shape `config`. Raises ValueError for an unknown name.

    >>> variant_config("gelu", ModelConfig(d_ff=384)).d_ff
    576
    """
    if name not in VARIANTS:
        raise ValueError(f"variant is {name!r}; it must be one of {', '.join(VARIANTS)}")
    changes = {}
    if name in ("mha", "gpt2"):
        changes["n_kv_heads"] = config.n_heads
    if name == "mqa":
        changes["n_kv_heads"] = 1
    if name in ("gelu", "relu2", "gpt2"):
        changes["d_ff"] = config.d_ff * 3 // 2
    if name == "untied":
        changes["tie_embeddings"] = False
    return replace(config, **changes)


def build(name: str, config: ModelConfig, seed: int = 0) -> Transformer:
    """Make a variant of the transformer whose baseline has the shape `config`, its weights drawn as the baseline's are.

    >>> build("no_positions", ModelConfig(vocab_size=257, n_layers=1)).n_params == build("baseline", ModelConfig(vocab_size=257, n_layers=1)).n_params
    True
    """
    config = variant_config(name, config)
    model = (PlacedTransformer if name in ("learned_positions", "gpt2") else Transformer)(config)
    if name == "post_norm":
        model.blocks = nn.ModuleList(PostNormBlock(config) for _ in range(config.n_layers))
    if name in ("layer_norm", "gpt2"):
        _swap(model, RMSNorm, lambda: nn.LayerNorm(config.d_model, config.norm_eps))
    if name in ("gelu", "relu2", "gpt2"):
        for block in model.blocks:
            block.mlp = TwoMatrices(config, relu_squared if name == "relu2" else F.gelu)
    if name in ("learned_positions", "gpt2"):
        model.embed = PlacedEmbedding(config)
        model.lm_head.weight = model.embed.weight
    if name in ("learned_positions", "no_positions", "gpt2"):
        model.cos.fill_(1)  # a turn by no angle at all
        model.sin.zero_()
    init_weights(model, seed)  # anew, for the parts that were swapped
    return model


def _swap(model: nn.Module, kind: type, make: Callable[[], nn.Module]) -> None:
    """Put a new module in the place of each of a kind."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, kind):
                setattr(module, name, make())
