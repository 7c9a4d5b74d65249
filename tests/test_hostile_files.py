"""Files that are cut, swapped, of another kind, or made to do harm: every loader says which file, and what is wrong with it.

A damage that must be seen leads to a ValueError or an OSError that names the file and says more than a key. Some damages cannot be seen, such as one
flipped bit of a weight: then what is loaded is a model like any other, or the same complaint. Nothing is ever written on the way.
"""

import ast
import json
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from minilm.checkpoint import load_checkpoint, load_model, newest_checkpoint, save_checkpoint, save_model
from minilm.config import ROOT, ModelConfig, TrainConfig
from minilm.corpora import load_corpus
from minilm.course import progress
from minilm.data import token_file
from minilm.export import EXPORTS, import_hf
from minilm.items import Item, read_items, write_items
from minilm.model import Transformer
from minilm.numpy_model import NumpyModel
from minilm.optim import build_optimizers
from minilm.runs import read_record, record_run, resume_run, start_run
from minilm.scaling import read_points
from minilm.tokenizer import Tokenizer
from minilm.train import read_log
from minilm.trials import read_table
from tests.made import write_tales

SHAPE = ModelConfig(vocab_size=258, context_length=16, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)
CONFIG = TrainConfig(max_steps=2, batch_size=2, precision="float32", compile="no", device="cpu", eval_every=2, save_every=1, log_every=1)
TOKENIZER, OTHER = Tokenizer([(b"a", b"n")]), Tokenizer([(b"h", b"e"), (b"he", b"n")])
MODEL_FILES = ("config.json", "tokenizer.json", "model.safetensors")


def make_model(folder: Path) -> None:
    save_model(folder, Transformer(SHAPE), TOKENIZER)


def make_checkpoint(folder: Path) -> None:
    model = Transformer(SHAPE)
    optimizers = build_optimizers(model, CONFIG)
    model(torch.arange(8)[None]).square().mean().backward()
    for optimizer in optimizers:
        optimizer.step()
    save_checkpoint(folder, 1, model, TOKENIZER, optimizers)


def load_newest(folder: Path) -> int:
    model = Transformer(SHAPE)
    return load_checkpoint(newest_checkpoint(folder), model, build_optimizers(model, CONFIG))


def make_run(folder: Path) -> None:
    start_run(folder / "run", load_corpus(write_tales(folder / "tales")), TOKENIZER, SHAPE, CONFIG, cache_dir=folder / "cache")
    record = read_record(folder / "run")
    record = {key: value for key, value in record.items() if key != "result"} | {"corpus": {**record["corpus"], "train": "tales/train.txt", "valid": "tales/valid.txt"}}
    (folder / "run" / "run.json").write_text(json.dumps(record))


def go_on(folder: Path) -> dict:
    """Go on with the run, which has nothing left to do; its corpus lies beside it, wherever it was copied to."""
    record = folder / "run" / "run.json"
    if record.is_file():
        record.write_bytes(record.read_bytes().replace(b'"tales/', f'"{folder}/tales/'.encode()))
    return resume_run(folder / "run", cache_dir=folder / "cache")


def make_finished(folder: Path) -> None:
    make_run(folder)
    go_on(folder)
    record_run(folder / "run", "tales", folder / "records")


def make_hf(folder: Path) -> None:
    EXPORTS["hf"](Transformer(SHAPE), TOKENIZER, folder / "hf")


def make_items(folder: Path) -> None:
    write_items(folder / "set.jsonl", [Item(context="Ana saw", choices=(" Ben", " Mia"), answer=i % 2, kind="", source="") for i in range(3)])


def make_points(folder: Path) -> None:
    (folder / "points.csv").write_text("parameters,tokens,loss\n" + "".join(f"{10**i},{10**i},{5 - i / 2}\n" for i in range(3, 8)))


def make_tales(folder: Path) -> None:
    (folder / "tales.txt").write_text("\n<|endoftext|>\n".join(f"Ana saw {i} cats at the café." for i in range(200)), encoding="utf-8")


def read_progress(folder: Path) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "WORK", folder)
        return progress.read()


def make_progress(folder: Path) -> None:
    (folder / "progress.json").write_text(json.dumps({"exercises": {"02.1": {"attempts": 1, "passed": "2026-11-30"}}, "quizzes": {}}))


