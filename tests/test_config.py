"""Settings that cannot work are refused with a message that says which and why."""

import dataclasses
import os
import subprocess
import sys

import pytest

from minilm.config import ROOT, ModelConfig, TrainConfig, check_sampling, profile, writable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *[
            ({name: 0}, f"{name} is 0; it must be at least 1")
            for name in ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff")
        ],
        ({"n_layers": -1}, "n_layers is -1"),
        ({"d_model": 100, "n_heads": 3}, "d_model 100 is not a multiple of n_heads 3"),
        ({"n_heads": 4, "n_kv_heads": 3}, "n_heads 4 is not a multiple of n_kv_heads 3"),
        ({"n_heads": 4, "n_kv_heads": 8}, "n_heads 4 is not a multiple of n_kv_heads 8"),
        ({"d_model": 12, "n_heads": 4}, r"head_dim is 3 \(d_model / n_heads\); RoPE rotates pairs"),
        ({"rope_theta": 0.0}, "rope_theta 0.0 and norm_eps 1e-05 must be positive"),
        ({"norm_eps": -1e-5}, "rope_theta 10000.0 and norm_eps -1e-05 must be positive"),
    ],
)
def test_a_shape_that_cannot_be_built_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**changes)


def test_the_smallest_shape_is_accepted():
    smallest = ModelConfig(vocab_size=1, context_length=1, d_model=2, n_layers=1, n_heads=1, n_kv_heads=1, d_ff=1)
    assert smallest.head_dim == 2


