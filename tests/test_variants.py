"""Every variant of the transformer is what its name says: its size by hand, its formula by hand, causal, and the same with a cache."""

import math

import pytest
import torch
import torch.nn.functional as F

from minilm.config import ModelConfig, TrainConfig
from minilm.model import Transformer, flops_per_token
from minilm.optim import build_optimizers
from minilm.variants import VARIANTS, build, variant_config

C, L, D, T, V, D_FF = 64, 2, 16, 32, 300, 96  # 4 heads, 2 of keys and values
CONFIG = ModelConfig(vocab_size=V, context_length=T, d_model=C, n_layers=L, n_heads=4, n_kv_heads=2, d_ff=D_FF)


@pytest.fixture
def tokens():
    return torch.randint(V, (2, T), generator=torch.Generator().manual_seed(1))


def model_of(name):
    """Weights far from zero, so that a mistake shows."""
    model = build(name, CONFIG, seed=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return model.eval()


def attention_params(kv_heads):
    return 2 * C * C + 2 * C * kv_heads * D


BASELINE = V * C + L * (attention_params(2) + 3 * C * D_FF + 2 * C) + C
PARAMS = {"baseline": BASELINE, "post_norm": BASELINE, "no_positions": BASELINE, "gelu": BASELINE, "relu2": BASELINE,
          "layer_norm": BASELINE + (2 * L + 1) * C, "learned_positions": BASELINE + T * C, "untied": BASELINE + V * C,
          "mha": BASELINE + L * 2 * C * 2 * D, "mqa": BASELINE - L * 2 * C * D,
          "gpt2": BASELINE + (2 * L + 1) * C + T * C + L * 2 * C * 2 * D}  # fmt: skip


def test_the_baseline_is_the_transformer_itself(tokens):
    ours, theirs = build("baseline", CONFIG, seed=5), Transformer(CONFIG, seed=5)
    assert type(ours) is Transformer
    assert torch.equal(ours(tokens), theirs(tokens))


@pytest.mark.parametrize("name", VARIANTS)
def test_size_causality_cache_and_first_loss(name, tokens):
    model = model_of(name)
    assert model.n_params == PARAMS[name]
    with torch.no_grad():
        logits, other = model(tokens), tokens.clone()
        other[:, 20:] = 0
        torch.testing.assert_close(model(other)[:, :20], logits[:, :20], atol=1e-4, rtol=0)
        caches = model.new_caches(2)
        in_pieces = torch.cat([model(tokens[:, :9], caches), model(tokens[:, 9:10], caches), model(tokens[:, 10:], caches)], 1)
        torch.testing.assert_close(in_pieces, logits, atol=2e-4, rtol=1e-4)
        fresh = build(name, CONFIG, seed=0)(tokens)
        assert F.cross_entropy(fresh[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).item() == pytest.approx(math.log(V), abs=0.2)
    optimizers = build_optimizers(model, TrainConfig(max_steps=1))
    assert sum(p.numel() for o in optimizers for group in o.param_groups for p in group["params"]) == model.n_params


def test_post_norm_normalises_the_sum(tokens):
    model = model_of("post_norm")
    with torch.no_grad():
        x = model.embed(tokens)
        for block in model.blocks:
            x = F.rms_norm(x + block.attn(x, model.cos, model.sin), (C,), block.attn_norm.weight, CONFIG.norm_eps)
            x = F.rms_norm(x + block.mlp(x), (C,), block.mlp_norm.weight, CONFIG.norm_eps)
        logits = F.rms_norm(x, (C,), model.final_norm.weight, CONFIG.norm_eps) @ model.embed.weight.T
    torch.testing.assert_close(model(tokens), logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("name", "bend"), [("gelu", F.gelu), ("relu2", lambda x: x.clamp(min=0) ** 2)])
def test_two_matrices(name, bend, tokens):
    mlp, x = model_of(name).blocks[0].mlp, torch.randn(3, C)
    up, down = mlp.up_proj.weight, mlp.down_proj.weight
    assert up.shape == (D_FF * 3 // 2, C)
    torch.testing.assert_close(mlp(x), bend(x @ up.T) @ down.T)


def test_learned_positions_are_added_at_their_own_place():
    model = model_of("learned_positions")
    tokens = torch.tensor([[7, 7, 7]])
    torch.testing.assert_close(model.embed(tokens)[0], model.embed.weight[7] + model.embed.positions[:3])


def test_only_the_mask_tells_order_without_positions():
    """In one layer a late token sees a set: swapping two earlier ones changes nothing without positions, and much with them."""
    config = ModelConfig(vocab_size=V, context_length=T, d_model=C, n_layers=1, n_heads=4, n_kv_heads=2, d_ff=D_FF)
    there, back = torch.tensor([[5, 9, 11]]), torch.tensor([[9, 5, 11]])
    moved = {}
    for name in ("no_positions", "baseline", "learned_positions", "gpt2"):
        model = build(name, config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
            moved[name] = (model(there)[0, -1] - model(back)[0, -1]).abs().max().item()
    assert moved.pop("no_positions") < 1e-4
    assert min(moved.values()) > 1e-2


def test_operations_by_hand():
    """Six for each weight that multiplies, and for each layer six times half of the T x T scores twice, C wide: queries by keys, weights by values."""
    attention = 6 * 2 * (T / 2) * C * L
    for name, looked_up in (("baseline", 0), ("untied", V * C), ("learned_positions", T * C), ("mqa", 0)):
        assert flops_per_token(build(name, CONFIG)) == 6 * (PARAMS[name] - looked_up) + attention, name


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="'mha2'; it must be one of baseline"):
        variant_config("mha2", CONFIG)
