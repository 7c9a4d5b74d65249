"""From a terminal: the whole way from a text to a story, and a clear answer to every mistake."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from minilm.cli import main
from minilm.course.progress import record_exercise
from minilm.items import Item, write_items
from minilm.scaling import Law
from tests.made import write_tales

TINY = "--context-length 16 --d-model 64 --n-layers 1 --n-heads 2 --n-kv-heads 1 --d-ff 64 --batch-size 2 --vocab-size 300".split()
FAST = "--precision float32 --compile no --device cpu".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    write_tales(folder / "tales", "Ana saw {} cats. They ran to the café.")
    (folder / "empty.txt").write_text("")
    (folder / "latin.txt").write_bytes(b"caf\xe9 " * 100)
    (folder / "short.txt").write_text("One. Two.")
    (folder / "no_valid").mkdir()
    (folder / "no_valid" / "train.txt").write_text("A tale.")
    (folder / "notes.json").write_text("{}")
    for name, losses in (("few", (3, 2)), ("words", (3, 2, "low")), ("negative", (3, 3, 3, 3, 3, -3))):
        rows = [f"{10**i},{10**i},{loss}" for i, loss in enumerate(losses, 3)]
        (folder / f"{name}.csv").write_text("\n".join(["parameters,tokens,loss", *rows]))
    words = ["train", "--corpus", folder / "tales", "--out", folder / "run", "--cache", folder / "cache", "--max-steps", 4, *TINY, *FAST]
    assert main([str(word) for word in words]) == 0
    return folder


def test_a_corpus_is_described(folder, capsys):
    assert main(["corpus", str(folder / "tales")]) == 0
    out = capsys.readouterr().out
    text = (folder / "tales" / "valid.txt").read_text().replace("\n<|endoftext|>\n", "")
    assert f"valid         60 stories  {len(text.encode()):>13,} bytes" in out and "Ana saw 0 cats" in out


def test_a_tokenizer_is_learned_and_used(folder, capsys):
    tokenizer, run = str(folder / "made" / "tokenizer.json"), str(folder / "run_300")
    assert main(["tokenizer", str(folder / "tales"), "--vocab-size", "300", "--out", tokenizer]) == 0
    assert "300 tokens" in capsys.readouterr().out
    common = ["train", "--corpus", str(folder / "tales"), "--out", run, "--cache", str(folder / "cache"), "--max-steps", "1", *FAST]
    assert main([*common, "--tokenizer", tokenizer]) == 2  # the default vocabulary is another
    assert "add --vocab-size 300" in capsys.readouterr().err
    assert main([*common, "--tokenizer", tokenizer, *TINY]) == 0
    assert (folder / "run_300" / "tokenizer.json").read_bytes() == (folder / "made" / "tokenizer.json").read_bytes()


def test_a_model_writes_on(folder, capsys):
    words = ["generate", str(folder / "run"), "--prompt", "Ana saw", "--max-new-tokens", "8"]
    assert main(words) == main(words) == 0
    first, second = capsys.readouterr().out[:-1].split("\nAna saw")
    assert first == "Ana saw" + second and len(first) > len("Ana saw")


def test_stories_are_made_and_graded(folder, capsys):
    made = str(folder / "own")
    assert main(["storyworld", made, "--megabytes", "0.05", "--valid-megabytes", "0.02", "--faults", "shuffled_words", "1.0"]) == 0
    capsys.readouterr()
    assert main(["grade", f"{made}/valid.txt", "--json"]) == 0
    sound = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sound["perfect_share"] == 1 and sound["n_faults"] == 0
    assert main(["grade", f"{made}/train.txt", "--json"]) == 0
    *said, last = capsys.readouterr().out.splitlines()
    assert json.loads(last)["parse_rate"] < 0.1 and json.loads(last)["n_faults"] > 10 and said[0] == "story 1" and said[1].startswith("  not understood: ")
    assert main(["grade", str(folder / "run"), "--n", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["n_stories"] == 2
    assert main(["grade", str(folder / "run"), "--n", "0"]) == 2 and "at least one story" in capsys.readouterr().err
    assert main(["storyworld", made]) == 2 and "new folder" in capsys.readouterr().err
    assert main(["storyworld", f"{made}2", "--faults", "typos", "0.1"]) == 2 and "typos" in capsys.readouterr().err


def test_quickstart_goes_from_nothing_to_a_graded_story(folder, capsys, monkeypatch):
    monkeypatch.setattr("minilm.corpora.STORYWORLD_MEGABYTES", 0.3)
    run = folder / "quick"
    assert main(["quickstart", "--out", str(run), "--minutes", "0.05", "--cache", str(folder / "quick_cache")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"understands \d+ of its \d+ sentences and finds \d+ contradictions", out) and "bits for a byte" in out
    assert (run / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert main(["quickstart", "--out", str(run)]) == 2 and "already holds a run" in capsys.readouterr().err


def test_evaluate_ends_with_json_over_the_whole_file(folder, capsys):
    file = folder / "tales" / "valid.txt"
    assert main(["evaluate", str(folder / "run"), "--corpus", str(file), "--json", "--cache", str(folder / "cache")]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["n_bytes"] == len(file.read_text().replace("\n<|endoftext|>\n", "").encode())
    record = json.loads((folder / "run" / "run.json").read_text())
    assert found["bits_per_byte"] == pytest.approx(record["result"]["valid_bits_per_byte"], rel=1e-6)
    assert found["nats_per_token"] * found["n_tokens"] == pytest.approx(found["bits_per_byte"] * found["n_bytes"] * 0.6931472, rel=1e-5)


def test_items_are_made_and_asked(folder, capsys):
    words = ["items", "storyworld", "--kind", "context", "--n", "6", "--out", str(folder / "set.jsonl"), "--against", str(folder / "tales")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "6 items, fingerprint" in said and "of 0 of the 6 items stand in the training part" in said and said.count("  * ") == 1
    short = [Item(context="Ana saw", choices=(" Ben", " Mia"), answer=i % 2, kind="", source="") for i in range(6)]  # the run reads 16 tokens
    write_items(folder / "set.jsonl", short)
    asked = ["evaluate-items", str(folder / "run"), str(folder / "set.jsonl"), "--other", str(folder / "run"), "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [one["n_items"] for one in found["models"]] == [6, 6] and found["models"][0]["chance"] == 0.5 and len(found["items"]) == 16
    assert found["comparison"]["difference"] == 0 and found["comparison"]["p_value"] == 1
    (folder / "set.jsonl").unlink()


def test_a_finished_run_can_be_resumed_recorded_and_shipped(folder, capsys, monkeypatch):
    run = str(folder / "run")
    assert main(["resume", run, "--cache", str(folder / "cache")]) == 0
    monkeypatch.setattr("minilm.runs.DATA", folder / "data")
    monkeypatch.setattr("minilm.runs.record_run.__defaults__", (folder / "runs",))
    assert main(["record", run, "--experiment", "tales"]) == 0
    assert (folder / "runs" / "tales" / "runs.csv").exists()
    assert main(["ship", run, "--out", str(folder / "small"), "--data-note", "tales, CC0", "--cache", str(folder / "cache")]) == 0
    assert "bits per byte" in capsys.readouterr().out
    assert main(["generate", str(folder / "small"), "--max-new-tokens", "2"]) == 0


def test_a_model_is_exported_and_comes_back(folder, capsys):
    run, shown = folder / "run", {}
    for to, weights, name in (("hf", "float16", "theirs"), ("llama2c", "float32", "c"), ("gguf", "int8", "tales.gguf")):
        assert main(["export", str(run), "--to", to, "--weights", weights, "--out", str(folder / "exported" / name)]) == 0
        shown[to] = capsys.readouterr().out
    assert (folder / "exported" / "theirs" / "tokenizer_config.json").is_file() and "model.bin" in shown["llama2c"]
    size = (folder / "exported" / "tales.gguf").stat().st_size
    assert shown["gguf"] == f"{size / 1e6:8.3f} MB  {folder / 'exported' / 'tales.gguf'}\n"
    back, words = folder / "exported" / "back", ["--prompt", "Ana saw", "--max-new-tokens", "8", "--temperature", "0"]
    assert main(["import-hf", str(folder / "exported" / "theirs"), "--out", str(back)]) == 0
    assert "300 tokens" in capsys.readouterr().out
    assert main(["generate", str(run), *words]) == main(["generate", str(back), *words]) == 0
    first, second = capsys.readouterr().out[:-1].split("\nAna saw")
    assert first == "Ana saw" + second
    assert main(["import-hf", str(folder / "exported" / "theirs"), "--out", str(back)]) == 2 and "name a new folder" in capsys.readouterr().err
    assert main(["export", "data/models/storyworld", "--to", "hf", "--out", str(folder / "exported" / "shipped")]) == 0
    assert "0.3397 bits per byte" in (folder / "exported" / "shipped" / "README.md").read_text()
    shutil.rmtree(folder / "exported")


def test_the_law_is_found_in_a_table_and_said_in_json(tmp_path, capsys):
    law = Law(E=1.8, A=400, B=1500, alpha=0.35, beta=0.36)
    grid = [(n, d) for n in (1e7, 1e8, 1e9) for d in (1e9, 1e10, 1e11)]
    for columns in ("n_params,n_tokens,loss", "parameters,training_flop,loss_nats_per_token"):
        rows = [(n, 6 * n * d if "flop" in columns else d, law.loss(n, d)) for n, d in grid]
        (tmp_path / "runs.csv").write_text("\n".join([columns, *(",".join(map(repr, map(float, row))) for row in rows)]))
        assert main(["fit-scaling", str(tmp_path / "runs.csv"), "--samples", "5", "--json"]) == 0
        found = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert found["E"] == pytest.approx(1.8, rel=1e-3) and found["B"] == pytest.approx(1500, rel=0.01)
        assert found["objective"] < 1e-8 and found["n_points"] == 9 and found["alpha_standard_error"] < 1e-3
    assert main(["fit-scaling", str(tmp_path / "runs.csv"), "--samples", "5", "--drop-highest", "2"]) == 0
    assert capsys.readouterr().out.startswith("7 trainings of 1e+07 to 1e+09 parameters on")
    other = [f"{line},{'theirs' if i < 2 else 'ours'}" for i, line in enumerate((tmp_path / "runs.csv").read_text().splitlines()[1:])]
    (tmp_path / "runs.csv").write_text("\n".join(["parameters,training_flop,loss,corpus", *other]))
    assert main(["fit-scaling", str(tmp_path / "runs.csv"), "--samples", "5", "--where", "corpus", "ours"]) == 0
    assert capsys.readouterr().out.startswith("7 trainings of")


def test_the_recorded_command_names_no_local_path(folder):
    words = ["train", "--corpus", folder / "tales", f"--out={folder / 'run_command'}", "--cache", folder / "cache", "--max-steps", "1", *TINY, *FAST]
    subprocess.run([sys.executable, "-m", "minilm.cli", *map(str, words)], check=True, capture_output=True)
    command = json.loads((folder / "run_command" / "run.json").read_text())["command"]
    assert command.startswith("minilm train --corpus PATH --out=PATH --cache PATH --max-steps 1 --context-length 16")


def test_a_chapter_is_started_once_and_progress_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minilm.course.progress.WORK", tmp_path / "work")
    assert main(["start", "02"]) == 0
    path = tmp_path / "work" / "02_tokenizer.ipynb"
    assert f"{path} is yours now" in capsys.readouterr().out
    path.write_text("mine")
    assert main(["start", "02"]) == 0
    assert "was left as it is" in capsys.readouterr().out and path.read_text() == "mine"
    record_exercise("02.2", passed=True)
    assert main(["progress"]) == 0
    head, *rows, _, place = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["chapter", "exercises", "passed"] and str(tmp_path / "work" / "progress.json") in place
    (row,) = (row for row in rows if row.startswith("02 tokenizer"))
    assert "1 of 6" in row and row.endswith("02.1")


MISTAKES = [
    ("corpus", "no_such_corpus", "there is no corpus, folder or file"),
    ("corpus", "tinystorys", "did you mean 'tinystories'"),
    ("corpus", "F/no_valid", "has no valid.txt"),
    ("corpus", "F/empty.txt", "is empty"),
    ("corpus", "F/latin.txt", "is not UTF-8 text: byte 0xe9 at offset 3"),
    ("corpus", "F/short.txt", "too few stories to split"),
    ("tokenizer", "F/tales --out F/t.json --vocab-size 100", "100"),
    ("tokenizer", "F/tales --out F/tales", "is a folder; name a file, such as"),
    ("tokenizer", "F/tales --out F/t.json --vocab-size many", "vocab-size"),
    ("train", "--corpus F/tales --out F/new", "give one of minutes, max_tokens, max_steps"),
    ("train", "--corpus F/tales --out F/new --minutes 5 --max-steps 3", "minutes and max_steps"),
    ("train", "--corpus F/tales --out F/new --minutes -1", "minutes is -1.0; it must be more than 0"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --d-model 100 --n-heads 3", "d_model 100 is not a multiple of n_heads 3"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --optimizer sgd", "optimizer"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --optimiser adamw", "--optimizer"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --device cuda", "device is 'cuda', but PyTorch"),
    ("train", "--corpus F/tales --out F/run --max-steps 3", "minilm resume"),
    ("train", "--corpus F/nothing --out F/new --max-steps 3", "there is no corpus, folder or file"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --tokenizer F/nothing.json", "nothing.json"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --tokenizer F/notes.json", "notes.json"),
    ("train", "--corpus F/tales --out F/notes.json --max-steps 3", "is a file; name a folder"),
    ("train", "--corpus F/tales --out F/new --max-steps 3 --vocab-size 300 --context-length 99999", "context_length 99999 needs at least"),
    ("experiment", "ablations --seeds 0", "seeds is 0; it must be more than 0"),
    ("experiment", "ablations --variants swish", "there is no variant 'swish'; there are baseline"),
    ("fit-scaling", "F/notes.json", "has no column of parameters and loss and tokens or operations"),
    ("fit-scaling", "F/few.csv --where corpus x", "or no such rows"),
    ("fit-scaling", "F/few.csv --drop-highest -1", "drop_highest is -1; it must not be negative"),
    ("fit-scaling", "data/published/chinchilla_points.csv --samples 1", "1 samples; how much they scatter shows from 2 on"),
    ("fit-scaling", "F/few.csv", "at least six points for five numbers"),
    ("fit-scaling", "F/words.csv", "column 'loss': could not convert string to float: 'low'"),
    ("fit-scaling", "F/negative.csv", "losses has -3; all must be finite and more than 0"),
    ("start", "99", "there is no chapter '99'; there are 00"),
    ("resume", "F/tales", "there is no run in"),
    ("generate", "F/nothing", "has no config.json; name a folder"),
    ("generate", "F/tales", "has no config.json; name a folder"),
    ("generate", "F/run --temperature -1", "temperature must not be negative"),
    ("generate", "F/run --top-p 2", "top_p 2.0"),
    ("generate", "F/run --min-p 2", "min_p 2.0"),
    ("generate", "F/run --max-new-tokens 0", "max_new_tokens is 0"),
    ("evaluate", "F/run --corpus F/nothing.txt", "there is no corpus, folder or file"),
    ("evaluate", "F/run --corpus F/empty.txt", "is empty"),
    ("evaluate", "F/nothing --corpus F/tales", "has no config.json"),
    ("items", "F/tales --kind facts --out F/new", "items of the kind facts come from storyworld"),
    ("items", "storyworld --kind poems --out F/new", "poems"),
    ("items", "storyworld --kind facts --n 0 --out F/new", "0 items were asked for; a set has at least one"),
    ("items", "F/tales --kind cloze --n 999 --out F/new", "give more stories or ask for fewer"),
    ("evaluate-items", "F/run F/notes.json", "line 1 is no item"),
    ("evaluate-items", "F/run F/nothing.jsonl", "nothing.jsonl"),
    ("record", "F/tales --experiment x", "there is no run in"),
    ("export", "F/tales --to hf --out F/new", "has no config.json; name a folder"),
    ("export", "F/run --to onnx --out F/new", "onnx"),
    ("export", "F/run --to hf --out F/new --weights int8", "the format hf takes float32, float16"),
    ("export", "F/run --to llama2c --out F/new --weights float16", "the format llama2c takes float32, int8"),
    ("export", "F/run --to gguf --out F/notes.json", "notes.json exists; name a new place"),
    ("export", "F/run --to hf --out F/tales", "tales exists; name a new place"),
    ("import-hf", "F/tales --out F/new", "has no config.json; name the folder of a checkpoint"),
    ("import-hf", "data/models/storyworld --out F/new", "max_position_embeddings is None; it must be a whole number"),
    ("import-hf", "F/nothing --out F/run", "run exists; name a new folder"),
    ("ship", "F/tales --out F/new --data-note x", "there is no run in"),
]


@pytest.mark.parametrize(("command", "words", "message"), MISTAKES, ids=[f"{command} {words}" for command, words, _ in MISTAKES])
def test_a_mistake_is_answered_in_plain_words(folder, capsys, command, words, message):
    before = sorted(folder.rglob("*"))
    shutil.rmtree(folder / "cache", ignore_errors=True)
    try:
        status = main([command, *words.replace("F/", f"{folder}/").split()])
    except SystemExit as exit:  # the option parser's own way out
        status = exit.code
    err = capsys.readouterr().err
    answer = " ".join(err.replace("│", " ").split())  # long answers are broken into lines, in a frame
    assert status == 2 and message in answer and "Traceback" not in answer
    written = set(folder.rglob("*")) - set(before)
    assert not [path for path in written if "cache" not in path.parts]  # nothing half-written


def test_help_answers_without_loading_torch():
    code = "import sys; from minilm.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
