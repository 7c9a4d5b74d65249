"""Attention equals plain loops, sees no future, and knows only how far apart two tokens are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from minilm.attention import KVCache, apply_rope, attention, attention_explicit, causal_mask, rope_table
from tests.reference import causal_attention, rotated

# batch, query heads, key/value heads, queries, keys, width of a head
SHAPES = [
    (1, 1, 1, 1, 1, 2),
    (2, 3, 3, 7, 7, 4),
    (2, 4, 2, 5, 5, 8),
    (1, 6, 1, 4, 9, 4),
    (2, 4, 2, 1, 6, 8),
    (1, 2, 2, 3, 4, 16),
    (3, 6, 3, 8, 40, 2),
]


def drawn(shape, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values; queries are large enough for weights far from even."""
    B, H, K, T, S, D = shape
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(size, generator=generator) for size in ((B, H, T, D), (B, K, S, D), (B, K, S, D)))
    return 3 * q, k, v


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", [attention_explicit, attention])
def test_attention_equals_plain_loops(function, shape):
    q, k, v = drawn(shape)
    expected = causal_attention(*(x.double().numpy() for x in (q, k, v)))
    assert_close(function(q, k, v), torch.from_numpy(expected).float(), rtol=1e-5, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    B=st.integers(1, 3), K=st.integers(1, 3), group=st.integers(1, 3), T=st.integers(1, 12), earlier=st.integers(0, 12), D=st.integers(1, 8)
)
def test_fused_attention_equals_explicit_for_any_shape(B, K, group, T, earlier, D):
    q, k, v = drawn((B, K * group, K, T, T + earlier, 2 * D))
    assert_close(attention(q, k, v), attention_explicit(q, k, v), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 4, 2, 5, 5, 8), (1, 4, 4, 3, 6, 8)])
def test_fused_attention_has_the_gradients_of_explicit(shape):
    gradients = []
    for function in (attention, attention_explicit):
        inputs = [x.double().requires_grad_() for x in drawn(shape)]
        gradients.append(torch.autograd.grad(function(*inputs).square().sum(), inputs))
    assert_close(*gradients)


def test_equal_scores_average_what_is_visible():
    v = torch.tensor([[1.0], [3.0], [8.0]])[None, None]
    for function in (attention, attention_explicit):
        assert function(torch.zeros_like(v), torch.randn(1, 1, 3, 1), v).flatten().tolist() == pytest.approx([1, 2, 4])


def test_each_query_sees_itself_and_what_came_before():
    for n_keys in range(1, 7):
        for n_queries in range(1, n_keys + 1):
            expected = [[s <= n_keys - n_queries + t for s in range(n_keys)] for t in range(n_queries)]
            assert causal_mask(n_queries, n_keys).tolist() == expected


@pytest.mark.parametrize("function", [attention_explicit, attention])
@pytest.mark.parametrize("shape", [(1, 4, 2, 6, 6, 4), (1, 4, 2, 3, 6, 4)])
def test_no_gradient_reaches_a_later_key_or_value_and_some_reaches_each_earlier(function, shape):
    q, k, v = (x.requires_grad_() for x in drawn(shape))
    n_queries, n_keys = q.shape[2], k.shape[2]
    mixed = function(q, k, v)
    for t in range(n_queries):
        position = n_keys - n_queries + t
        for grad in torch.autograd.grad(mixed[:, :, t].square().sum(), (k, v), retain_graph=True):
            reaches = grad.abs().amax(dim=(0, 1, 3)) > 0
            # The first query of a text sees one key only; its weight is 1 whatever the key is.
            assert reaches.tolist() == [s <= position for s in range(n_keys)] or (position == 0 and not reaches.any())


