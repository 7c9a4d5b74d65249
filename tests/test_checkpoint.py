"""A checkpoint is whole or not there, comes back bit for bit, and says what is wrong with it."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from minilm import checkpoint
from minilm.checkpoint import load_checkpoint, load_model, newest_checkpoint, save_checkpoint, save_model
from minilm.config import ModelConfig, TrainConfig
from minilm.model import Transformer
from minilm.optim import build_optimizers
from minilm.tokenizer import Tokenizer

SHAPE = ModelConfig(vocab_size=257, context_length=16, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)
TOKENIZER = Tokenizer([])


def optimizers_after_steps(model: Transformer, n_steps: int = 3) -> list[torch.optim.Optimizer]:
    optimizers = build_optimizers(model, TrainConfig(max_steps=10))
    for _ in range(n_steps):
        model(torch.randint(0, 257, (2, 8))).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return optimizers


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_comes_back_bit_for_bit(tmp_path, tied):
    config = ModelConfig(**{**vars(SHAPE), "tie_embeddings": tied})
    model = Transformer(config, seed=1)
    save_model(tmp_path / "m", model, TOKENIZER)
    again, tokenizer = load_model(tmp_path / "m")
    tokens = torch.arange(10)[None]
    assert torch.equal(again(tokens), model(tokens))
    assert (again.config, again.n_params) == (config, model.n_params)
    assert tokenizer.fingerprint == TOKENIZER.fingerprint


def test_half_precision_halves_the_file_and_keeps_three_digits(tmp_path):
    model = Transformer(SHAPE)
    save_model(tmp_path / "whole", model, TOKENIZER)
    save_model(tmp_path / "half", model, TOKENIZER, dtype=torch.float16)
    whole, half = ((tmp_path / name / "model.safetensors").stat().st_size for name in ("whole", "half"))
    assert half < 0.55 * whole
    weight = load_model(tmp_path / "half")[0].embed.weight
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, model.embed.weight, rtol=1e-3, atol=1e-6)


def test_a_checkpoint_brings_optimizers_and_random_state_back(tmp_path):
    model = Transformer(SHAPE)
    optimizers = optimizers_after_steps(model)
    save_checkpoint(tmp_path, 3, model, TOKENIZER, optimizers)
    drawn = torch.rand(3)
    fresh = Transformer(SHAPE, seed=7)
    fresh_optimizers = build_optimizers(fresh, TrainConfig(max_steps=10))
    assert load_checkpoint(newest_checkpoint(tmp_path), fresh, fresh_optimizers) == 3
    assert torch.equal(torch.rand(3), drawn)
    for ours, theirs in zip(optimizers, fresh_optimizers, strict=True):
        ours, theirs = ours.state_dict()["state"], theirs.state_dict()["state"]
        assert ours.keys() == theirs.keys() and ours
        for i in ours:
            assert all(torch.equal(torch.as_tensor(ours[i][key]), torch.as_tensor(theirs[i][key])) for key in ours[i])


def test_a_write_that_fails_leaves_the_old_model_and_no_rest(tmp_path, monkeypatch):
    model = Transformer(SHAPE, seed=1)
    save_model(tmp_path / "m", model, TOKENIZER)

    def torn(tensors, path, metadata):
        save_file(tensors, path, metadata)
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint, "save_file", torn)
    with pytest.raises(OSError, match="disk full"):
        save_model(tmp_path / "m", Transformer(SHAPE, seed=2), TOKENIZER)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert torch.equal(load_model(tmp_path / "m")[0].embed.weight, model.embed.weight)


def test_the_last_two_checkpoints_stay_and_torn_ones_go(tmp_path):
    model = Transformer(SHAPE)
    optimizers = optimizers_after_steps(model)
    torn = tmp_path / "checkpoints" / ".step-00000002.999.part"
    torn.mkdir(parents=True)
    (torn / "config.json").write_text("{")
    assert newest_checkpoint(tmp_path) is None
    for step in (5, 10, 15):
        save_checkpoint(tmp_path, step, model, TOKENIZER, optimizers)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000010", "step-00000015"]
    assert newest_checkpoint(tmp_path).name == "step-00000015"


def cut(path, n_bytes=100):
    path.write_bytes(path.read_bytes()[:n_bytes])


def change_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json; name a folder that"),
        (lambda folder: cut(folder / "model.safetensors"), "cannot be read"),
        (lambda folder: cut(folder / "config.json"), "is not a model's config"),
        (lambda folder: change_config(folder, colour="red"), "is not a model's config"),
        (lambda folder: change_config(folder, vocab_size=512), "the tokenizer has 257 ids, the model 512"),
        (lambda folder: change_config(folder, d_ff=128), r"down_proj.weight has shape torch.Size\(\[64, 64\]\); config.json means"),
        (lambda folder: change_weights(folder, lambda w: w.pop("final_norm.weight")), "final_norm.weight has shape None"),
    ],
)
def test_a_damaged_model_says_what_is_wrong(tmp_path, damage, message):
    save_model(tmp_path / "m", Transformer(SHAPE), TOKENIZER)
    damage(tmp_path / "m")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_model(tmp_path / "m")


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    model = Transformer(SHAPE)
    folder = save_checkpoint(tmp_path, 1, model, TOKENIZER, optimizers_after_steps(model))
    other = Transformer(ModelConfig(**{**vars(SHAPE), "n_layers": 2}))
    with pytest.raises(ValueError, match="this run is of"):
        load_checkpoint(folder, other, build_optimizers(other, TrainConfig(max_steps=10)))
