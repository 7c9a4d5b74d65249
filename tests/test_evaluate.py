"""Every token is predicted once, from its own window alone; bits per byte compare any two models, whatever their tokens and contexts; who is planted
to be right is right, and a verdict has an interval."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from minilm.config import ModelConfig
from minilm.data import encode_stories
from minilm.evaluate import (
    Evaluation,
    accuracy,
    bits_per_byte,
    chance_level,
    compare,
    evaluate,
    last_word_accuracy,
    mean_difference,
    score_choices,
)
from minilm.items import Item
from minilm.model import Transformer
from minilm.tokenizer import GPT2_PATTERN, Tokenizer, train_tokenizer
from tests.reference import nats_token_by_token

BYTES = Tokenizer([])
STORIES = ["Ana saw the cat.", "é", "The cat saw Ana and the café. 🐈", "The end. " * 20]
CONTEXT = 8


class Scripted(torch.nn.Module):
    """Any function from tokens (B, T) to logits (B, T, V), as a model; remembers what it was shown."""

    def __init__(self, logits_of, context_length: int):
        super().__init__()
        self.logits_of, self.config, self.seen = logits_of, SimpleNamespace(context_length=context_length), []

    def forward(self, tokens):
        self.seen.append(tokens)
        return self.logits_of(tokens)


def the_alphabet(tokens):
    """Half of the probability to the next id, the rest evenly to the other 256."""
    probs = torch.full((*tokens.shape, 257), 0.5 / 256)
    return probs.scatter(-1, ((tokens + 1) % 257)[..., None], 0.5).log()


@pytest.mark.parametrize("context_length", [1, 2, 3, 4, 100])
def test_a_loss_computed_by_hand(context_length):
    # The end mark, 256, promises 0; "a" promises "b"; "b" promises "c"; "c" promises "d". Two of four tokens keep it: 1 bit each, 9 for the others.
    found = evaluate(Scripted(the_alphabet, context_length), encode_stories(["abc"], BYTES), BYTES)
    assert found.nats == pytest.approx(20 * math.log(2)) and (found.n_tokens, found.n_bytes) == (4, 3)
    assert found.bits_per_byte == pytest.approx(20 / 3) and found.nats_per_token == pytest.approx(5 * math.log(2))


def test_the_end_mark_before_the_first_story_costs_nothing_but_is_read():
    model = Scripted(the_alphabet, CONTEXT)
    evaluate(model, np.array([*b"abc", 256, *b"de"]), BYTES)  # a row that ends without a mark, as a cut of a longer one may
    assert [tokens.tolist() for tokens in model.seen] == [[[256, 97, 98, 99, 256, 100]]]


LENGTHS = [1, CONTEXT - 1, CONTEXT, CONTEXT + 1, 2 * CONTEXT, 3 * CONTEXT - 1, 3 * CONTEXT, 3 * CONTEXT + 1, 6 * CONTEXT, 7 * CONTEXT + 5]


@pytest.fixture(scope="module")
def model() -> Transformer:
    model = Transformer(ModelConfig(vocab_size=257, context_length=CONTEXT, d_model=64, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=64), seed=1)
    for parameter in model.parameters():  # large weights, so that what was read decides what is guessed
        parameter.data.mul_(4)
    return model.eval()


@pytest.mark.parametrize("n_tokens", LENGTHS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_token_is_predicted_once_from_its_own_window(model, n_tokens, batch_size):
    ids = np.random.default_rng(n_tokens).integers(0, 257, n_tokens).astype(np.uint16)
    told = []
    found = evaluate(model, ids, BYTES, batch_size=batch_size, progress=told.append)
    with torch.no_grad():
        expected = nats_token_by_token(lambda context: model(torch.tensor([context]))[0, -1].tolist(), ids.tolist(), CONTEXT, first=256)
    assert found.nats == pytest.approx(expected, rel=1e-5)
    assert found.n_tokens == sum(told) == n_tokens and max(told) <= batch_size * CONTEXT


def bits_of(byte: int) -> int:
    return 9 + byte % 3


def byte_by_byte(tokenizer: Tokenizer):
    """A model that reads nothing and gives byte b the probability 2 ** -bits_of(b), a token the product of its bytes', a story's end 1 in 16.

    What is left of the probability goes to an id that never occurs.
    """
    probs = torch.tensor([math.prod(2.0 ** -bits_of(byte) for byte in token) for token in tokenizer.vocab], dtype=torch.float64)
    probs[tokenizer.end_of_text] = 1 / 16
    logits = torch.cat((probs, 1 - probs.sum(0, keepdim=True))).log()
    return lambda tokens: logits.expand(*tokens.shape, -1)


TOKENIZERS = {
    "bytes": BYTES,
    "10 merges": train_tokenizer(STORIES, 267),
    "all merges": train_tokenizer(STORIES, 400),
    "GPT-2's pattern": train_tokenizer(STORIES, 262, pattern=GPT2_PATTERN),
}


@pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)
@pytest.mark.parametrize("context_length", [1, 7, 64, 1000])
def test_bits_per_byte_depend_on_neither_tokenizer_nor_context(tokenizer, context_length):
    found = evaluate(Scripted(byte_by_byte(tokenizer), context_length), encode_stories(STORIES, tokenizer), tokenizer)
    text = "".join(STORIES).encode()
    assert found.n_bytes == len(text)
    assert found.bits_per_byte == pytest.approx((sum(map(bits_of, text)) + 4 * len(STORIES)) / len(text), rel=1e-6)


def test_the_tokenizers_above_differ_in_their_tokens():
    lengths = [len(encode_stories(STORIES, tokenizer)) for tokenizer in TOKENIZERS.values()]
    assert len(set(lengths)) == 4 and min(lengths) < 0.5 * max(lengths)


def test_the_record_holds_every_number():
    found = Evaluation(nats=10 * math.log(2), n_tokens=4, n_bytes=5)
    expected = {"bits_per_byte": 2.0, "nats_per_token": 2.5 * math.log(2), "nats": 10 * math.log(2), "n_tokens": 4, "n_bytes": 5}
    assert found.to_dict() == pytest.approx(expected) and found.perplexity == pytest.approx(2**2.5)


def test_no_gradient_is_kept(model):
    evaluate(model, np.arange(20), BYTES)
    assert all(parameter.grad is None for parameter in model.parameters())
    wants = []
    evaluate(Scripted(lambda tokens: wants.append(torch.is_grad_enabled()) or the_alphabet(tokens), CONTEXT), np.arange(20), BYTES)
    assert wants and not any(wants)


def test_logits_in_half_precision_are_summed_in_whole():
    logits = torch.cat((torch.tensor([8.0]), torch.zeros(256))).bfloat16()  # 8 for id 0 and 0 for the others, exact in any precision
    found = evaluate(Scripted(lambda tokens: logits.expand(*tokens.shape, -1), 250), np.zeros(250, np.uint16), BYTES)
    assert found.nats == pytest.approx(250 * (math.log(math.exp(8) + 256) - 8), rel=1e-4)


def test_what_has_no_text_has_no_score():
    with pytest.raises(ValueError, match="there are no tokens to evaluate; give a text that is not empty"):
        evaluate(Scripted(the_alphabet, CONTEXT), np.zeros(0, np.uint16), BYTES)
    with pytest.raises(ValueError, match="bits per byte of 0 bytes of text"):
        bits_per_byte(1.0, 0)
    with pytest.raises(ValueError, match="bits per byte of 0 bytes of text"):
        evaluate(Scripted(the_alphabet, CONTEXT), np.array([256]), BYTES).bits_per_byte
    assert bits_per_byte(0.0, 1) == 0.0


# Items

ITEMS = [
    Item(context=f"The {number} cats saw", choices=(" a dog.", " the big dogs.", " Ana.")[: 2 + number % 2], answer=number % 2, kind="", source=str(number))
    for number in range(60)
]


def answer_with(pick) -> np.ndarray:
    """Ask a model that makes the choice `pick(item)` the likeliest for every byte, of every item alone."""
    right = []
    for item in ITEMS:
        wanted = (item.context + item.choices[pick(item)]).encode()
        script = torch.full((len(wanted) + 1, 257), 0.0)
        script[torch.arange(len(wanted)), torch.tensor(list(wanted))] = 20.0  # after n bytes the next of the wanted text
        model = Scripted(lambda tokens, script=script: script[torch.arange(tokens.shape[1]) % len(script)].expand(*tokens.shape, 257), 10_000)
        right.append(score_choices(model, BYTES, [item], normalise="byte").right[0])
    return np.array(right)


def test_planted_models_are_always_right_never_right_and_right_by_chance():
    dice = np.random.default_rng(0)
    assert accuracy(answer_with(lambda item: item.answer)).share == 1
    assert accuracy(answer_with(lambda item: 1 - item.answer)).share == 0
    chance = chance_level(ITEMS)
    found = accuracy(answer_with(lambda item: dice.integers(len(item.choices))), chance)
    assert chance == pytest.approx(5 / 12) and abs(found.share - chance) < 3 * math.sqrt(chance * (1 - chance) / len(ITEMS))


def test_a_model_that_likes_all_alike_answers_nothing():
    same = [Item(context="So", choices=(" ab", " cd"), answer=0, kind="", source="")]
    assert not score_choices(Scripted(lambda tokens: torch.zeros(*tokens.shape, 257), 100), BYTES, same).right[0]


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_likelihoods_are_those_of_each_token_after_all_before_it(name, batch_size):
    tokenizer = TOKENIZERS[name]
    config = ModelConfig(vocab_size=tokenizer.vocab_size, context_length=64, d_model=32, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=64)
    model = Transformer(config, seed=2).eval()
    for parameter in model.parameters():
        parameter.data.mul_(4)
    told = []
    scores = score_choices(model, tokenizer, ITEMS[:6], batch_size=batch_size, progress=told.append)
    assert sum(told) == sum(len(item.choices) for item in ITEMS[:6]) and scores.n_cut == 0
    for item, found in zip(ITEMS, scores.likelihoods):
        n_context = 1 + len(tokenizer.encode(item.context))  # the border is before a blank, which no token crosses from the left
        for choice, likelihood in zip(item.choices, found):
            ids = [tokenizer.end_of_text, *tokenizer.encode(item.context + choice)]
            with torch.no_grad():
                slow = sum(model(torch.tensor([ids[:i]]))[0, -1].log_softmax(-1)[ids[i]].item() for i in range(n_context, len(ids)))
            assert likelihood == pytest.approx(slow, rel=1e-4)


def test_a_token_across_the_border_is_judged_with_every_choice():
    merged = Tokenizer([(b"c", b"a"), (b"ca", b"t")])  # ids 256, 257; the end of text is 258
    item = Item(context="xc", choices=("at", "ow"), answer=0, kind="", source="")
    seen = Scripted(lambda tokens: (torch.arange(259.0) / 50).expand(*tokens.shape, 259), 100)
    logs = (torch.arange(259.0) / 50).log_softmax(-1)
    found = score_choices(seen, merged, [item]).likelihoods[0]
    assert found == pytest.approx([logs[257].item(), sum(logs[byte].item() for byte in b"cow")], rel=1e-4)


def test_normalisation_turns_a_verdict():
    item = Item(context="a", choices=("bbbb", "c"), answer=0, kind="", source="")
    logits = torch.full((257,), -20.0)
    logits[98], logits[99] = math.log(0.6), math.log(0.3)  # four b: 0.13, one c: 0.3; but for each byte b is likelier
    model = Scripted(lambda tokens: logits.expand(*tokens.shape, 257), 100)
    assert [bool(score_choices(model, BYTES, [item], normalise=how).right[0]) for how in ("none", "token", "byte")] == [False, True, True]
    merged, wide = Tokenizer([(b"b", b"b")]), torch.full((258,), -20.0)
    wide[256], wide[99] = math.log(0.25), math.log(0.3)  # two tokens of two bytes each: less likely for a token, likelier for a byte
    model = Scripted(lambda tokens: wide.expand(*tokens.shape, 258), 100)
    assert [bool(score_choices(model, merged, [item], normalise=how).right[0]) for how in ("none", "token", "byte")] == [False, False, True]


def test_a_long_context_is_cut_from_the_left_alike_for_all_choices_and_counted():
    item = Item(context="abcdefgh", choices=("ij", "ijkl"), answer=0, kind="", source="")
    short = Item(context="ab", choices=("c", "d"), answer=0, kind="", source="")
    model = Scripted(the_alphabet, 6)
    scores = score_choices(model, BYTES, [item, short], batch_size=1)
    assert sorted(bytes(row[0].tolist()) for row in model.seen if 256 not in row) == [b"fghi", b"fghijk"]
    assert scores.n_cut == 1
    with pytest.raises(ValueError, match="a choice of 7 tokens does not fit into a window of 6: 'bcdefgh'"):
        score_choices(model, BYTES, [Item(context="a", choices=("bcdefgh", "x"), answer=0, kind="", source="")])


def test_a_last_word_counts_when_every_token_is_the_likeliest():
    items = [Item(context="ab", choices=choices, answer=0, kind="", source="") for choices in (("cde", "x"), ("cdf", "x"), ("dde", "x"))]
    scores = score_choices(Scripted(the_alphabet, 100), BYTES, items)
    assert scores.greedy.tolist() == [True, False, False] and last_word_accuracy(scores).share == pytest.approx(1 / 3)


def test_wilsons_interval_by_its_formula():
    n, p, z = 40, 0.9, 1.959963985
    found = accuracy(np.arange(n) < 36)
    middle, half = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half)) and accuracy(np.ones(5)).high == 1


def test_equally_good_models_differ_as_seldom_as_the_test_says():
    rng = np.random.default_rng(0)
    ability = rng.random(200)  # items are hard or easy for both alike
    found = [compare(*(rng.random((2, 200)) < ability), n_samples=400) for _ in range(400)]
    assert np.mean([one.p_value <= 0.05 for one in found]) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)
    missed = np.mean([not one.low <= 0 <= one.high for one in found])
    assert 0.02 <= missed <= 0.09
    assert compare(np.ones(60), np.arange(60) < 45).p_value == pytest.approx(2 * 0.5**15)


def test_a_comparison_looks_only_at_items_that_part_the_models():
    first, second = np.array([True] * 12 + [False] * 4 + [True] * 84), np.array([False] * 12 + [True] * 4 + [True] * 84)
    found = compare(first, second)
    assert (found.difference, found.n_only_first, found.n_only_second) == (0.08, 12, 4)
    assert found.p_value == pytest.approx(2 * sum(math.comb(16, k) for k in range(5)) / 2**16)
    assert found.low == pytest.approx(0.08 - 1.96 * math.sqrt((0.16 - 0.08**2) / 100), abs=0.012)
    assert compare(first, first).p_value == 1.0
    drawn = np.random.default_rng(1).integers(100, size=(20_000, 100))  # the slow way: items drawn with replacement
    slow = np.percentile((first[drawn].mean(1) - second[drawn].mean(1)), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx(tuple(slow), abs=0.0101)


def test_what_cannot_be_scored_is_said():
    model = Scripted(the_alphabet, 100)
    for call, message in (
        (lambda: score_choices(model, BYTES, []), "there are no items to score"),
        (lambda: score_choices(model, BYTES, ITEMS, normalise="word"), "normalise is 'word'; it must be one of none, token, byte"),
        (lambda: accuracy(np.array([])), "no share of 0 items"),
        (lambda: compare(np.ones(3), np.ones(4)), "3 and 4 answers; give both models the same items"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("first, second, said", [([], [], "0 and 0 values"), ([1.0, 2.0], [1.0], "2 and 1 values")])
def test_a_mean_difference_needs_pairs(first, second, said):
    with pytest.raises(ValueError, match=said):
        mean_difference(first, second)
