"""Two processes learn what one learns, stop and go on like one, and end clearly when one of them is lost.

On the CPU, through gloo. What needs two processes at once is done by `work`, which the fixture `two` starts twice; the tests look at what
it left.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

import minilm.data
import minilm.train
from minilm.checkpoint import load_model, newest_checkpoint
from minilm.cli import main
from minilm.config import RANK, ROOT, ModelConfig, TrainConfig
from minilm.corpora import SPLITS, Corpus, load_corpus
from minilm.data import encode_stories
from minilm.distributed import new_training, process_group, whole
from minilm.model import Transformer
from minilm.runs import resume_run, start_run
from minilm.tokenizer import Tokenizer
from minilm.train import Training, fix_steps, read_log, resume, train
from tests.made import free_port, interrupt_at

SHAPE = ModelConfig(vocab_size=257, context_length=16, d_model=64, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=64)
TOKENIZER = Tokenizer([])
STORIES = [f"{name} has a {thing}." for name in ("Ana", "Ben", "Cem", "Dua") for thing in ("cat", "dog", "cup", "hat")]
IDS = encode_stories(STORIES * 20, TOKENIZER)
VALID = IDS[:200]
CONFIG = TrainConfig(max_steps=12, batch_size=4, max_lr=6e-3, muon_lr=0.02, weight_decay=0.1, precision="float32", compile="no",
                     device="cpu", save_every=5, eval_every=6, log_every=4)  # fmt: skip
ACCUMULATING = {"optimizer": "adamw", "batch_size": 2, "accumulation_steps": 2}
CASES = {"copies": ({}, False), "copies, accumulating": (ACCUMULATING, False), "copies, bfloat16": ({"precision": "bfloat16"}, False),
         "copies, float16": ({"precision": "float16"}, False), "split": ({}, True), "split, accumulating": (ACCUMULATING, True),
         "split, float16": ({"precision": "float16"}, True)}  # fmt: skip
TOO_LARGE = {"scale": 2.0**34, "growth_factor": 2.0, "backoff_factor": 2.0**-20, "growth_interval": 3, "_growth_tracker": 0}
SHARED = {"copies": False, "split": True}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def training_of(shard: bool = False, ids=IDS, **changes) -> Training:
    return new_training(Transformer(SHAPE), CONFIG.replace(**changes), ids, shard)


def take_steps(training: Training, n_steps: int = 5) -> dict:
    training.scaler.load_state_dict(TOO_LARGE)  # says nothing to a training that is not in float16
    losses, norms = zip(*(map(torch.Tensor.item, training.update()) for _ in range(n_steps)))
    return {"losses": losses, "norms": norms, "scale": training.scaler.get_scale()}


def begin(run: Path, shard: bool = False) -> None:
    """Train until a Ctrl-C in the first process, noticed in step 7."""
    run.mkdir(exist_ok=True)
    with pytest.raises(KeyboardInterrupt):
        train(training_of(shard), VALID, TOKENIZER, run, callbacks=[interrupt_at(6)])


def go_on(run: Path, shard: bool = False) -> Training:
    training = training_of(shard)
    resume(training, run)
    assert training.step == 7
    train(training, VALID, TOKENIZER, run)
    return training


def work(folder: Path) -> None:
    """What each of the two processes does."""
    found = {}
    for name, (changes, shard) in CASES.items():
        training = training_of(shard, **changes)
        found[name] = take_steps(training)
        weights = {key: whole(tensor).clone() for key, tensor in training.model.state_dict().items()}
        save_file(weights, folder / f"{name}-{RANK}.safetensors")
        training.save(folder / f"{name} saved", TOKENIZER)
        again = training_of(shard, **changes)
        again.load(again.agree(newest_checkpoint(folder / f"{name} saved")))
        found[name]["loaded"] = again.scaler.get_scale()
    for name, shard in SHARED.items():
        begin(folder / f"{name} of two", shard)
        go_on(folder / f"one, then {name}", shard)
    rows, encode = [], minilm.data.map_in_order
    minilm.data.map_in_order = lambda *arguments: rows.append(arguments) or encode(*arguments)
    start_run(folder / "run", load_corpus(folder / "tales"), TOKENIZER, SHAPE, CONFIG.replace(max_steps=1), cache_dir=folder / "cache")
    found["encoded"] = len(rows)
    if RANK == 1:  # a clock that runs faster, so that this process would take fewer steps on trial and fewer in all
        minilm.train.time = SimpleNamespace(perf_counter=lambda: 5 * time.perf_counter())
    training = training_of(max_steps=None, minutes=0.02)
    fix_steps(training, trial_seconds=0.2)
    found["max_steps"] = training.config.max_steps
    for name, wrong in {"odd batch": {"batch_size": 3}, "other text": {"ids": IDS[: len(IDS) - RANK]}}.items():
        try:
            training_of(**wrong)
        except ValueError as error:
            found[name] = str(error)
    (folder / f"found-{RANK}.json").write_text(json.dumps(found))


def corpus_in(folder: Path) -> Corpus:
    (folder / "tales").mkdir()
    for split in SPLITS:
        (folder / "tales" / f"{split}.txt").write_text("\n\n".join(STORIES * 4))
    return load_corpus(folder / "tales")


def start_two(*words) -> list[subprocess.Popen]:
    """Start a command twice, as torchrun does, but with processes that can be told apart."""
    common = ENVIRONMENT | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    return [subprocess.Popen([sys.executable, *map(str, words)], env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for rank in range(2)]  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """The folder in which two processes did their work."""
    folder = tmp_path_factory.mktemp("two")
    corpus_in(folder)
    for name in SHARED:
        begin(folder / f"one, then {name}")
    processes = start_two(__file__, folder)
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    return folder


def found(two: Path, rank: int = 0) -> dict:
    return json.loads((two / f"found-{rank}.json").read_text())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, dict]:
    """The run of one process from beginning to end, and its weights."""
    run, training = tmp_path_factory.mktemp("undisturbed"), training_of()
    train(training, VALID, TOKENIZER, run)
    return run, training.model.state_dict()


def assert_close(ours: dict, theirs: dict, atol: float = 2e-4) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert (tensor - theirs[name]).abs().max() <= atol, name


@pytest.mark.parametrize("name", CASES)
def test_two_processes_take_the_steps_of_one(two, name):
    changes, _ = CASES[name]
    one, both = training_of(**changes), found(two)[name]
    expected, rtol = take_steps(one), 1e-2 if "float16" in name else 1e-4
    assert both["losses"] == pytest.approx(expected["losses"], rel=rtol)
    assert both["norms"] == pytest.approx(expected["norms"], rel=5 * rtol, nan_ok=True)
    assert both["scale"] == both["loaded"] == found(two, 1)[name]["loaded"] == expected["scale"] == (2.0**15 if "float16" in changes.values() else 1.0)
    first, second = (load_file(two / f"{name}-{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first), "the processes have grown apart"
    assert_close(first, one.model.state_dict(), atol=2e-2 if "float16" in name else 2e-4)


@pytest.mark.parametrize("name", SHARED)
def test_one_goes_on_with_what_two_began(two, undisturbed, tmp_path, name):
    run = shutil.copytree(two / f"{name} of two", tmp_path / "run")
    assert newest_checkpoint(run).name == "step-00000007"  # both stopped in the step in which the first was interrupted
    assert_close(go_on(run).model.state_dict(), undisturbed[1])


@pytest.mark.parametrize("name", SHARED)
def test_two_go_on_with_what_one_began(two, undisturbed, name):
    run = two / f"one, then {name}"
    assert_close(load_model(run)[0].state_dict(), undisturbed[1])
    assert read_log(run)[-1]["valid_bits_per_byte"] == pytest.approx(read_log(undisturbed[0])[-1]["valid_bits_per_byte"], rel=1e-3)


@pytest.mark.parametrize("name", SHARED)
def test_a_checkpoint_does_not_show_how_many_wrote_it(two, undisturbed, name):
    ours, theirs = newest_checkpoint(two / f"{name} of two"), newest_checkpoint(undisturbed[0])
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())
    for file in ("model.safetensors", "training.safetensors"):
        ours_is, theirs_is = ({key: (x.shape, x.dtype) for key, x in load_file(folder / file).items()} for folder in (ours, theirs))
        assert ours_is == theirs_is


@pytest.mark.parametrize("name", SHARED)
def test_only_the_first_keeps_the_log(two, name):
    log = read_log(two / f"one, then {name}")
    assert [line["step"] for line in log] == [4, 5, 6, 7, 8, 10, 12]
    assert [line["tokens"] for line in log] == [64 * line["step"] for line in log]  # of both together


def test_only_the_first_encodes(two):
    assert [found(two, rank)["encoded"] for rank in range(2)] == [2, 0]


def test_all_agree_on_the_steps_of_a_budget_in_minutes(two):
    assert found(two, 0)["max_steps"] == found(two, 1)["max_steps"] > 1


def test_what_cannot_be_shared_is_refused(two):
    for rank in range(2):
        assert "batch_size is 3, which 2 processes cannot share equally; take a multiple of 2" in found(two, rank)["odd batch"]
        assert "the processes read different texts" in found(two, rank)["other text"]
    with pytest.raises(ValueError, match="this is the only one; start them by torchrun"):
        training_of(shard=True)


SHAPE_OF_A_RUN = "--context-length 32 --d-model 64 --n-layers 2 --n-heads 2 --n-kv-heads 2 --d-ff 128 --vocab-size 300 --batch-size 2"
SETTINGS = "--precision float32 --compile no --device cpu --save-every 5 --eval-every 500 --log-every 5"


SMALL_DISK = """import resource, sys
from minilm.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))  # bytes of a file; more are refused, as by a full disk
sys.exit(main(sys.argv[1:]))"""


def train_until_one_is_killed(folder: Path, rank: int) -> tuple[Path, list[str]]:
    """Start a run that would never end, kill one of its two processes after a checkpoint; return the run and the words for the cache.

    The other must end by itself, with a clear message, and the checkpoint be whole.
    """
    (folder / "tales.txt").write_text("\n<|endoftext|>\n".join(f"Ana saw {i} cats. They ran." for i in range(400)))
    run, cache = folder / "run", ["--cache", str(folder / "cache")]
    words = ["train", "--corpus", folder / "tales.txt", "--out", run, *cache, "--max-steps", 10**6]
    processes = start_two("-m", "minilm.cli", *words, *SHAPE_OF_A_RUN.split(), *SETTINGS.split())
    lost, left = processes[rank], processes[1 - rank]
    deadline = time.monotonic() + 100
    while newest_checkpoint(run) is None and left.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    lost.send_signal(signal.SIGKILL)
    said, _ = left.communicate(timeout=60)
    lost.communicate()
    assert left.returncode == 1 and f"minilm: process {1 - rank} stops, because another of the 2 has ended" in said and "Traceback" not in said
    load_model(newest_checkpoint(run))
    return run, cache


def shorten(run: Path) -> int:
    """Let a run end three steps after its last line of the log; return that step."""
    record = json.loads((run / "run.json").read_text())
    record["training"]["max_steps"] = step = read_log(run)[-1]["step"] + 3
    (run / "run.json").write_text(json.dumps(record))
    return step


def test_a_lost_process_ends_the_training_and_nothing_else(tmp_path):
    run, cache = train_until_one_is_killed(tmp_path, rank=1)
    assert not list(run.rglob("*.part"))
    step = shorten(run)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "minilm.cli"]
    done = subprocess.run([*torchrun, "resume", run, *cache, "--shard"], env=ENVIRONMENT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Now try: minilm generate") == 1  # one speaks for both
    record = json.loads((run / "run.json").read_text())
    assert record["result"]["n_tokens"] == step * 2 * 32 and record["resumed"][0]["processes"] == 2
    assert main(["generate", str(run), "--max-new-tokens", "5"]) == 0


def test_one_goes_on_where_the_first_of_two_was_lost(tmp_path):
    run, cache = train_until_one_is_killed(tmp_path, rank=0)
    n_tokens = shorten(run) * 2 * 32
    assert main(["resume", str(run), *cache]) == 0
    record = json.loads((run / "run.json").read_text())
    assert record["result"]["n_tokens"] == n_tokens and record["resumed"][0]["processes"] == 1
    assert not list(run.rglob("*.part"))  # nor what the first may have been writing


def test_a_full_disk_ends_all_processes_and_spares_the_last_checkpoint(tmp_path):
    run, cache, corpus = tmp_path / "run", tmp_path / "cache", corpus_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        start_run(run, corpus, TOKENIZER, SHAPE, CONFIG, cache_dir=cache, callbacks=[interrupt_at(6)])
    first, second = start_two("-c", SMALL_DISK, "resume", run, "--cache", cache)
    said = [process.communicate(timeout=100)[0] for process in (first, second)]
    assert first.returncode == 2 and "cannot be written" in said[0] and "make room there. What was saved before is whole" in said[0]
    assert second.returncode == 1 and "minilm: process 1 stops, because another of the 2 has ended" in said[1]
    assert "Traceback" not in said[0] + said[1] and not list(run.rglob("*.part"))
    assert newest_checkpoint(run).name == "step-00000007"
    assert resume_run(run, cache_dir=cache)["result"]["n_tokens"] == 12 * 4 * 16


if __name__ == "__main__":
    with process_group(timedelta(minutes=2)):
        work(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # on a busy machine gloo's threads may still be ending, and then the interpreter's own end aborts the process
