"""What goes wrong outside, a full disk, a full memory, a file that was changed, is said clearly, and nothing that was saved is lost."""

import resource
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from minilm.checkpoint import load_model, newest_checkpoint
from minilm.cli import main
from minilm.config import ModelConfig, TrainConfig
from minilm.corpora import load_corpus
from minilm.data import token_file
from minilm.model import Transformer
from minilm.runs import read_record, resume_run, start_run
from minilm.tokenizer import Tokenizer
from minilm.train import OutOfMemory, Training, fix_steps, train
from tests.made import write_tales

SHAPE = ModelConfig(vocab_size=258, context_length=16, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)
CONFIG = TrainConfig(max_steps=9, batch_size=2, precision="float32", compile="no", device="cpu", eval_every=9, save_every=3, log_every=1)
TOKENIZER, OTHER = Tokenizer([(b"a", b"n")]), Tokenizer([(b"h", b"e")])  # of one size


class Stopped(Exception):
    """Stands for whatever ended a run."""


@pytest.fixture
def corpus(tmp_path):
    return load_corpus(write_tales(tmp_path / "tales"))


@pytest.fixture
def stopped(tmp_path, corpus):
    """A run that ended after five steps, and has saved after three."""

    def stop(line: dict) -> None:
        if line["step"] == 5:
            raise Stopped

    with pytest.raises(Stopped):
        start_run(tmp_path / "run", corpus, TOKENIZER, SHAPE, CONFIG, cache_dir=tmp_path / "cache", callbacks=[stop])
    assert newest_checkpoint(tmp_path / "run").name == "step-00000003"
    return tmp_path / "run"


@contextmanager
def small_disk(n_bytes: int = 50_000):
    """Let the system refuse every write beyond so many bytes of a file, as it does when a disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_spares_the_last_checkpoint(stopped, tmp_path, capsys):
    before = load_model(newest_checkpoint(stopped))[0].state_dict()
    with small_disk():
        assert main(["resume", str(stopped), "--cache", str(tmp_path / "cache")]) == 2
    said = capsys.readouterr().err
    assert "model.safetensors cannot be written" in said and "make room there. What was saved before is whole" in said
    assert newest_checkpoint(stopped).name == "step-00000003" and not list(stopped.rglob("*.part"))
    assert all(torch.equal(tensor, before[name]) for name, tensor in load_model(newest_checkpoint(stopped))[0].state_dict().items())
    assert resume_run(stopped, cache_dir=tmp_path / "cache")["result"]["n_tokens"] == 9 * 2 * 16


@pytest.mark.parametrize("n_lost", [1, 2, 101])  # bytes; an id has two
def test_a_cut_token_file_is_noticed(corpus, tmp_path, n_lost):
    ids = token_file(corpus, "train", TOKENIZER, tmp_path / "cache")
    path = next((tmp_path / "cache" / "tokens").iterdir())
    path.write_bytes(path.read_bytes()[:-n_lost])
    with pytest.raises(ValueError, match=f"{path.name} is damaged: it does not end as a story does. Delete it"):
        token_file(corpus, "train", TOKENIZER, tmp_path / "cache")
    path.unlink()
    assert len(token_file(corpus, "train", TOKENIZER, tmp_path / "cache")) == len(ids)


def test_a_token_file_that_lost_whole_stories_does_not_go_on_with_a_run(stopped, tmp_path):
    path = next((tmp_path / "cache" / "tokens").glob("*-train-*"))
    ids = np.fromfile(path, dtype=np.uint16)
    ids[: np.flatnonzero(ids == TOKENIZER.end_of_text)[30] + 1].tofile(path)
    with pytest.raises(ValueError, match="tokens, and had .* when the run began; delete that folder"):
        resume_run(stopped, cache_dir=tmp_path / "cache")
    shutil.rmtree(path.parent)
    assert "result" in resume_run(stopped, cache_dir=tmp_path / "cache")


def test_another_tokenizer_does_not_go_on_with_a_run(stopped, tmp_path):
    OTHER.save(stopped / "tokenizer.json")
    with pytest.raises(ValueError, match="is not the tokenizer that step-00000003 was trained with; put that one back"):
        resume_run(stopped, cache_dir=tmp_path / "cache")
    assert "result" not in read_record(stopped)
    shutil.copyfile(newest_checkpoint(stopped) / "tokenizer.json", stopped / "tokenizer.json")
    assert "result" in resume_run(stopped, cache_dir=tmp_path / "cache")


def gpu_is_full(*_):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has a total capacity of ...")


def cpu_is_full(*_):
    torch.empty(2**50)


@pytest.mark.parametrize(("fail", "reason"), [(gpu_is_full, "CUDA out of memory"), (cpu_is_full, "tried to allocate")])
def test_a_full_memory_says_what_to_lower(stopped, tmp_path, monkeypatch, capsys, fail, reason):
    monkeypatch.setattr(Training, "loss", fail)
    assert main(["resume", str(stopped), "--cache", str(tmp_path / "cache")]) == 1
    said = capsys.readouterr().err
    assert "the memory is full" in said and reason in said and "lower --batch-size (now 2)" in said and "Traceback" not in said
    assert "GPU 0" not in said
    monkeypatch.undo()
    assert "result" in resume_run(stopped, cache_dir=tmp_path / "cache")


def test_the_memory_may_also_fill_while_a_budget_is_measured_or_a_model_judged(corpus, tmp_path, monkeypatch):
    ids = token_file(corpus, "train", TOKENIZER, tmp_path / "cache")
    training = Training(Transformer(SHAPE), CONFIG.replace(max_steps=1), ids)
    monkeypatch.setattr("minilm.train.evaluate", gpu_is_full)
    with pytest.raises(OutOfMemory, match="Checkpoints written so far are whole"):
        train(training, ids, TOKENIZER, tmp_path)
    monkeypatch.setattr(Training, "loss", cpu_is_full)
    with pytest.raises(OutOfMemory, match="--accumulation-steps"):
        fix_steps(Training(Transformer(SHAPE), CONFIG.replace(max_steps=None, minutes=1), ids))


def test_other_faults_keep_their_own_words(corpus, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("shapes do not fit")

    ids = token_file(corpus, "train", TOKENIZER, tmp_path / "cache")
    monkeypatch.setattr(Training, "loss", fail)
    with pytest.raises(RuntimeError, match="^shapes do not fit$"):
        train(Training(Transformer(SHAPE), CONFIG, ids), ids, TOKENIZER, tmp_path)
