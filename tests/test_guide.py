"""The pages about the course are what the chapters say, and the glossary's table of names is what the installed transformers does."""

import dataclasses
import inspect
import re
from itertools import groupby

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from minilm import guide, plots
from minilm.cli import main
from minilm.config import ROOT, ModelConfig, TrainConfig
from minilm.generate import generate_ids
from minilm.model import Transformer
from minilm.variants import build
from tests.figures import problems
from tests.made import draw_weights

DOCS = ROOT / "docs"
GLOSSARY, TEACHING, EXERCISES = ((DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("GLOSSARY", "TEACHING", "EXERCISES"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = {path.stem[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
LINK = re.compile(r"\[(\d\d)\]\(\.\./notebooks/\1_\w+\.ipynb\)")


def prose(number: str) -> str:
    return "\n".join(cell.source for cell in nbformat.read(NOTEBOOKS[number], as_version=4).cells if cell.cell_type == "markdown")


def rows(text: str, heading: str) -> list[list[str]]:
    """The body of the first table below a heading."""
    below = text.split(f"{heading}\n", 1)[1].split("\n| ", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in below.splitlines()[2:]]


def names(cell: str) -> list[str]:
    """What a cell names as code, what it says in parentheses left out."""
    return re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", cell))


# The pages


def test_the_pages_are_what_the_chapters_give(tmp_path, capsys):
    assert main(["guide", "--out", str(tmp_path)]) == 0
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")]
    assert len(written) == 4 == len(capsys.readouterr().out.split())
    for path in written:
        if path.suffix == ".md":
            assert (DOCS / path).read_text(encoding="utf-8") == (tmp_path / path).read_text(encoding="utf-8"), "run `minilm guide`"
        else:  # letters look otherwise on other machines, so what the picture says is compared
            said = [Image.open(folder / path).text["Description"] for folder in (DOCS, tmp_path)]
            assert said[0] == said[1] == re.search(r"!\[(.*?)\]\(images/concept_map\.png\)", TEACHING)[1], "run `minilm guide`"


def test_every_exercise_stands_in_the_index_with_its_minutes_and_all_is_added_up():
    found = {}
    for path in sorted((ROOT / "minilm" / "course" / "exercises").glob("ch*.py")):
        found |= dict(re.findall(r'Exercise\(\s*"(\d\d\.\d+)".*?\bminutes=(\d+)', path.read_text(encoding="utf-8"), flags=re.DOTALL))
    listed = {row[0]: row[1] for row in re.findall(r"^\| \[(\d\d\.\d+)\]\(.*? \| (\d+) \| [^|]+ \|$", EXERCISES, flags=re.MULTILINE)}
    assert listed == found and len(found) > 60
    table = rows(EXERCISES, "# Exercises")
    for number, some in groupby(found, key=lambda number: number[:2]):
        some = list(some)
        (row,) = (row for row in table if number in row[0])
        assert row[2:4] == [str(len(some)), str(sum(int(found[part]) for part in some))]
    assert table[-1][2:4] == [f"**{len(found)}**", f"**{sum(map(int, found.values()))}**"]
    assert table[-1][4] == f"**{sum(int(row[4]) for row in table[:-1])}**"


def test_a_chapter_is_what_readme_and_its_own_source_say():
    one = guide.chapters()["02"]
    assert (one.name, one.question, one.file, one.minutes) == ("tokenizer", "How does text become numbers?", "02_tokenizer", 85)
    assert one.homework == "02.3 and 02.5; figure 6 for discussion" and one.homework_minutes == 20
    tagged = [cell for cell in nbformat.read(NOTEBOOKS["02"], as_version=4).cells if "walkthrough" in cell.metadata.get("tags", [])]
    assert one.n_shown == len(tagged)


def test_chapters_are_rows_of_the_readme_and_their_minutes_add_up(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("| 05 | [a_b](notebooks/02_tokenizer.ipynb) | Why? | 85 | 16 | 414 |\n| 06 | [c](notebooks/03_c.ipynb) | Does it? | 90 | 2 | 20 |\n")
    one, other = guide.chapters(path).values()
    assert (one.name, one.link, other.name, other.link) == ("a b", "[05](../notebooks/02_tokenizer.ipynb)", "c", "[06](../notebooks/03_c.ipynb)")
    assert [guide._minutes(some) for some in ([one], [one, other])] == ["85", "175"]
    path.write_text("No table.")
    with pytest.raises(ValueError, match="no table of chapters"):
        guide.chapters(path)


def test_what_a_template_gets_wrong_is_named(tmp_path):
    (tmp_path / "glossary.md.in").write_text("{chapter 02 47}")
    with pytest.raises(ValueError, match=r"glossary.md.in: \{chapter 02 47\} is no mark; .*chapter"):
        guide.page("GLOSSARY", tmp_path)
    (tmp_path / "glossary.md.in").write_text("{chapters 02}")
    with pytest.raises(ValueError, match="is no mark"):
        guide.page("GLOSSARY", tmp_path)
    (tmp_path / "glossary.md.in").write_text("See {chapter 02}: {n}.")
    with pytest.raises(ValueError, match="is no mark"):
        guide.page("GLOSSARY", tmp_path)


def test_a_chapter_without_homework_is_refused(monkeypatch):
    monkeypatch.setattr(guide.Chapter, "source", "# Homework: 02.1.")
    with pytest.raises(ValueError, match="02_tokenizer sets no homework"):
        _ = guide.chapters()["02"].homework


# Teaching


def readme_minutes() -> dict[str, int]:
    return {number: int(minutes) for number, minutes in re.findall(r"^\| (\d\d) \| \[[^|]+\|[^|]+\| (\d+) \|", README, flags=re.MULTILINE)}


def test_what_readme_promises_is_counted():
    exercises = re.search(r"\*\*all\*\* \| \*\*(\d+)\*\*", EXERCISES)[1]
    assert f"In {exercises} exercises and about {sum(readme_minutes().values()) / 60:.0f} hours" in README
    assert "A course in fourteen notebooks." in README and len(NOTEBOOKS) == 14


@pytest.mark.parametrize("weeks, n_rows", [("Fourteen", 14), ("Eight", 8), ("Four", 4)])
def test_the_minutes_of_a_plan_are_those_of_the_readme(weeks, n_rows):
    minutes, plan = readme_minutes(), rows(TEACHING, f"## {weeks} weeks")
    assert len(plan) == n_rows
    seen = []
    for row in plan:
        if linked := LINK.findall(row[1]):
            seen += sorted(linked)
            assert row[2] == str(sum(minutes[number] for number in linked))
            assert {number[:2] for number in re.findall(r"\d\d\.\d", row[-2])} <= set(linked)
    assert seen == sorted(re.findall(r"^\| (\d\d) \|", README, flags=re.MULTILINE)), "every chapter once, in order"


def test_the_chapters_table_for_teachers_agrees_with_readme_and_notebooks():
    minutes, table = readme_minutes(), rows(TEACHING, "## The chapters")
    assert len(table) == 14 and len(minutes) == len(NOTEBOOKS)
    for row in table:
        (number,) = LINK.findall(row[0])
        assert int(row[2]) == minutes[number]
        assert f"**Time:** about {row[2]} minutes, {row[3]} of them for the exercises." in prose(number)
        assert f"Homework: {row[5]}." in prose(number)
    assert f" {sum(minutes.values())}" in TEACHING.split("## The chapters")[0]


def test_commands_that_a_teacher_is_told_exist():
    from minilm.cli import COMMANDS

    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = re.findall(r"(?:`|\n|ana )(minilm|make) ([a-z-]+)", TEACHING)
    assert len(told) > 15
    for program, word in told:
        assert word in (COMMANDS if program == "minilm" else targets | {"is"}), f"{program} {word}"
    files = re.findall(r"`(\.github/[\w/.]+|docs/[\w.]+|[\w]+\.(?:toml|txt|yml))`", TEACHING)
    assert len(files) > 4 and not [name for name in files if not (ROOT / name).is_file()]


# The map


def said_needed(line: str) -> set[tuple[str, bool]]:
    """The chapters that a **You need** line names, and whether they are needed or only help."""
    found = set()
    for part in re.split(r"\.\s+|;\s+(?!both)", line):
        if "not needed" in part:
            continue
        numbers = [number for some in re.findall(r"[Cc]hapters? (\d\d(?:(?:, | and )\d\d)*)", part) for number in re.findall(r"\d\d", some)]
        found |= {(number, not re.search(r"help|said again", part)) for number in [*numbers, *re.findall(r"\b(\d\d)\.\d", part)]}
    return found


def test_what_a_line_says_is_read_as_a_person_reads_it():
    assert said_needed("lists. Chapter 00 is helpful; chapter 01 is not needed.") == {("00", False)}
    assert said_needed("chapter 03 for *loss*; chapters 04 and 05 help, but not much.") == {("03", True), ("04", False), ("05", False)}
    assert said_needed("Chapter 02 explains the ids, chapter 01 bits; both are said again here.") == {("02", False), ("01", False)}
    assert said_needed("chapter 10 for the law; 08.5 for a reading. No model.") == {("10", True), ("08", True)}


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_map_agrees_with_what_the_chapter_says_it_needs(number):
    line = re.search(r"\*\*You need:\*\* (.*?)(?:\n\n|$)", prose(number), flags=re.DOTALL)[1].replace("\n", " ")
    drawn = {(link.source, link.needed) for link in guide.read_links() if link.target == number}
    assert drawn == (said_needed(line) if number != "00" else set())


def test_a_map_that_leads_backwards_is_refused(tmp_path):
    for row in ("02,03,ids,helps", "03,02,ids,perhaps", "03,47,ids,needs"):
        (tmp_path / "map.csv").write_text(f"chapter,takes_from,idea,how\n{row}\n")
        with pytest.raises(ValueError, match=r"map.csv: .* should name two chapters, the later one first"):
            guide.read_links(tmp_path / "map.csv")


def test_the_map_can_be_read():
    known, links = guide.chapters(), guide.read_links()
    with plots.style():
        fig, ax = plt.subplots(figsize=(7.5, 8))
        plots.chapter_map(ax, {number: one.name for number, one in known.items()}, links)
    assert problems(fig) == []
    right = max(text.get_window_extent().x1 for text in ax.texts)
    assert right <= fig.bbox.x1, "wider than the page"
    plt.close(fig)


# Words


WORDS = re.findall(r"^- \*\*(.+?)\*\* (?:\[(\d\d)\]\(\S+\)|(\d\d)): (.+)$", GLOSSARY, flags=re.MULTILINE)


def test_every_word_is_in_its_place_and_said_in_a_sentence_or_two():
    listed = [word.lower() for word, *_ in WORDS]
    assert len(WORDS) == GLOSSARY.split("## Names")[0].count("\n- ") > 100
    assert listed == sorted(set(listed), key=lambda word: word.replace("-", " "))
    assert all(text.endswith((".", ".)")) and len(text.split()) <= 45 for *_, text in WORDS)
    assert not [number for number in guide.chapters() if sum(number in word[1:3] for word in WORDS) < 2], "a chapter without words"


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_every_word_occurs_in_the_chapter_that_it_is_linked_to(number):
    text = " ".join(re.sub(r"[*`]", "", prose(number)).lower().split())
    assert not [word for word, linked, *_ in WORDS if linked == number and word.lower() not in text]


# Names


MODEL, WEIGHTS, CODE, TRAINING = (rows(GLOSSARY, f"### {heading}")
    for heading in ("Settings of a model", "Weights", "In the code", "Settings of a training and of writing"))  # fmt: skip
CONFIG = ModelConfig(vocab_size=53, context_length=16, d_model=24, n_layers=2, n_heads=3, n_kv_heads=1, d_ff=40,
                     rope_theta=300.0, norm_eps=0.01, tie_embeddings=False)  # fmt: skip
TOKENS = torch.randint(53, (2, 16), generator=torch.Generator().manual_seed(0))


def test_every_setting_of_ours_has_its_row():
    fields = {field.name for field in dataclasses.fields(ModelConfig)} | {"head_dim"}
    assert [name for row in MODEL for name in names(row[0])] == sorted(fields, key=[name for row in MODEL for name in names(row[0])].index)
    training = {name for row in TRAINING for name in names(row[0])}
    assert training == {field.name for field in dataclasses.fields(TrainConfig)} | (set(inspect.signature(generate_ids).parameters) - {"model", "ids"})


def config_by_the_table(column: int) -> dict:
    """Settings for another's model: our values under their names."""
    values = {names(row[column])[0]: getattr(CONFIG, names(row[0])[0]) for row in MODEL if names(row[0]) and names(row[column])}
    if "rope_parameters" in values:
        values["rope_parameters"] = {"rope_type": "default", "rope_theta": values["rope_parameters"]}
    return values


def weights_by_the_table(model, column: int) -> dict:
    """Our weights under another's names: a part of a matrix is what the table calls a third of it."""
    found, parts = {}, {"first third": 0, "second third": 1, "last third": 2}
    ours = model.state_dict()
    for row in WEIGHTS:
        for layer in range(CONFIG.n_layers) if ".0." in row[0] else [0]:
            whole = names(row[column])[0] if names(row[column]) else found.get("whole")
            third = re.search(r"\w+ third", row[column])
            if not names(row[0]) or not (names(row[column]) or third):
                continue
            found["whole"] = whole
            name, value = (text.replace(".0.", f".{layer}.") for text in (whole, names(row[0])[0]))
            value = ours[value]
            found.setdefault(name, [None] * 3 if third else value)
            if third:
                found[name][parts[third[0]]] = value
    return {name: torch.cat(value) if isinstance(value, list) else value for name, value in found.items() if name != "whole"}


@torch.no_grad()
def test_by_the_tables_our_model_becomes_hugging_faces_llama(transformers):
    model = draw_weights(Transformer(CONFIG), std=1.5).eval()
    twin = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config_by_the_table(4), bos_token_id=0, eos_token_id=0)).eval()
    carried = weights_by_the_table(model, 4)
    assert set(carried) == set(twin.state_dict()) and set(names(MODEL[-1][4]) + names(MODEL[-2][4])) <= set(twin.config.to_dict())
    twin.load_state_dict(carried)
    torch.testing.assert_close(twin(TOKENS).logits, model(TOKENS), rtol=1e-4, atol=1e-4)
    loss = F.cross_entropy(model(TOKENS[:, :-1]).flatten(0, 1), TOKENS[:, 1:].flatten())
    torch.testing.assert_close(twin(input_ids=TOKENS, labels=TOKENS).loss, loss, rtol=1e-4, atol=1e-4)  # "not moved on: the model does it"


@torch.no_grad()
def test_by_the_tables_our_gpt2_becomes_hugging_faces(transformers):
    """`minilm.variants` has the parts of GPT-2 but for biases, which are zero here."""
    model = draw_weights(build("gpt2", dataclasses.replace(CONFIG, tie_embeddings=True)), std=1.5).eval()
    settings = config_by_the_table(2) | {"n_inner": model.blocks[0].mlp.up_proj.out_features, "tie_word_embeddings": True, "activation_function": "gelu"}
    twin = transformers.GPT2LMHeadModel(transformers.GPT2Config(**settings, bos_token_id=0, eos_token_id=0)).eval()
    assert set(names(MODEL[-2][2])) <= set(twin.config.to_dict())
    carried = twin.state_dict() | {name: torch.zeros_like(value) for name, value in twin.state_dict().items() if name.endswith(".bias")}
    given = weights_by_the_table_of_gpt2(model)
    assert set(given) == {name for name in carried if name.endswith(".weight")}
    carried |= {name: value.T if value.ndim == 2 and ".h." in name else value for name, value in given.items()}  # "the other way round"
    for name, value in model.state_dict().items():
        if name.endswith("norm.bias"):
            row = next(row for row in WEIGHTS if names(row[0]) == [re.sub(r"\.\d+\.", ".0.", name).replace(".bias", ".weight")])
            carried[re.sub(r"\.h\.0\.", f".h.{name.split('.')[1]}.", names(row[2])[0]).replace(".weight", ".bias")] = value
    twin.load_state_dict(carried)
    torch.testing.assert_close(twin(TOKENS).logits, model(TOKENS), rtol=1e-4, atol=1e-4)


def weights_by_the_table_of_gpt2(model) -> dict:
    positions = next(row for row in WEIGHTS if not names(row[0]))
    return weights_by_the_table(model, 2) | {names(positions[2])[0]: model.embed.positions.data}


def test_nanogpt_has_the_names_of_gpt2s_weights():
    assert [row[1] for row in WEIGHTS] == [row[2] for row in WEIGHTS]  # it loads them by these names


def test_names_in_the_code_and_of_a_training_exist_in_transformers(transformers):
    settings = {field.name for field in dataclasses.fields(transformers.TrainingArguments)} | set(transformers.GenerationConfig().to_dict())
    assert not {name for row in TRAINING for name in names(row[2])} - settings
    given = set(inspect.signature(transformers.LlamaForCausalLM.forward).parameters)
    assert {"input_ids", "labels", "cache"} <= {name for row in CODE for name in names(row[3])} & given