def test_a_head_is_its_share_of_the_width():
    assert ModelConfig(d_model=192, n_heads=6, n_kv_heads=2).head_dim == 32


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({}, "the budget is missing; give one of minutes, max_tokens, max_steps"),
        ({"minutes": 5, "max_steps": 10}, "the budget is minutes and max_steps; give one"),
        ({"minutes": 5, "max_tokens": 100, "max_steps": 10}, "the budget is minutes and max_tokens and max_steps"),
        ({"minutes": 0}, "minutes is 0; it must be more than 0"),
        ({"max_tokens": -1}, "max_tokens is -1; it must be more than 0"),
        ({"max_steps": 0}, "max_steps is 0; it must be more than 0"),
        ({"minutes": float("nan")}, "minutes is nan; it must be more than 0"),
    ],
)
def test_the_budget_is_exactly_one_positive_number(budget, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**budget)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *[
            ({name: 0}, f"{name} is 0; it must be more than 0")
            for name in ("batch_size", "accumulation_steps", "clip_norm", "eval_every", "save_every", "log_every")
        ],
        *[({name: -0.1}, f"{name} is -0.1; it must not be negative") for name in ("max_lr", "muon_lr", "weight_decay")],
        *[({name: 1.5}, f"{name} is 1.5; it must lie between 0 and 1") for name in ("min_lr_ratio", "warmup_ratio", "beta1", "beta2")],
        ({"warmup_ratio": -0.5}, "warmup_ratio is -0.5; it must lie between 0 and 1"),
        ({"beta2": float("nan")}, "beta2 is nan; it must lie between 0 and 1"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'; it must be one of muon, adamw"),
        ({"schedule": "constant"}, "schedule is 'constant'; it must be one of linear, cosine"),
        ({"device": "tpu"}, "device is 'tpu'; it must be one of auto, cpu, cuda, mps"),
        ({"precision": "float64"}, "precision is 'float64'; it must be one of auto, float32, bfloat16, float16"),
        ({"compile": True}, "compile is True; it must be one of auto, yes, no"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(max_steps=10, **changes)


def test_the_ends_of_the_ranges_are_accepted():
    TrainConfig(max_steps=1, max_lr=0, muon_lr=0, weight_decay=0, min_lr_ratio=1, warmup_ratio=1, beta1=0, beta2=0)


def test_a_copy_has_the_change_and_the_original_has_not():
    config = TrainConfig(max_steps=10, batch_size=3)
    assert config.replace(seed=7) == TrainConfig(max_steps=10, batch_size=3, seed=7)
    assert config.seed == 0
    with pytest.raises(ValueError, match="batch_size is 0"):
        config.replace(batch_size=0)


@pytest.mark.parametrize("config", [ModelConfig(), TrainConfig(max_steps=10)])
def test_settings_cannot_be_changed_in_place(config):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


def test_the_profile_comes_from_the_environment(monkeypatch):
    for name in ("ci", "laptop", "gpu"):
        monkeypatch.setenv("MINILM_PROFILE", name)
        assert profile() == name
    monkeypatch.delenv("MINILM_PROFILE")
    assert profile() == "laptop"


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("MINILM_PROFILE", "desktop")
    with pytest.raises(ValueError, match="MINILM_PROFILE is 'desktop'; it must be one of ci, laptop, gpu"):
        profile()


WRITING = {"temperature": 0.8, "top_k": None, "top_p": 0.95, "min_p": 0.0}


@pytest.mark.parametrize(
    "name, value", [("temperature", -0.1), ("top_k", 0), ("top_p", 0.0), ("top_p", 1.1), ("min_p", -0.1), ("min_p", 1.1)]
)
def test_a_way_of_writing_that_leaves_no_token_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} {value}.*: temperature must not be negative"):
        check_sampling(**WRITING | {name: value})


@pytest.mark.parametrize("name, value", [("temperature", 0.0), ("top_k", 1), ("top_p", 1.0), ("min_p", 0.0), ("min_p", 1.0)])
def test_the_ends_of_what_can_be_written_are_accepted(name, value):
    check_sampling(**WRITING | {name: value})


def test_what_may_not_be_written_in_the_course_goes_to_the_users_own_folder(tmp_path, monkeypatch):
    asked, refused = [], {tmp_path}
    monkeypatch.setattr("os.access", lambda path, mode: asked.append(mode) or path not in refused)
    inside, outside = tmp_path / "data" / "cache", tmp_path.parent / "outside"
    assert writable(inside, outside) == outside  # of what is there, the nearest is the folder that refuses
    (tmp_path / "data").mkdir()
    assert writable(inside, outside) == inside
    refused.add(tmp_path / "data")
    assert writable(inside, outside) == outside and set(asked) == {os.W_OK}


def test_a_read_only_course_keeps_its_caches_elsewhere(tmp_path):
    """In a process of its own that may write nowhere in the course, as on a disk that is read-only."""
    code = "import os; os.access = lambda *_: False; from minilm import config; print(config.CACHE, config.WORK, sep=os.linesep)"
    env = {key: value for key, value in os.environ.items() if key != "MINILM_WORK"} | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(tmp_path / ".cache" / "minilm"), str(tmp_path / "minilm-work")]


@pytest.mark.parametrize("config, changes, message", [
    (ModelConfig, {"d_model": 64.0}, "d_model is 64.0; it must be a whole number"),
    (ModelConfig, {"n_layers": True}, "n_layers is True; it must be a whole number"),
    (ModelConfig, {"rope_theta": "10000"}, "rope_theta is '10000'; it must be a number"),
    (ModelConfig, {"rope_theta": float("inf")}, "must be positive and finite"),
    (ModelConfig, {"tie_embeddings": 1}, "tie_embeddings is 1; it must be true or false"),
    (ModelConfig, {"context_length": 10**12}, "context_length is 1000000000000; at most 4,194,304 tokens"),
    (TrainConfig, {"max_steps": 1.5}, "max_steps is 1.5; it must be a whole number"),
    (TrainConfig, {"max_steps": 1, "seed": -1}, "seed is -1; it must be 0 or more"),
    (TrainConfig, {"max_steps": 1, "seed": 2**63}, "seed is 9223372036854775808; it must be 0 or more, and below"),
    (TrainConfig, {"minutes": float("inf")}, "minutes is inf; it must be more than 0, and finite"),
    (TrainConfig, {"minutes": "5"}, "minutes is '5'; it must be a number"),
])  # fmt: skip
def test_settings_of_another_kind_are_refused(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