@pytest.mark.parametrize("theta", [100.0, 10_000.0])
def test_rope_is_multiplication_by_a_complex_number(theta):
    x = torch.randn(2, 3, 20, 8, generator=torch.Generator().manual_seed(0))
    turned = apply_rope(x, *rope_table(20, 8, theta))
    for b, head, t in np.ndindex(2, 3, 20):
        np.testing.assert_allclose(turned[b, head, t], rotated(x[b, head, t].double().numpy(), t, theta), atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(t=st.integers(0, 99), s=st.integers(0, 99), shift=st.integers(0, 156), seed=st.integers(0, 2**31))
def test_scores_depend_only_on_the_distance_between_two_tokens(t, s, shift, seed):
    q, k = torch.randn(2, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    cos, sin = rope_table(256, 16)

    def score(t: int, s: int) -> float:
        return (apply_rope(q, cos[t].double(), sin[t].double()) @ apply_rope(k, cos[s].double(), sin[s].double())).item()

    assert score(t, s) == pytest.approx(score(t + shift, s + shift), abs=1e-4 * (q.norm() * k.norm()).item())


def test_scores_do_change_with_the_distance():
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    cos, sin = rope_table(256, 16)
    scores = apply_rope(q, cos[200], sin[200]) @ apply_rope(k.expand(256, 16), cos, sin).T
    assert scores[:201].unique().numel() == 201


def test_rope_keeps_lengths_and_leaves_the_first_token_as_it_is():
    x = torch.randn(1, 2, 50, 8, generator=torch.Generator().manual_seed(0))
    turned = apply_rope(x, *rope_table(50, 8))
    assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[:, :, 0], x[:, :, 0])


def test_rope_of_bfloat16_is_computed_in_float32_and_given_back_in_bfloat16():
    x = torch.randn(1, 2, 300, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    turned = apply_rope(x, *rope_table(300, 8))
    assert turned.dtype == torch.bfloat16
    assert torch.equal(turned, apply_rope(x.float(), *rope_table(300, 8)).bfloat16())


@pytest.mark.parametrize("theta", [10_000.0, 500_000.0])
def test_rope_equals_that_of_hugging_face(theta):
    from transformers.models.llama import modeling_llama as theirs  # takes seconds, so only where it is needed

    config = theirs.LlamaConfig(hidden_size=64, num_attention_heads=4, rope_parameters={"rope_type": "default", "rope_theta": theta})
    q, k = torch.randn(2, 1, 4, 100, 16, generator=torch.Generator().manual_seed(0))
    turned = theirs.apply_rotary_pos_emb(q, k, *theirs.LlamaRotaryEmbedding(config)(q, torch.arange(100)[None]))
    ours = tuple(apply_rope(x, *rope_table(100, 16, theta)) for x in (q, k))
    assert_close(ours, turned, rtol=0, atol=1e-5)


@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_the_cache_gives_back_all_that_was_appended_in_order(lengths):
    cache = KVCache(batch_size=2, n_kv_heads=3, context_length=25, head_dim=4)
    k, v = torch.randn(2, 2, 3, sum(lengths), 4)
    end = 0
    for n_tokens in lengths:
        new = slice(end, end + n_tokens)
        end += n_tokens
        keys, values = cache.append(k[:, :, new], v[:, :, new])
        assert torch.equal(keys, k[:, :, :end]) and torch.equal(values, v[:, :, :end])
        assert len(cache) == end


def test_a_full_cache_says_so_and_keeps_what_it_holds():
    cache = KVCache(batch_size=1, n_kv_heads=2, context_length=8, head_dim=4)
    k = torch.randn(1, 2, 8, 4)
    cache.append(k[:, :, :6], k[:, :, :6])
    with pytest.raises(ValueError, match="the cache holds 8 tokens; 9 were given, so start a new one"):
        cache.append(k[:, :, :3], k[:, :, :3])
    keys, _ = cache.append(k[:, :, 6:], k[:, :, 6:])
    assert len(cache) == 8 and torch.equal(keys, k)


def test_attending_through_the_cache_equals_attending_at_once():
    q, k, v = drawn((2, 4, 2, 10, 10, 8))
    cache = KVCache(batch_size=2, n_kv_heads=2, context_length=10, head_dim=8)
    parts = []
    for start, end in ((0, 4), (4, 5), (5, 8), (8, 10)):
        new = slice(start, end)
        parts.append(attention(q[:, :, new], *cache.append(k[:, :, new], v[:, :, new])))
    assert_close(torch.cat(parts, dim=2), attention(q, k, v))


def test_fused_attention_never_holds_the_scores():
    q, k, v = drawn((1, 1, 1, 2048, 2048, 2))  # whose scores would be 16 MiB
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as seen:
        attention(q, k, v)
    assert 0 < max(event.cpu_memory_usage for event in seen.events()) < 2**21


def test_the_gradient_of_a_turn_is_turned_back():
    """Against differences of the function itself, twice: the gradient, and the gradient's gradient."""
    cos, sin = (table.double() for table in rope_table(5, 6, 10_000.0))
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: apply_rope(x, cos, sin), x)
    assert torch.autograd.gradgradcheck(lambda x: apply_rope(x, cos, sin).square(), x)
