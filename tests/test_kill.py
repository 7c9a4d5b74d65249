"""Kill the training at random moments: what it left can always be read, and going on always works.

`pytest tests/test_kill.py --kills 20` does it more often. Every step saves, so that most kills fall into the writing of a checkpoint.
"""

import json
import random
import signal
import subprocess
import sys
import time

import torch

from minilm.checkpoint import load_model, newest_checkpoint

MAX_STEPS = 400
SETTINGS = """--context-length 32 --d-model 64 --n-layers 2 --n-heads 2 --n-kv-heads 2 --d-ff 128 --vocab-size 300 --batch-size 2
--precision float32 --compile no --device cpu --save-every 1 --eval-every 100 --log-every 1""".split()


def start(*words) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "minilm.cli", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def n_lines(log) -> int:
    return log.read_text().count("\n") if log.exists() else 0


def wait_for_a_new_line(process: subprocess.Popen, log, n_before: int) -> None:
    while process.poll() is None and n_lines(log) <= n_before:
        time.sleep(0.01)


def test_killing_at_any_moment_loses_nothing(tmp_path, request):
    (tmp_path / "tales.txt").write_text("\n<|endoftext|>\n".join(f"Ana saw {i} cats. They ran." for i in range(400)))
    common = ["--cache", tmp_path / "cache"]
    train = ["train", "--corpus", tmp_path / "tales.txt", *common, "--max-steps", MAX_STEPS, *SETTINGS]
    undisturbed = start(*train, "--out", tmp_path / "whole")
    assert undisturbed.wait() == 0, undisturbed.stdout.read()

    run, rng = tmp_path / "run", random.Random(0)
    log, n_kills = run / "log.jsonl", request.config.getoption("--kills")
    for kill in range(n_kills):
        command = ["resume", run, *common] if (run / "run.json").exists() else [*train, "--out", run]
        process = start(*command)
        wait_for_a_new_line(process, log, n_lines(log))
        time.sleep(rng.uniform(0, 0.3))
        assert process.poll() is None, f"it ended before kill {kill}: {process.stdout.read()}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        newest = newest_checkpoint(run)
        if newest:
            load_model(newest)
            assert json.loads((newest / "state.json").read_text())["step"] == int(newest.name.removeprefix("step-"))

    last = start("resume", run, *common)
    assert last.wait() == 0, last.stdout.read()
    whole, parts = (load_model(folder)[0].state_dict() for folder in (tmp_path / "whole", run))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert not list((run / "checkpoints").glob(".*")), "what the kills tore was not cleared away"
