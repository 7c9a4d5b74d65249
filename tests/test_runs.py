"""A run's folder says how it came about; tables and cards made from it hold its numbers and nobody's paths."""

import csv
import json
import subprocess
import sys

import pytest

from minilm.checkpoint import load_model
from minilm.config import ModelConfig, TrainConfig
from minilm.corpora import load_corpus, read_stories
from minilm.data import encode_stories
from minilm.evaluate import evaluate
from minilm.runs import forget_peak_memory, peak_memory_bytes, read_record, record_run, resume_run, ship_run, start_run
from minilm.tokenizer import Tokenizer
from tests.made import write_tales

SHAPE = ModelConfig(vocab_size=257, context_length=16, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)
CONFIG = TrainConfig(max_steps=6, batch_size=2, precision="float32", compile="no", device="cpu", eval_every=3, save_every=3, log_every=1)
TOKENIZER = Tokenizer([])


@pytest.fixture
def run(tmp_path):
    corpus = load_corpus(write_tales(tmp_path / "tales", "Ana saw {} cats. They ran."))
    start_run(tmp_path / "run", corpus, TOKENIZER, SHAPE, CONFIG, command="minilm train", cache_dir=tmp_path / "cache")
    return tmp_path / "run"


def test_the_record_says_what_was_asked_and_what_came_out(run, tmp_path):
    record = read_record(run)
    assert record["model"] == vars(SHAPE) and record["training"] == vars(CONFIG)
    assert record["n_params"] == record["n_params_without_embeddings"] + 257 * 64
    result = record["result"]
    assert result["n_tokens"] == 6 * 2 * 16 and result["seconds"] > 0 and result["peak_memory_bytes"] > 50e6
    model, tokenizer = load_model(run)
    judged = evaluate(model, encode_stories(read_stories(tmp_path / "tales" / "valid.txt"), tokenizer), tokenizer)
    assert result["valid_bits_per_byte"] == pytest.approx(judged.bits_per_byte, rel=1e-6)


def test_a_run_is_never_overwritten(run, tmp_path):
    with pytest.raises(FileExistsError, match="already holds a run; go on with it by `minilm resume"):
        start_run(run, load_corpus(write_tales(tmp_path / "other")), TOKENIZER, SHAPE, CONFIG)


def test_a_finished_run_is_left_alone_when_resumed(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert resume_run(run) == read_record(run)
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def unfinished(run):
    record = read_record(run)
    del record["result"]
    (run / "run.json").write_text(json.dumps(record))


def test_a_resumed_run_says_from_which_step_and_on_what_machine(run, tmp_path):
    unfinished(run)
    record = resume_run(run, cache_dir=tmp_path / "cache")
    (part,) = record["resumed"]
    assert part["step"] == 6 and part["threads"] == record["environment"]["threads"] and read_record(run) == record
    table = record_run(run, "first", folder=tmp_path / "runs")
    assert next(csv.DictReader(table.open()))["resumed_at_steps"] == "6"


def test_a_changed_or_missing_text_is_noticed(run, tmp_path):
    unfinished(run)
    text = tmp_path / "tales" / "train.txt"
    text.write_text(text.read_text().replace("Ana", "Ben"))
    with pytest.raises(ValueError, match="has changed since the run began"):
        resume_run(run, cache_dir=tmp_path / "cache")
    text.unlink()
    with pytest.raises(FileNotFoundError, match="the text of this run is gone"):
        resume_run(run, cache_dir=tmp_path / "cache")


def test_a_damaged_record_and_a_folder_without_one_say_so(run, tmp_path):
    (run / "run.json").write_text('{"comm')
    with pytest.raises(ValueError, match="run.json is not a whole record of a run"):
        resume_run(run)
    with pytest.raises(FileNotFoundError, match="there is no run in"):
        resume_run(tmp_path)


def test_a_recorded_run_is_one_row_without_local_paths(run, tmp_path):
    record_run(run, "first", folder=tmp_path / "runs")
    table = record_run(run, "first", folder=tmp_path / "runs")
    (row,) = csv.DictReader(table.open())
    record = read_record(run)
    assert float(row["valid_bits_per_byte"]) == record["result"]["valid_bits_per_byte"]
    assert (row["run"], row["corpus"], row["seed"], row["d_model"]) == ("run", "tales", "0", "64")
    assert str(tmp_path) not in table.read_text()
    assert (tmp_path / "runs" / "first" / "run.jsonl").read_bytes() == (run / "log.jsonl").read_bytes()
    unfinished(run)
    with pytest.raises(ValueError, match="is not finished; go on with it"):
        record_run(run, "first", folder=tmp_path / "runs")


def test_a_row_counts_operations_and_names_its_log(run, tmp_path):
    (row,) = csv.DictReader(record_run(run, "first", folder=tmp_path / "runs").open())
    n_params = 257 * 64 + 3 * 64 * 64 + 3 * 64 * 64 + 3 * 64
    assert int(row["flops"]) == 6 * 2 * 16 * (6 * n_params + 6 * 1 * 16 * 64) and (tmp_path / "runs" / "first" / row["log"]).exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell")
def test_the_peak_of_memory_is_this_process_own():
    ballast = bytearray(1_500_000_000)  # more than PyTorch takes
    code = "from minilm.runs import peak_memory_bytes; print(peak_memory_bytes())"
    child = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert peak_memory_bytes() > len(ballast) and child < 1_200_000_000
    del ballast
    forget_peak_memory()
    assert peak_memory_bytes() < 1_400_000_000


def test_a_shipped_model_writes_and_its_card_has_its_own_score(run, tmp_path):
    out = tmp_path / "small"
    shipped = ship_run(run, out, data_note="tales of ours, CC0", n_stories=2, cache_dir=tmp_path / "cache")
    model, tokenizer = load_model(out)
    judged = evaluate(model, encode_stories(read_stories(tmp_path / "tales" / "valid.txt"), tokenizer), tokenizer)
    assert shipped["result"]["valid_bits_per_byte"] == pytest.approx(judged.bits_per_byte, rel=1e-6)
    card = (out / "card.md").read_text()
    assert f"**{judged.bits_per_byte:.4f} bits per byte**" in card and "tales of ours, CC0" in card
    assert str(tmp_path) not in card + (out / "run.json").read_text()
    assert (out / "curve.png").stat().st_size > 5000