def ids_of(folder: Path) -> np.ndarray:
    return token_file(load_corpus(folder / "tales.txt"), "train", TOKENIZER, folder)


def make_ids(folder: Path) -> None:
    make_tales(folder)
    ids_of(folder)
    next((folder / "tokens").iterdir()).rename(folder / "tokens" / "ids.bin")


def load_ids(folder: Path) -> np.ndarray:
    name = f"tales.txt-{load_corpus(folder / 'tales.txt').fingerprint}-train-{TOKENIZER.fingerprint}.bin"
    (folder / "tokens" / "ids.bin").rename(folder / "tokens" / name)
    try:
        return ids_of(folder)
    finally:
        if (folder / "tokens" / name).exists():
            (folder / "tokens" / name).rename(folder / "tokens" / "ids.bin")


CHECKPOINT = "checkpoints/step-00000001"
# What is read: how it is made, how it is loaded, and its files.
THINGS: dict[str, tuple[Callable, Callable, tuple[str, ...]]] = {
    "model": (lambda f: make_model(f / "m"), lambda f: load_model(f / "m"), tuple(f"m/{name}" for name in MODEL_FILES)),
    "numpy": (lambda f: make_model(f / "m"), lambda f: NumpyModel.load(f / "m"), tuple(f"m/{name}" for name in MODEL_FILES)),
    "checkpoint": (make_checkpoint, load_newest, tuple(f"{CHECKPOINT}/{name}" for name in (*MODEL_FILES, "training.safetensors", "state.json"))),
    "run": (make_run, go_on, ("run/run.json", "run/tokenizer.json", "run/log.jsonl")),
    "table": (make_finished, lambda f: record_run(f / "run", "tales", f / "records"), ("records/tales/runs.csv", "run/run.json")),
    "rows": (make_finished, lambda f: read_table("tales", f / "records"), ("records/tales/runs.csv",)),
    "log": (make_finished, lambda f: read_log(f / "run"), ("run/log.jsonl",)),
    "hf": (make_hf, lambda f: import_hf(f / "hf"), tuple(f"hf/{name}" for name in MODEL_FILES)),
    "items": (make_items, lambda f: read_items(f / "set.jsonl"), ("set.jsonl",)),
    "points": (make_points, lambda f: read_points(f / "points.csv"), ("points.csv",)),
    "corpus": (make_tales, lambda f: list(load_corpus(f / "tales.txt").stories("train")), ("tales.txt",)),
    "ids": (make_ids, load_ids, ("tokens/ids.bin",)),
    "progress": (make_progress, read_progress, ("progress.json",)),
}
WHOLE = {"json", "safetensors"}  # a part of such a file is no file; of a table or a text it is a shorter one

