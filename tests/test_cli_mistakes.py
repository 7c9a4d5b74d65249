"""Every command, asked for what cannot be: a status that is not 0, one message that names what was given, and no traceback.

Each case is a row: the words, and what the message must hold. What a mistake was about is said before any work begins: a case that works for seconds fails.
"""

import json
import re
import signal
import struct

import pytest

from minilm.checkpoint import save_model
from minilm.cli import COMMANDS, EXPERIMENTS, main
from minilm.config import ModelConfig
from minilm.items import Item, write_items
from minilm.model import Transformer
from minilm.tokenizer import Tokenizer
from tests.made import write_tales

SHAPE = ModelConfig(vocab_size=259, context_length=16, d_model=64, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with one of each kind of thing that a command may be given."""
    place = tmp_path_factory.mktemp("mistakes")
    write_tales(place / "tales")
    (place / "folder").mkdir()
    (place / "file").write_text("no more than a word")
    (place / "empty").write_text("")
    (place / "latin").write_bytes(b"caf\xe9 " * 100)
    (place / "noise").write_bytes(struct.pack("<4d", *range(4)) * 20)
    (place / "page.html").write_text("<!DOCTYPE html><html>not found</html>")
    (place / "object.json").write_text("{}")
    (place / "few.csv").write_text("parameters,tokens,loss\n1e3,1e3,3\n")
    (place / "words.csv").write_text("parameters,tokens,loss\n" + "1e3,1e3,low\n" * 9)
    (place / "points.csv").write_text("parameters,tokens,loss\n" + "".join(f"{n},{d},{2 + 100 / n**0.3 + 100 / d**0.3}\n" for n in (1e3, 1e4, 1e5) for d in (1e5, 1e6, 1e7)))
    save_model(place / "model", Transformer(SHAPE), Tokenizer([(b"a", b"n"), (b"an", b"a")]))
    Tokenizer([(b"a", b"n")]).save(place / "tokenizer.json")
    write_items(place / "set.jsonl", [Item(context="Ana", choices=(" a", " b"), answer=0, kind="", source="")] * 2)
    (place / "run").mkdir()
    (place / "run" / "run.json").write_text(json.dumps({"corpus": {}}))
    return place


MODEL, TALES, NEW = "{place}/model", "--corpus {place}/tales", "--out {place}/new"
TRAIN = f"train {TALES} {NEW} --cache {{place}}/cache"
# What is asked, and the words that the message must hold. {place} is the folder above; {place}/file/x is where nothing can be made.
MISTAKES = """
nonsense                                                    | nonsense
corpus                                                      | Missing from minilm corpus
corpus {place}/nowhere                                      | nowhere
corpus {place}/folder                                       | has no train.txt
corpus {place}/empty                                        | empty
corpus {place}/latin                                        | not UTF-8
corpus {place}/noise                                        | noise
corpus tinystory                                            | tinystory
corpus storyworld --cache {place}/file                      | file
corpus {place}/tales --colour red                           | --colour
corpus {place}/tales more                                   | more
storyworld {place}/tales                                    | exists
storyworld {place}/file                                     | exists
storyworld {place}/file/x                                   | file/x
storyworld {place}/new --megabytes -1                       | -1
storyworld {place}/new --megabytes nan                      | nan
storyworld {place}/new --megabytes inf                      | inf
storyworld {place}/new --megabytes many                     | many
storyworld {place}/new --valid-megabytes 0                  | 0
storyworld {place}/new --faults typos 0.1                   | typos
storyworld {place}/new --faults duplicate 2                 | 2
storyworld {place}/new --faults duplicate nan               | nan
storyworld {place}/new --faults duplicate                   | faults
storyworld {place}/new --seed x                             | seed
grade {place}/nowhere                                       | nowhere
grade {place}/folder                                        | config.json
grade {place}/latin                                         | not UTF-8
grade {place}/empty                                         | empty
grade {place}/model --n 0                                   | 0
grade {place}/model --n -3                                  | -3
grade {place}/model --temperature -1                        | -1
grade {place}/model --temperature nan                       | nan
grade {place}/model --top-p 2                               | 2
grade {place}/model --top-p 0                               | 0
judge {place}/nowhere                                       | nowhere
judge {place}/folder                                        | folder
judge {place}/tales/valid.txt --n-train 0                   | 0
judge {place}/tales/valid.txt --train {place}/nowhere       | nowhere
judge {place}/tales/valid.txt --prompt Never                | Never
judge {place}/tales/valid.txt --url http://127.0.0.1:9/v1   | model
judge {place}/tales/valid.txt --url nonsense --model m      | http://localhost
judge {place}/tales/valid.txt --url http://127.0.0.1:9/v1 --model m --timeout -1   | -1
judge {place}/tales/valid.txt --url http://127.0.0.1:9/v1 --model m --retries -1   | -1
judge {place}/tales/valid.txt --url http://127.0.0.1:9/v1 --model m --price-in -1  | -1
judge {place}/tales/valid.txt --url http://127.0.0.1:9/v1 --model m --retries 0 --yes --cache {place}/judged | 127.0.0.1
tokenizer {place}/tales                                     | --out
tokenizer {place}/nowhere {new}                             | nowhere
tokenizer {place}/tales --out {place}/folder                | folder
tokenizer {place}/tales --out {place}/file/t.json           | file
tokenizer {place}/tales {new} --vocab-size 5                | 5
tokenizer {place}/tales {new} --vocab-size -5               | -5
tokenizer {place}/tales {new} --vocab-size 9999999999       | 9999999999
tokenizer {place}/tales {new} --vocab-size many             | many
{train}                                                     | minutes, max_tokens, max_steps
{train} --max-steps 1 --minutes 1                           | minutes and max_steps
{train} --max-steps 0                                       | 0
{train} --max-steps -1                                      | -1
{train} --max-steps 1.5                                     | 1.5
{train} --minutes nan                                       | nan
{train} --minutes inf                                       | inf
{train} --max-steps 1 --d-model 63                          | 63
{train} --max-steps 1 --d-model 0                           | 0
{train} --max-steps 1 --n-heads 3                           | 3
{train} --max-steps 1 --batch-size -2                       | -2
{train} --max-steps 1 --max-lr -1                           | -1
{train} --max-steps 1 --max-lr nan                          | nan
{train} --max-steps 1 --beta1 2                             | 2
{train} --max-steps 1 --device tpu                          | tpu
{train} --max-steps 1 --optimizer sgd                       | sgd
{train} --max-steps 1 --precision int8                      | int8
{train} --max-steps 1 --vocab-size 5                        | 5
{train} --max-steps 1 --vocab-size 258 --context-length 5000000  | 5000000
{train} --max-steps 1 --vocab-size 258 --context-length 100000   | 100000
{train} --max-steps 1 --tokenizer {place}/nowhere           | nowhere
{train} --max-steps 1 --tokenizer {place}/object.json       | object.json
{train} --max-steps 1 --tokenizer {place}/folder            | folder
{train} --max-steps 1 --tokenizer {place}/tokenizer.json    | --vocab-size 258
{train} --max-steps 1 --vocab-size 258 --shard              | --shard
{train} --max-steps 1 --vocab-size 258 --seed -1            | -1
{train} --max-steps 1 --dmodel 64                           | --d-model
train {tales} --max-steps 1                                 | --out
train {tales} --max-steps 1 --out {place}/file              | file
train {tales} --max-steps 1 --vocab-size 258 --cache {place}/cache --out {place}/file/x | file
train {tales} --max-steps 1 --vocab-size 258 --cache {place}/file {new}                 | file
train {tales} --max-steps 1 --out {place}/run               | already holds a run
train --corpus {place}/nowhere --max-steps 1 {new}          | nowhere
quickstart --minutes -1 --out {place}/new                   | -1
quickstart --minutes 0 --out {place}/new                    | 0
quickstart --minutes nan --out {place}/new                  | nan
quickstart --minutes long --out {place}/new                 | long
quickstart --out {place}/file                               | file
quickstart --out {place}/run                                | already holds a run
quickstart --seed -1 --out {place}/new --cache {place}/file | -1
resume                                                      | Missing from minilm resume
resume {place}/nowhere                                      | nowhere
resume {place}/file                                         | file
resume {place}/folder                                       | folder
resume {place}/run                                          | run.json
generate {place}/nowhere                                    | nowhere
generate {place}/file                                       | file
generate {place}/folder                                     | config.json
generate {place}/model --temperature -1                     | -1
generate {place}/model --temperature nan                    | nan
generate {place}/model --top-k 0                            | 0
generate {place}/model --top-p 1.5                          | 1.5
generate {place}/model --min-p -1                           | -1
generate {place}/model --min-p nan                          | nan
generate {place}/model --max-new-tokens -1                  | -1
generate {place}/model --max-new-tokens few                 | few
generate {place}/model --seed -1                            | -1
grade {place}/model --n 1 --temperature inf                 | inf
generate {place}/model --seed 99999999999999999999999       | 99999999999999999999999
evaluate {place}/nowhere {tales}                            | nowhere
evaluate {place}/model                                      | --corpus
evaluate {place}/model --corpus {place}/nowhere             | nowhere
evaluate {place}/model --corpus {place}/empty               | empty
evaluate {place}/model --corpus {place}/latin               | not UTF-8
evaluate {place}/folder {tales}                             | config.json
items storyworld --kind riddles {new}                       | riddles
items storyworld --kind context {new} --n 0                 | 0
items storyworld --kind context {new} --n -1                | -1
items storyworld --kind context {new} --n some              | some
items {place}/tales --kind context {new}                    | storyworld
items {place}/nowhere --kind cloze {new}                    | nowhere
items {place}/tales --kind cloze --n 9000 {new}             | 9000
items storyworld --kind facts --n 2 --out {place}/folder    | folder
items storyworld --kind facts --n 2 --out {place}/file/x    | file
items storyworld --kind facts --n 2 {new} --against {place}/nowhere | nowhere
evaluate-items {place}/nowhere {place}/set.jsonl            | nowhere
evaluate-items {place}/model {place}/nowhere                | nowhere
evaluate-items {place}/model {place}/folder                 | folder
evaluate-items {place}/model {place}/empty                  | empty
evaluate-items {place}/model {place}/noise                  | noise
evaluate-items {place}/model {place}/page.html              | page.html
evaluate-items {place}/model {place}/set.jsonl --other {place}/nowhere | nowhere
evaluate-items {place}/model {place}/set.jsonl --normalise words       | words
experiment                                                  | ablations
experiment nonsense                                         | nonsense
experiment ablations --flops -1 --out {place}/new           | -1
experiment ablations --flops nan --out {place}/new          | nan
experiment ablations --seeds 0 --out {place}/new            | 0
experiment ablations --processes 0 --out {place}/new        | 0
experiment ablations --variants swish --out {place}/new     | swish
experiment ablations --flops 1e11 --seeds 2 --out {place}/file | file
experiment good-data --seeds 0 --out {place}/new            | 0
experiment good-data --processes -1 --out {place}/new       | -1
experiment good-data --parts edges --out {place}/new        | edges
experiment good-data --parts domains --out {place}/new      | --stories
experiment good-data --out {place}/file                     | file is a file; name a folder
ladder --corpus {place}/nowhere                             | nowhere
ladder {tales} {new} --sizes huge                           | huge
ladder {tales} {new} --seeds 0                              | 0
ladder {tales} {new} --epochs -1                            | -1
ladder {tales} {new} --epochs nan                           | nan
ladder {tales} {new} --repeats -1                           | -1
ladder {tales} {new} --repeats 2 --share 2                  | 2
ladder {tales} {new} --repeats 2 --share 0                  | 0
ladder {tales} {new} --profile phone                        | phone
ladder {tales} --out {place}/file --sizes d64-L8            | file
sweep --corpus {place}/nowhere                              | nowhere
sweep {tales} {new} --budgets -1                            | -1
sweep {tales} {new} --budgets nan                           | nan
sweep {tales} {new} --budgets few                           | few
sweep {tales} {new} --seeds 0                               | 0
sweep {tales} {new} --processes 0                           | 0
sweep {tales} {new} --forecast -1                           | -1
sweep {tales} {new} --forecast 1e14                         | sweep
sweep {tales} {new} --growth                                | sweep
sweep {tales} --out {place}/file                            | file
fit-scaling {place}/nowhere                                 | nowhere
fit-scaling {place}/folder                                  | folder
fit-scaling {place}/empty                                   | empty
fit-scaling {place}/noise                                   | noise
fit-scaling {place}/few.csv                                 | 1
fit-scaling {place}/words.csv                               | low
fit-scaling {place}/points.csv --where corpus none          | corpus is none
fit-scaling {place}/points.csv --drop-highest -1            | -1
fit-scaling {place}/points.csv --drop-highest 9             | 0
fit-scaling {place}/points.csv --samples 0                  | 0
fit-scaling {place}/points.csv --samples -1                 | -1
fit-scaling {place}/points.csv --samples 2 --seed -1        | -1
reproduce gpt4                                              | gpt4
reproduce stories260K --corpus {place}/nowhere --yes {new}  | nowhere
reproduce stories260K {tales} --yes --out {place}/file      | file is a file; name a folder
record {place}/nowhere --experiment x                       | nowhere
record {place}/run --experiment x                           | not finished
record {place}/file --experiment x                          | file
results --out {place}/folder                                | folder
results --out {place}/nowhere/x.md                          | nowhere
guide --out {place}/file                                    | file
explorer --out {place}/folder                               | folder
explorer --out {place}/nowhere/x.html                       | nowhere
ship {place}/nowhere {new} --data-note x                    | nowhere
ship {place}/run {new} --data-note x                        | not finished
ship {place}/run {new}                                      | data-note
export {place}/nowhere --to hf {new}                        | nowhere
export {place}/model --to onnx {new}                        | onnx
export {place}/model --to hf --weights int4 {new}           | int4
export {place}/model --to llama2c --weights float16 {new}   | float16
export {place}/model --to hf --out {place}/tales            | exists
export {place}/model --to gguf --out {place}/file           | exists
export {place}/model --to gguf --out {place}/file/x         | file
export {place}/model --to hf --out {place}/file/x           | file
export {place}/model --to llama2c --out {place}/file/x      | file
import-hf {place}/nowhere {new}                             | nowhere
import-hf {place}/file {new}                                | file
import-hf {place}/folder {new}                              | config.json
import-hf {place}/model {new}                               | config.json
import-hf {place}/model --out {place}/tales                 | exists
start                                                       | Missing from minilm start
start 99                                                    | 99
start two                                                   | two
start ../02                                                 | ../02
progress more                                               | more
"""
CASES = [tuple(part.strip() for part in line.split(" | ")) for line in MISTAKES.strip().splitlines()]


class TooSlow(BaseException):
    """Neither ValueError nor OSError, so that no command takes it for a mistake."""


@pytest.fixture(autouse=True)
def soon(monkeypatch, tmp_path):
    """No answer may take long, and none may write into the repository."""
    def stop(*_):
        raise TooSlow

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINILM_JUDGE_URL", raising=False)
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, 20)  # seconds of the processor, which are the same on a busy machine; loading PyTorch takes some
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def answer(words: list[str], capsys) -> tuple[int, str]:
    try:
        status = main(words)
    except SystemExit as end:  # tyro's own
        status = end.code
    return status, capsys.readouterr().err


def names(said: str, what: str) -> bool:
    """Whether a message holds a word, and not only as part of another; of numbers, 2 is in `2.0`, and neither in `1.2` nor in `2.5`."""
    after = r"(?!\w|\.\d*[1-9])" if what[-1].isdigit() else r"(?!\w)"
    return re.search(rf"(?<![\w.]){re.escape(what)}{after}", " ".join(said.replace("│", " ").split())) is not None  # some answers stand in a frame


@pytest.mark.parametrize("asked, named", CASES, ids=[asked for asked, _ in CASES])
def test_a_mistake_is_answered_by_a_message(place, capsys, asked, named):
    spelled = asked.replace("{train}", TRAIN).replace("{tales}", TALES).replace("{new}", NEW)
    before = sorted(path for path in place.rglob("*"))
    status, said = answer([word.format(place=place) for word in spelled.split()], capsys)
    assert status in (1, 2), f"status {status}: {said}"
    assert names(said.replace(str(place), "PLACE"), named) and "Traceback" not in said and len(said) < 3000, said
    if status == 2 and said.startswith("minilm: "):
        assert len(said.splitlines()) <= 3
    kept = [path for path in place.rglob("*") if path not in before and "cache" not in path.parts[-3:] and path.is_file() and "judged" not in str(path)]
    assert not kept, "something was left"


def test_every_command_is_asked_for_what_cannot_be():
    asked = {case.replace("{train}", "train").split()[0] for case, _ in CASES} | {" ".join(case.split()[:2]) for case, _ in CASES}
    assert set(COMMANDS) <= asked and {f"experiment {name}" for name in EXPERIMENTS} <= asked


def test_a_profile_that_does_not_exist_is_named(place, capsys, monkeypatch):
    monkeypatch.setenv("MINILM_PROFILE", "phone")
    assert answer(["ladder", "--corpus", f"{place}/tales", "--out", f"{place}/new"], capsys) == (2, "minilm: MINILM_PROFILE is 'phone'; it must be one of ci, laptop, gpu\n")
