"""The runner without PyTorch reads and writes what the model with PyTorch does, and says what is wrong with a folder."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from minilm import numpy_model
from minilm.checkpoint import load_model, save_model
from minilm.config import MODELS, ModelConfig
from minilm.generate import generate, generate_ids, next_token_probs
from minilm.model import Transformer
from minilm.numpy_model import Cache, NumpyModel, likeliest
from minilm.tokenizer import Tokenizer

SHAPE = ModelConfig(vocab_size=257, context_length=24, d_model=64, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=96)
TOKENIZER = Tokenizer([])
GREEDY = {"temperature": 0.0}


def loud(config: ModelConfig, seed: int = 3) -> Transformer:
    """A model with large weights, so that guesses differ from token to token, and with norms that are not all one."""
    model, generator = Transformer(config, seed=seed).eval(), torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data.mul_(3 if parameter.ndim == 2 else torch.rand(parameter.shape, generator=generator) + 0.5)
    return model


def twin(model: Transformer, tokenizer: Tokenizer = TOKENIZER) -> NumpyModel:
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if model.config.tie_embeddings:
        del weights["lm_head.weight"]
    return NumpyModel(model.config, weights, tokenizer)


def drawn_ids(n: int, vocab_size: int = 257) -> list[int]:
    return np.random.default_rng(0).integers(0, vocab_size, n).tolist()


@torch.no_grad()
def logits_of(model: Transformer, ids: list[int]) -> np.ndarray:
    return model(torch.tensor([ids]))[0].numpy()


def assert_close(ours: np.ndarray, theirs: np.ndarray, atol: float = 1e-5) -> None:
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


@settings(deadline=None, max_examples=25)
@given(
    groups=st.sampled_from([(1, 1), (2, 1), (4, 4), (4, 2), (4, 1), (8, 2)]),
    head_dim=st.sampled_from([2, 6, 16]),
    n_layers=st.integers(1, 3),
    d_ff=st.sampled_from([1, 40, 96]),
    rope_theta=st.sampled_from([100.0, 10_000.0]),
    norm_eps=st.sampled_from([1e-5, 0.3]),
    tied=st.booleans(),
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=4).filter(lambda lengths: sum(lengths) <= 24),
)
def test_logits_equal_those_of_torch_in_pieces_of_any_length(groups, head_dim, n_layers, d_ff, rope_theta, norm_eps, tied, lengths):
    n_heads, n_kv_heads = groups
    shape = {"d_model": n_heads * head_dim, "n_layers": n_layers, "n_heads": n_heads, "n_kv_heads": n_kv_heads, "d_ff": d_ff}
    config = ModelConfig(vocab_size=257, context_length=24, rope_theta=rope_theta, norm_eps=norm_eps, tie_embeddings=tied, **shape)
    model = loud(config)
    ours, cache, ids = twin(model), Cache(config), drawn_ids(sum(lengths))
    pieces, unread = [], ids
    for length in lengths:
        pieces.append(ours(unread[:length], cache))
        unread = unread[length:]
    assert cache.n_tokens == len(ids)
    assert_close(np.concatenate(pieces), logits_of(model, ids))


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(),
        ModelConfig(vocab_size=512, context_length=512, d_model=64, n_layers=5, n_heads=8, n_kv_heads=4, d_ff=172),
        ModelConfig(vocab_size=32_000, d_model=288, n_layers=6, n_heads=6, n_kv_heads=6, d_ff=768),
    ],
    ids=["default", "stories260K", "stories15M"],
)
def test_logits_of_models_as_people_use_them_equal_those_of_torch(config):
    merges = [(bytes([i // 256]), bytes([i % 256])) for i in range(config.vocab_size - 257)]  # the text does not matter here
    model, ids = Transformer(config).eval(), drawn_ids(config.context_length, config.vocab_size)
    assert_close(twin(model, Tokenizer(merges))(ids), logits_of(model, ids))


def test_step_by_step_equals_all_at_once():
    model = twin(loud(SHAPE))
    ids, cache = drawn_ids(24), Cache(SHAPE)
    at_once = model(ids)
    assert at_once.std() > 0.3
    assert_close(np.concatenate([model([i], cache) for i in ids]), at_once)


def test_two_texts_do_not_mix():
    model = twin(loud(SHAPE))
    alone = list(model.generate_ids([1, 2, 3], max_new_tokens=30, **GREEDY))
    side_by_side = zip(model.generate_ids([1, 2, 3], max_new_tokens=30, **GREEDY), model.generate_ids([9], max_new_tokens=30, **GREEDY))
    assert [ids[0] for ids in side_by_side] == alone


@pytest.mark.parametrize("n_read", [1, 5, 24, 60])
def test_greedy_ids_equal_those_of_torch_also_beyond_the_context(n_read):
    model = loud(replace(SHAPE, tie_embeddings=False))  # a tied table of random numbers repeats what it read
    theirs = list(generate_ids(model, drawn_ids(n_read), max_new_tokens=60, **GREEDY))
    assert list(twin(model).generate_ids(drawn_ids(n_read), max_new_tokens=60, **GREEDY)) == theirs
    assert len(set(theirs)) > 3  # not one token over and over


@pytest.mark.parametrize("prompt", ["", "One day, Ana ", "A café"])
def test_the_shipped_model_writes_the_same_text(prompt):
    folder = MODELS / "storyworld"
    ours, theirs = NumpyModel.load(folder), load_model(folder)
    pieces = list(ours.generate(prompt, **GREEDY))
    assert pieces == list(generate(*theirs, prompt, **GREEDY))
    assert len(pieces) > 20
    ids = theirs[1].encode(prompt + "".join(pieces))
    logits = logits_of(theirs[0], ids)
    # Relative to the largest, which is above 20: PyTorch's own logits are 2e-5 from those computed in double precision.
    assert_close(ours(ids), logits, atol=5e-6 * abs(logits).max())


def test_the_end_mark_ends(monkeypatch):
    model = twin(loud(SHAPE))
    monkeypatch.setattr(model, "generate_ids", lambda ids, **settings: iter([*"é!".encode(), 256, 65]))
    assert list(model.generate("Hi")) == ["é", "!"]


def test_the_seed_decides():
    model = twin(loud(SHAPE))
    first, again, other = (list(model.generate_ids([256], max_new_tokens=30, temperature=1.0, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    vocab_size=st.sampled_from([1, 6, 300]),
    temperature=st.sampled_from([0.0, 1e-30, 0.5, 1.0, 3.0]),
    top_k=st.none() | st.integers(1, 9),
    top_p=st.sampled_from([0.05, 0.5, 0.93, 0.999, 1.0]),
    min_p=st.sampled_from([0.0, 0.01, 0.3, 1.0]),
)
def test_probabilities_equal_those_of_torch(seed, vocab_size, **rule):
    logits, probs = 2 * np.random.default_rng(seed).standard_normal(vocab_size, dtype=np.float32), np.zeros(vocab_size)
    tokens, probs_of_tokens = likeliest(logits, **rule)
    probs[tokens] = probs_of_tokens
    np.testing.assert_allclose(probs, next_token_probs(torch.tensor(logits), **rule).numpy(), rtol=1e-5, atol=1e-7)
    assert len(set(tokens)) == len(tokens) and (np.diff(probs_of_tokens) <= 0).all()


def test_tokens_are_drawn_as_often_as_they_are_likely(monkeypatch):
    monkeypatch.setattr(numpy_model, "likeliest", lambda logits, **rule: (np.array([7, 2, 5]), np.float32([0.5, 0.3, 0.2])))
    drawn = list(twin(loud(SHAPE)).generate_ids([0], max_new_tokens=4000))
    shares = np.bincount(drawn)[[7, 2, 5]] / 4000
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.03)  # four standard errors


def test_the_rules_of_writing_are_passed_on(monkeypatch):
    rule, given = {"temperature": 0.5, "top_k": 7, "top_p": 0.9, "min_p": 0.1}, []
    monkeypatch.setattr(numpy_model, "likeliest", lambda logits, **rule: given.append(rule) or likeliest(logits, **rule))
    next(twin(loud(SHAPE)).generate("Hi", **rule))
    assert given == [rule]


def test_torch_is_not_imported():
    folder = str(MODELS / "storyworld")
    code = f"import sys; from minilm.numpy_model import NumpyModel as M; next(M.load({folder!r}).generate('One')); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (drawn_ids(25), "25 tokens were given; this model was built for context_length 24"),
        ([], "ids is empty"),
        ([3, 257], "ids go from 3 to 257; the model knows 0 to 256"),
        ([-1, 3], "ids go from -1 to 3"),
    ],
)
def test_ids_that_cannot_be_read_are_refused(ids, message):
    model = twin(loud(SHAPE))
    with pytest.raises(ValueError, match=message):
        model(ids)


def test_only_ids_that_exist_are_continued():
    for ids in ([], [3, 257]):
        with pytest.raises(ValueError, match="ids "):
            next(twin(loud(SHAPE)).generate_ids(ids))


def test_a_full_cache_is_refused_and_keeps_what_it_has():
    model, cache = twin(loud(SHAPE)), Cache(SHAPE)
    model(drawn_ids(23), cache)
    with pytest.raises(ValueError, match="25 tokens were given"):
        model([1, 2], cache)
    assert cache.n_tokens == 23


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_p": 1.5}, {"top_k": 0}, {"min_p": 1.5}, {"max_new_tokens": 0}])
def test_settings_that_cannot_work_are_refused(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"{name} (is )?{value}"):
        next(twin(loud(SHAPE)).generate("Hi", **wrong))


@pytest.fixture
def folder(tmp_path):
    save_model(tmp_path / "m", Transformer(SHAPE), TOKENIZER, dtype=torch.float16)
    return tmp_path / "m"


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_or_damaged_file_is_named(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="holds no whole model"):
        NumpyModel.load(folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"m holds no whole model; name another folder.*No such file.*{name}"):
        NumpyModel.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_ff": 64}, r"blocks.0.mlp.down_proj.weight has shape \(64, 96\); the config means \(64, 64\)"),
        ({"n_kv_heads": 4}, r"blocks.0.attn.k_proj.weight has shape \(32, 64\); the config means \(64, 64\)"),
        ({"n_layers": 3}, r"blocks.2.attn.k_proj.weight has shape None; the config means \(32, 64\)"),
        ({"n_layers": 1}, r"blocks.1.attn.k_proj.weight has shape \(32, 64\); the config means None"),
        ({"tie_embeddings": False}, "lm_head.weight has shape None"),
        ({"vocab_size": 300}, "the tokenizer has 257 ids, the model 300"),
        ({"n_heads": 5}, "not a multiple of n_heads 5"),
        ({"width": 5}, "width"),
    ],
)
def test_a_config_of_another_model_is_refused(folder, changes, message):
    saved = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(saved | changes))
    with pytest.raises(ValueError, match=message):
        NumpyModel.load(folder)


def test_weights_of_any_float_type_give_float32(folder):
    half = NumpyModel.load(folder)
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor.double() for name, tensor in weights.items()}, folder / "model.safetensors")
    np.testing.assert_array_equal(half([1, 2, 3]), NumpyModel.load(folder)([1, 2, 3]))
    assert half.embed.dtype == half([1]).dtype == np.float32
    assert all(matrix.dtype == np.float32 and matrix.flags.c_contiguous for matrix in (*half.layers[0], half.head))
    save_file({name: tensor.bfloat16() for name, tensor in weights.items()}, folder / "model.safetensors")
    try:
        NumpyModel.load(folder)
    except ValueError as error:  # NumPy has no bfloat16 of its own
        assert "holds no whole model" in str(error)
