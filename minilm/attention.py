"""How do tokens look at each other? Rotary positions, the causal mask, attention twice over, and the cache for writing.

The ideas in order: a position becomes a rotation of queries and keys (RoPE); a token may look only at itself and at what came
before (the mask); attention is a weighted average of values, written out in `attention_explicit` and as PyTorch's fused kernel
in `attention`; a `KVCache` keeps keys and values, so that writing the next token need not read the whole story again.

Shapes: B batch, T tokens, S tokens that can be looked at, H query heads, K key/value heads, D width of a head.
Built by hand in: chapter 04; the cache in chapter 07. Left out on purpose: dropout, ALiBi, sliding windows.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def rope_table(context_length: int, head_dim: int, theta: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Tabulate the cosines and sines by which RoPE turns each pair of coordinates at each position.

    Returns two float32 tensors (context_length, head_dim / 2). Pair i at position t turns by t / theta^(2i / head_dim) radians:
    the first pairs turn fast and tell neighbours apart, the last turn slowly and tell paragraphs apart.
    Source: docs/SOURCES.md#rope (section 3.2)

    >>> cos, sin = rope_table(context_length=8, head_dim=4)
    >>> cos.shape, round(sin[1, 0].item(), 4) == round(math.sin(1.0), 4)
    (torch.Size([8, 2]), True)
    """
    frequencies = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angles = torch.outer(torch.arange(context_length, dtype=torch.float32), frequencies)
    return angles.cos(), angles.sin()


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate queries or keys x (B, heads, T, D) to their positions, given the rows (T, D/2) of the table for those positions.

    Coordinate i is paired with coordinate i + D/2, as Hugging Face does; llama2.c pairs neighbours instead (chapter 13).
    """
    return _Rotation.apply(x, cos, sin)


class _Rotation(torch.autograd.Function):
    """The gradient of a turned vector is the gradient turned back: so told, PyTorch needs half the time."""

    @staticmethod
    def forward(ctx, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        first, second = x.chunk(2, dim=-1)  # each (B, heads, T, D/2)
        turned = x * torch.cat((cos, cos), dim=-1)
        turned_first, turned_second = turned.chunk(2, dim=-1)
        turned_first.addcmul_(second, sin, value=-1)  # first cos - second sin
        turned_second.addcmul_(first, sin)  # second cos + first sin
        return turned.type_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor):
        cos, sin = ctx.saved_tensors
        return _Rotation.apply(grad, cos, -sin), None, None


def causal_mask(n_queries: int, n_keys: int, device: torch.device | None = None) -> Tensor:
    """Say which of `n_keys` tokens each of the last `n_queries` of them may look at: a boolean tensor (n_queries, n_keys).

    >>> causal_mask(2, 3).int().tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(n_keys - n_queries)


def attention_explicit(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention with every step visible: scores, mask, softmax, average. The twin of `attention`.

    q (B, H, T, D); k, v (B, K, S, D), where the T queries are the last T of the S positions and each group of H/K query
    heads shares one key/value head. Returns (B, H, T, D). Source: docs/SOURCES.md#attention (section 3.2.1)
    """
    group_size = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group_size, dim=1) for x in (k, v))  # (B, H, S, D)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, S)
    visible = causal_mask(q.shape[-2], k.shape[-2], q.device)
    weights = scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
    return weights @ v


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention by PyTorch's fused kernel, which never writes the (T, S) scores to memory.

    Same arguments and result as `attention_explicit`. Source: docs/SOURCES.md#flashattention
    """
    gqa = q.shape[1] != k.shape[1]
    n_queries, n_keys = q.shape[-2], k.shape[-2]
    if n_queries == n_keys:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=gqa)
    # PyTorch's is_causal aligns queries with the *first* keys; ours are the last, so the mask is given.
    mask = None if n_queries == 1 else causal_mask(n_queries, n_keys, q.device)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=gqa)


class KVCache:
    """The keys and values of the tokens read so far, for one attention layer.

    Room for `context_length` tokens is taken at once, so that appending copies only what is new.

    >>> cache = KVCache(batch_size=1, n_kv_heads=2, context_length=8, head_dim=4)
    >>> k, v = cache.append(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4))
    >>> len(cache), k.shape
    (3, torch.Size([1, 2, 3, 4]))
    """

    def __init__(self, batch_size: int, n_kv_heads: int, context_length: int, head_dim: int, **tensor_options):
        shape = (batch_size, n_kv_heads, context_length, head_dim)
        self.keys = torch.empty(shape, **tensor_options)
        self.values = torch.empty(shape, **tensor_options)
        self.n_tokens = 0

    def __len__(self) -> int:
        return self.n_tokens

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add k and v (B, K, T, D) of the next T tokens; return all so far, (B, K, S, D).

        Raises ValueError when they do not fit.
        """
        end = self.n_tokens + k.shape[-2]
        if end > self.keys.shape[-2]:
            raise ValueError(f"the cache holds {self.keys.shape[-2]} tokens; {end} were given, so start a new one")
        self.keys[:, :, self.n_tokens : end] = k
        self.values[:, :, self.n_tokens : end] = v
        self.n_tokens = end
        return self.keys[:, :, :end], self.values[:, :, :end]
