"""Every token is predicted once, from its own window alone; bits per byte compare any two models, whatever their tokens and contexts."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from minilm.config import ModelConfig
from minilm.data import encode_stories
from minilm.evaluate import Evaluation, bits_per_byte, evaluate
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
    assert found.to_dict() == pytest.approx(expected)


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