# Damages: what becomes of the bytes of a file. Must be seen in a file of the kinds named, may be seen in others.
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda b: b"", "json safetensors csv jsonl txt bin"),
    "a third": (lambda b: b[: len(b) // 3], "json safetensors"),
    "without the last bytes": (lambda b: b[: len(b.rstrip()) - 1], "json safetensors"),
    "zeros": (lambda b: bytes(len(b)), "json safetensors jsonl bin"),
    "noise": (lambda b: random.Random(0).randbytes(len(b)), "json safetensors csv jsonl txt"),
    "UTF-16": (lambda b: b.decode("latin-1").encode("utf-16"), "json safetensors csv jsonl txt"),
    "twice": (lambda b: b + b, "json safetensors"),
    "deep": (lambda b: b"[" * 200_000, "json safetensors csv jsonl"),
    "deep, and whole": (lambda b: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json safetensors csv jsonl"),
    "a list": (lambda b: b"[1, 2]", "json safetensors csv jsonl"),
    "null": (lambda b: b"null", "json safetensors csv jsonl"),
    "a number": (lambda b: b"1e999", "json safetensors csv jsonl"),
    "an empty object": (lambda b: b"{}", "json safetensors csv jsonl"),
    "a page": (lambda b: b"<!DOCTYPE html><html>not found</html>", "json safetensors csv jsonl"),
    "a pickle": (lambda b: b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.", "json safetensors csv jsonl txt"),
    "a huge header": (lambda b: struct.pack("<Q", 2**63 - 1) + b[8:], "safetensors"),
    "a header longer than the file": (lambda b: struct.pack("<Q", len(b)) + b[8:], "safetensors"),
    "no header": (lambda b: struct.pack("<Q", 0) + b[8:], "safetensors"),
    "a long line": (lambda b: b"9" * 300_000, "json safetensors csv jsonl"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Everything that is read, made once; tests damage copies."""
    folder = tmp_path_factory.mktemp("made")
    for name, (make, _, _) in THINGS.items():
        (folder / name).mkdir()
        make(folder / name)
    return folder


def files_of(*kinds: str) -> list:
    return [pytest.param(name, file, id=f"{name}-{file}") for name, (_, _, files) in THINGS.items() for file in files if not kinds or Path(file).suffix[1:] in kinds]


def complaint(load: Callable, folder: Path, file: str) -> str:
    """What a loader says; nothing if it loads. Fails for any answer that is no clear one, and for anything written."""
    before = {path for path in folder.rglob("*") if path.is_file()}
    try:
        load(folder)
    except (ValueError, OSError) as error:
        said = str(error)
        assert Path(file).name in said or Path(file).parent.name in said, f"no file is named: {said[:300]}"
        assert 60 < len(said) < 2000, f"too short or too long: {said[:300]}"
        assert {path for path in folder.rglob("*") if path.is_file()} <= before, "something was written"
        return said
    return ""


@pytest.fixture
def damaged(made, tmp_path):
    """Damage a copy of a thing again and again, and hear what its loader says."""
    def try_(name: str, file: str, damage: Callable[[bytes], bytes]) -> str:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        shutil.copytree(made / name, tmp_path / name)
        path = tmp_path / name / file
        path.write_bytes(damage(path.read_bytes()))
        return complaint(THINGS[name][1], tmp_path / name, file)

    return try_


@pytest.mark.parametrize("name, file", files_of())
def test_what_is_whole_is_read(damaged, name, file):
    assert damaged(name, file, bytes) == ""


@pytest.mark.parametrize("name, file", files_of())
@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_named(damaged, name, file, kind):
    damage, seen_in = DAMAGES[kind]
    said = damaged(name, file, damage)
    optional = (name, file) in (("run", "run/log.jsonl"), ("log", "run/log.jsonl"))
    assert said or Path(file).suffix[1:] not in seen_in.split() or optional, "it was loaded"


@pytest.mark.parametrize("name, file", files_of("json", "safetensors"))
def test_a_file_cut_anywhere_is_not_read(damaged, made, name, file):
    n = len((made / name / file).read_bytes().rstrip())
    places = sorted({*range(12), *range(0, n, max(1, n // 25)), n - 2, n - 1} & set(range(n)))
    assert not [place for place in places if not damaged(name, file, lambda whole, place=place: whole[:place])]


@pytest.mark.parametrize("name, file", files_of())
def test_flipped_bits_are_seen_or_do_no_harm(damaged, made, name, file):
    """Bits of the head of a file, where lengths, names and shapes stand; and some of the rest."""
    n, chance = (made / name / file).stat().st_size, random.Random(file)
    places = [(chance.randrange(min(n, 1500)), chance.randrange(8)) for _ in range(25)] + [(chance.randrange(n), chance.randrange(8)) for _ in range(5)]

    for place, bit in places:
        damaged(name, file, lambda whole, place=place, bit=bit: whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])


@pytest.mark.parametrize("name, file", files_of())
@pytest.mark.parametrize("instead", ["a folder", "a link to nothing", "a link to itself", "nothing"])
def test_what_is_no_file_is_named(made, tmp_path, name, file, instead):
    shutil.copytree(made / name, tmp_path / name)
    path = tmp_path / name / file
    path.unlink()
    if instead == "a folder":
        path.mkdir()
    elif instead != "nothing":
        path.symlink_to(path if instead.endswith("itself") else tmp_path / "nowhere")
    said = complaint(THINGS[name][1], tmp_path / name, file)
    may_be_missing = (name, file) in (("progress", "progress.json"), ("rows", "records/tales/runs.csv"), ("table", "records/tales/runs.csv"), ("ids", "tokens/ids.bin"), ("run", "run/log.jsonl"))
    assert said or (may_be_missing and instead != "a folder")


# What is well formed and still cannot be


def change(**changes) -> Callable[[bytes], bytes]:
    return lambda whole: json.dumps(json.loads(whole) | changes).encode()


CONFIGS = [
    {"n_layers": 10**9}, {"n_layers": 2}, {"n_layers": 1.0}, {"n_layers": "1"}, {"n_layers": True}, {"n_layers": None}, {"n_layers": [1]},
    {"context_length": 10**12}, {"context_length": 2**62}, {"d_model": 64.0}, {"d_model": 10**15}, {"d_ff": 2**70}, {"vocab_size": 259}, {"vocab_size": 10**18},
    {"n_heads": 0}, {"n_kv_heads": -1}, {"rope_theta": float("nan")}, {"rope_theta": float("inf")}, {"rope_theta": "10000"}, {"rope_theta": 0},
    {"norm_eps": float("nan")}, {"norm_eps": -1}, {"tie_embeddings": "no"}, {"tie_embeddings": None}, {"tie_embeddings": False}, {"another": 1},
]  # fmt: skip


@pytest.mark.parametrize("name", ["model", "numpy"])
@pytest.mark.parametrize("changes", CONFIGS, ids=str)
def test_a_config_that_cannot_be_is_named(damaged, name, changes):
    assert damaged(name, "m/config.json", change(**changes))


@pytest.mark.parametrize("changes", [
    {"pattern": "("}, {"pattern": 3}, {"pattern": None}, {"special_tokens": "abc"}, {"special_tokens": [1]}, {"special_tokens": [""]}, {"special_tokens": ["\ud83d"]}, {"special_tokens": {"a": 1}},
    {"special_tokens": ["<|endoftext|>"] * 2}, {"merges": None}, {"merges": [["a"]]}, {"merges": [["a", "n", "x"]]}, {"merges": [["an", "n"]]}, {"merges": [["a", "n"]] * 2},
    {"merges": [["漢", "n"]]}, {"merges": {"a": "n"}}, {"merges": [[1, 2]]}, {"merges": [["", "n"]]},
], ids=str)  # fmt: skip
def test_a_tokenizer_that_cannot_be_is_named(damaged, changes):
    assert damaged("model", "m/tokenizer.json", change(**changes))


def with_weights(spoil: Callable[[dict], dict], tmp: Path) -> Callable[[bytes], bytes]:
    def damage(whole: bytes) -> bytes:
        (tmp / "w.safetensors").write_bytes(whole)
        save_file(spoil(load_file(tmp / "w.safetensors")), tmp / "w2.safetensors")
        return (tmp / "w2.safetensors").read_bytes()

    return damage


def first(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict], dict]:
    return lambda weights: weights | {(name := max(weights, key=lambda name: weights[name].numel())): change(weights[name])}


SPOILT = {
    "one NaN": first(lambda w: torch.cat([w.flatten()[:-1], torch.tensor([float("nan")])]).reshape(w.shape)),
    "one infinity": first(lambda w: torch.cat([w.flatten()[:-1], torch.tensor([float("-inf")])]).reshape(w.shape)),
    "whole numbers": first(lambda w: w.to(torch.int64)),
    "truth values": first(lambda w: w > 0),
    "complex numbers": first(lambda w: w.to(torch.complex64)),
    "turned round": first(lambda w: w.T.contiguous()),
    "flat": first(lambda w: w.flatten()),
    "empty": first(lambda w: w[:0]),
    "one too many": lambda weights: weights | {"lm_tail.weight": torch.zeros(3)},
    "one missing": lambda weights: dict(list(weights.items())[1:]),
    "none": lambda weights: {},
}


@pytest.mark.parametrize("name, file", [("model", "m/model.safetensors"), ("numpy", "m/model.safetensors"), ("hf", "hf/model.safetensors"), ("checkpoint", f"{CHECKPOINT}/model.safetensors")])
@pytest.mark.parametrize("kind", SPOILT)
def test_weights_that_cannot_be_are_named(damaged, tmp_path, name, file, kind):
    assert damaged(name, file, with_weights(SPOILT[kind], tmp_path))


STATES = {
    "no random state": lambda t: {name: w for name, w in t.items() if name != "random_state"},
    "a short random state": lambda t: t | {"random_state": t["random_state"][:5]},
    "a random state of floats": lambda t: t | {"random_state": t["random_state"].float()},
    "an optimizer too many": lambda t: t | {"7.0.exp_avg": torch.zeros(1)},
    "a parameter too many": lambda t: t | {"0.999.exp_avg": torch.zeros(1)},
    "a name without numbers": lambda t: t | {"abc": torch.zeros(1)},
    "a name with words": lambda t: t | {"a.b.c": torch.zeros(1)},
    "memory of another shape": lambda t: {name: w[:1] if w.ndim > 1 else w for name, w in t.items()},
    "memory missing": lambda t: {"random_state": t["random_state"]},
}


@pytest.mark.parametrize("kind", STATES)
def test_an_optimizers_memory_that_cannot_be_is_named(damaged, tmp_path, kind):
    assert damaged("checkpoint", f"{CHECKPOINT}/training.safetensors", with_weights(STATES[kind], tmp_path))


@pytest.mark.parametrize("state", [{"step": None}, {"step": "1"}, {"step": -1}, {"step": 1.5}, {"step": True}], ids=str)
def test_a_place_in_the_run_that_cannot_be_is_named(damaged, state):
    assert damaged("checkpoint", f"{CHECKPOINT}/state.json", change(**state))


RECORDS = [
    {"corpus": None}, {"corpus": {}}, {"corpus": {"name": 1, "train": 2, "valid": 3, "fingerprint": 4}}, {"model": {}}, {"model": {"d_model": "x"}}, {"model": None}, {"training": None}, {"training": {}},
    {"training": {"seed": "x", "max_steps": 1}}, {"training": {"max_steps": -1}}, {"train_tokens": None}, {"train_tokens": "many"}, {"resumed": 3}, {"result": 3}, {"result": {}}, {"environment": None},
]  # fmt: skip


@pytest.mark.parametrize("name", ["run", "table"])
@pytest.mark.parametrize("changes", RECORDS, ids=str)
def test_a_record_that_cannot_be_is_named(damaged, name, changes):
    said = damaged(name, "run/run.json", change(**changes))
    harmless = {("table", "resumed"), ("run", "result"), ("run", "environment"), ("table", "training")}
    names_are_numbers = name == "table" and changes.get("corpus")  # and are kept as they are
    assert said or (name, *changes) in harmless or names_are_numbers


def swapped(folder: Path, theirs: Path, name: str) -> None:
    shutil.copyfile(theirs / name, folder / name)


@pytest.mark.parametrize("load", [load_model, NumpyModel.load], ids=["torch", "numpy"])
@pytest.mark.parametrize("file", MODEL_FILES)
@pytest.mark.parametrize("theirs", [{"d_model": 128}, {"n_layers": 2}, {"d_ff": 128}, {"vocab_size": 259}, {"tie_embeddings": False}, {"n_kv_heads": 2}], ids=str)
def test_files_of_two_models_are_not_taken_for_one(tmp_path, load, file, theirs):
    other = ModelConfig(**asdict(SHAPE) | theirs)
    save_model(tmp_path / "ours", Transformer(SHAPE), TOKENIZER)
    save_model(tmp_path / "theirs", Transformer(other), OTHER if other.vocab_size == 259 else TOKENIZER)
    swapped(tmp_path / "ours", tmp_path / "theirs", file)
    same = (tmp_path / "ours" / file).read_bytes() == (tmp_path / "theirs" / file).read_bytes() and file == "tokenizer.json" and other.vocab_size == 258
    assert bool(complaint(load, tmp_path / "ours", ".")) is not same


@pytest.mark.parametrize("path", sorted((ROOT / "minilm").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_pickle_is_ever_read_from_a_file(path):
    """`torch.load` is nowhere; what `pickle` is used for stays in memory: `loads` of what `dumps` made in the same function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert (getattr(node.value, "id", ""), node.attr) not in {("torch", "load"), ("np", "load"), ("numpy", "load"), ("pickle", "load"), ("joblib", "load"), ("shelve", "open"), ("marshal", "load")}
            assert node.attr not in {"read_pickle", "Unpickler", "allow_pickle"}
        if isinstance(node, ast.ImportFrom):
            assert node.module not in {"pickle", "shelve", "marshal", "dill", "joblib"}
        if isinstance(node, ast.FunctionDef):
            called = [inner.func.attr for inner in ast.walk(node) if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and getattr(inner.func.value, "id", "") == "pickle"]
            assert "loads" not in called or "dumps" in called or path.name == "questions.py"
