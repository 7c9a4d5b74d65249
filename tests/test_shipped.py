"""The models that come with the repository: small, of a shape that can be exported, and as good as their cards say."""

import json
from itertools import islice

import pytest

from minilm.checkpoint import load_model
from minilm.config import MODELS, ModelConfig
from minilm.corpora import read_stories
from minilm.data import encode_stories
from minilm.evaluate import evaluate
from minilm.generate import generate
from minilm.storyworld import grade, stories

FOLDERS = sorted(path.parent for path in MODELS.glob("*/config.json"))
each_model = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@each_model
def test_it_is_small_and_of_a_shape_that_can_be_exported(folder):
    model, _ = load_model(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 6e6
    assert 1e6 <= model.n_params <= 3e6
    assert model.config.d_model % 64 == model.config.d_ff % 64 == 0
    assert ModelConfig().d_model % 64 == ModelConfig().d_ff % 64 == 0


@each_model
def test_the_card_tells_what_the_record_says(folder):
    record, card = json.loads((folder / "run.json").read_text()), (folder / "card.md").read_text()
    assert f"**{record['result']['valid_bits_per_byte']:.4f} bits per byte**" in card
    assert f"{load_model(folder)[0].n_params:,} parameters" in card and record["command"] in card
    assert all(word in card for word in ("licence", "seed", "curve.png", "Limits"))


@each_model
def test_it_tells_a_story_that_begins_and_ends(folder):
    story = "".join(generate(*load_model(folder), "Once upon a time", seed=0, max_new_tokens=500))
    words = story.split()
    assert 30 < len(words) < 450 and story.rstrip()[-1] in '.!?"' and len(set(words)) > 25


def test_it_scores_on_real_stories_what_its_card_says(tinystories):
    model, tokenizer = load_model(MODELS / "tinystories")
    found = evaluate(model, encode_stories(read_stories(tinystories / "valid.txt"), tokenizer), tokenizer)
    result = json.loads((MODELS / "tinystories" / "run.json").read_text())["result"]
    assert (found.n_bytes, found.n_tokens) == (5_872_376, result["valid_n_tokens"])
    assert found.bits_per_byte == pytest.approx(result["valid_bits_per_byte"], rel=1e-4) and found.bits_per_byte <= 0.69


def test_the_storyworld_model_predicts_stories_it_never_saw():
    model, tokenizer = load_model(MODELS / "storyworld")
    record = json.loads((MODELS / "storyworld" / "run.json").read_text())["result"]
    unseen = list(islice(stories("unseen"), 100))
    found = evaluate(model, encode_stories(unseen, tokenizer), tokenizer)
    assert found.bits_per_byte == pytest.approx(record["valid_bits_per_byte"], rel=0.03)


def test_the_storyworld_model_writes_what_its_reader_understands():
    model, tokenizer = load_model(MODELS / "storyworld")
    graded = [grade("".join(generate(model, tokenizer, seed=seed, max_new_tokens=600))) for seed in range(8)]
    n_sentences, n_unparsed = sum(len(found.sentences) for found in graded), sum(len(found.unparsed) for found in graded)
    assert n_sentences > 80 and n_unparsed < 0.2 * n_sentences
