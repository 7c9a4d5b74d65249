"""The schedule has the numbers worked out by hand, and both optimizers make the steps that PyTorch's make."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from minilm.config import ModelConfig, TrainConfig
from minilm.model import Transformer
from minilm.optim import AdamW, Muon, build_optimizers, clip_gradients, learning_rate_factor, orthogonalise
from tests.reference import newton_schulz

SHAPE = ModelConfig(vocab_size=97, context_length=24, d_model=32, n_layers=2, n_kv_heads=2, d_ff=48)


def factors(max_steps: int, **settings) -> list[float]:
    config = TrainConfig(max_steps=max_steps, **settings)
    return [learning_rate_factor(step, max_steps, config) for step in range(max_steps)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"warmup_ratio": 0.4}, [0.25, 0.5, 0.75, 1, 1, 0.8, 0.6, 0.4, 0.2, 0]),
        ({"warmup_ratio": 0.4, "min_lr_ratio": 0.5}, [0.25, 0.5, 0.75, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5]),
        ({"warmup_ratio": 0.5, "schedule": "cosine"}, [0.2, 0.4, 0.6, 0.8, 1, 1, 0.85355, 0.5, 0.14645, 0]),
        ({"warmup_ratio": 0.5, "schedule": "cosine", "min_lr_ratio": 0.2}, [0.2, 0.4, 0.6, 0.8, 1, 1, 0.88284, 0.6, 0.31716, 0.2]),
        ({"warmup_ratio": 0.0}, [1 - step / 9 for step in range(10)]),
        ({"warmup_ratio": 1.0}, [step / 10 for step in range(1, 11)]),
        ({"warmup_ratio": 0.11}, [0.5, 1, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7, 0]),  # 1.1 steps are rounded up
        ({"warmup_ratio": 0.4, "min_lr_ratio": 1.0}, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_ten_steps_have_the_rates_worked_out_by_hand(settings, expected):
    assert factors(10, **settings) == pytest.approx(expected, abs=1e-5)


@given(
    max_steps=st.integers(1, 200),
    warmup_ratio=st.floats(0, 1),
    min_lr_ratio=st.floats(0, 1),
    schedule=st.sampled_from(["linear", "cosine"]),
)
def test_the_rate_rises_reaches_its_peak_and_falls_for_every_number_of_steps(max_steps, warmup_ratio, min_lr_ratio, schedule):
    rates = factors(max_steps, warmup_ratio=warmup_ratio, min_lr_ratio=min_lr_ratio, schedule=schedule)
    peak = rates.index(max(rates))
    assert rates[peak] == 1
    assert rates[: peak + 1] == sorted(rates[: peak + 1]) and rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[0] > 0 and min(rates[peak:]) >= min_lr_ratio - 1e-12
    if peak + 2 < max_steps:  # two steps at the peak, and at least one after it
        assert rates[-1] == pytest.approx(min_lr_ratio)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_runs_of_one_and_two_steps_take_them_at_full_rate(schedule):
    assert factors(1, schedule=schedule) == [1]
    assert factors(2, schedule=schedule) == [1, 1]
    assert factors(1, schedule=schedule, warmup_ratio=0) == [1]


def test_beyond_the_last_step_the_rate_stays():
    config = TrainConfig(max_steps=10, min_lr_ratio=0.1, schedule="cosine")
    assert learning_rate_factor(50, 10, config) == pytest.approx(0.1)


def twins(*shapes, seed: int = 0) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    generator = torch.Generator().manual_seed(seed)
    ours = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    return ours, [nn.Parameter(p.detach().clone()) for p in ours]


def take_steps(ours, theirs, optimizers, n_steps: int):
    """Yield after each step of both with the same gradients; their sizes vary, and now and then a parameter has none."""
    generator = torch.Generator().manual_seed(1)
    for step in range(n_steps):
        for i, (mine, yours) in enumerate(zip(ours, theirs)):
            scale = 10 ** (torch.rand((), generator=generator) * 4 - 2)
            mine.grad = None if i == step % 5 == 1 else scale * torch.randn(mine.shape, generator=generator)
            yours.grad = None if mine.grad is None else mine.grad.clone()
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] *= 0.98
            optimizer.step()
        yield step


@pytest.mark.parametrize(
    "settings",
    [{}, {"lr": 0.1, "weight_decay": 0.5, "betas": (0.8, 0.9)}, {"eps": 0.3, "weight_decay": 0.0}, {"betas": (0.0, 0.999)}],
)
def test_adamw_takes_the_steps_of_pytorchs(settings):
    ours, theirs = twins((3, 4), (5,), (2, 1), ())
    optimizers = AdamW(ours, **settings), torch.optim.AdamW(theirs, **settings)
    for _ in take_steps(ours, theirs, optimizers, 60):
        assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_adamw_heeds_the_settings_of_each_group():
    ours, theirs = twins((3, 4), (5,))
    groups = [[{"params": [a], "weight_decay": 0.0}, {"params": [b], "lr": 0.05, "weight_decay": 0.3}] for a, b in (ours, theirs)]
    optimizers = AdamW(groups[0], lr=0.01), torch.optim.AdamW(groups[1], lr=0.01)
    for _ in take_steps(ours, theirs, optimizers, 20):
        assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_first_step_of_adamw_is_the_learning_rate_whatever_the_gradient():
    p = nn.Parameter(torch.tensor([1.0, 1.0, 1.0]))
    p.grad = torch.tensor([1e-3, -5.0, 1e4])
    AdamW([p], lr=0.1, weight_decay=0.0).step()
    assert p.tolist() == pytest.approx([0.9, 1.1, 0.9], abs=1e-4)


@pytest.mark.parametrize(("rounding", "tolerance"), [(True, 0.05), (False, 1e-5)])
@pytest.mark.parametrize("settings", [{"lr": 0.02}, {"lr": 0.1, "weight_decay": 0.4, "momentum": 0.5}])
def test_muon_takes_the_steps_of_pytorchs(monkeypatch, settings, rounding, tolerance):
    # PyTorch's rounds to bfloat16 before it makes a matrix orthogonal; with that taken out, the two agree to float32.
    if not rounding:
        monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.float)
    ours, theirs = twins((16, 16), (8, 24), (24, 8), (8, 24), (1, 12), (40, 10))
    starts = [p.detach().clone() for p in ours]
    for _ in take_steps(ours, theirs, (Muon(ours, **settings), torch.optim.Muon(theirs, **settings)), 10):
        for start, mine, yours in zip(starts, ours, theirs):
            assert (mine - yours).norm() <= tolerance * (yours - start).norm()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_muon_multiplies_in_the_precision_of_the_run(precision):
    model = Transformer(ModelConfig(vocab_size=257, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64))
    muon, _ = build_optimizers(model, TrainConfig(max_steps=1, precision=precision))
    matrices = torch.randn(2, 8, 24, generator=torch.Generator().manual_seed(0))
    rounded = orthogonalise(matrices, muon.dtype)
    assert rounded.dtype == torch.float32
    difference = (rounded - orthogonalise(matrices)).abs().max()
    assert difference == 0 if precision == "float32" else 1e-4 < difference < 0.05


@pytest.mark.parametrize("shape", [(6, 6), (4, 20), (1, 5), (16, 64)])
def test_orthogonalising_moves_only_the_singular_values_by_the_polynomial(shape):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    ours = orthogonalise(matrices)
    for matrix, result in zip(matrices, ours):
        np.testing.assert_allclose(result, newton_schulz(matrix.double().numpy()), atol=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_orthogonalising_brings_singular_values_near_one_and_keeps_directions(scale):
    u, _, v_transposed = torch.linalg.svd(torch.randn(20, 16, 48, generator=torch.Generator().manual_seed(0)), full_matrices=False)
    before = scale * torch.logspace(0, -1.7, 16)  # the largest is 50 times the smallest
    result = orthogonalise((u * before) @ v_transposed)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6 and values.max() < 1.25
    assert torch.cosine_similarity(result.flatten(1), (u @ v_transposed).flatten(1)).min() > 0.97


def test_orthogonalising_nothing_gives_nothing():
    assert orthogonalise(torch.zeros(2, 3, 5)).eq(0).all()


def test_muon_changes_outputs_alike_whatever_the_size_of_the_gradient():
    for scale in (1e-4, 1.0, 1e4):
        (p,), _ = twins((12, 12))
        before = p.detach().clone()
        p.grad = scale * torch.randn(12, 12, generator=torch.Generator().manual_seed(0))
        Muon([p], lr=0.1, weight_decay=0.0).step()
        steps = torch.linalg.svdvals(p.detach() - before) / 0.1
        assert steps.median() == pytest.approx(0.9, abs=0.2) and steps.max() < 1.25


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("tied", [True, False])
def test_each_parameter_is_in_one_group_and_only_matrices_of_blocks_decay(optimizer, tied):
    model = Transformer(ModelConfig(**{**vars(SHAPE), "tie_embeddings": tied}))
    config = TrainConfig(max_steps=10, optimizer=optimizer, max_lr=3e-3, muon_lr=0.05, weight_decay=0.25, beta1=0.7, beta2=0.8)
    kinds = {}
    for instance in build_optimizers(model, config):
        for group in instance.param_groups:
            assert group["max_lr"] == group["lr"] == (0.05 if isinstance(instance, Muon) else 3e-3)
            assert isinstance(instance, Muon) or group["betas"] == (0.7, 0.8)
            for p in group["params"]:
                assert id(p) not in kinds
                kinds[id(p)] = (type(instance), group["weight_decay"])
    matrices = Muon if optimizer == "muon" else torch.optim.AdamW
    for name, p in model.named_parameters():
        in_block = name.startswith("blocks") and "norm" not in name
        assert kinds.pop(id(p)) == ((matrices, 0.25) if in_block else (torch.optim.AdamW, 0.0)), name
    assert not kinds


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_the_optimizers_of_a_run_learn_one_batch(optimizer):
    model = Transformer(SHAPE)
    tokens = torch.randint(97, (2, 24), generator=torch.Generator().manual_seed(0))
    optimizers = build_optimizers(model, TrainConfig(max_steps=10, optimizer=optimizer))
    for _ in range(40):
        loss = nn.functional.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        for instance in optimizers:
            instance.step()
            instance.zero_grad()
    assert loss < 0.5


def test_clipping_scales_all_gradients_together_and_tells_their_length():
    a, b = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1, 1))
    a.grad, b.grad = torch.tensor([2.0, -4.0]), torch.tensor([[4.0]])
    assert clip_gradients([a, b], 1.5).item() == pytest.approx(6)
    assert a.grad.tolist() == pytest.approx([0.5, -1.0]) and b.grad.item() == pytest.approx(1.0)


def test_short_gradients_are_not_clipped():
    a = nn.Parameter(torch.zeros(2))
    a.grad = torch.tensor([0.3, -0.4])
    assert clip_gradients([a], 1.0).item() == pytest.approx(0.5)
    assert_close(a.grad, torch.tensor([0.3, -0.4]))
