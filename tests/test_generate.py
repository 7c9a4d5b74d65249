"""Writing with a cache equals writing without; the filters keep what they say, and what Hugging Face's keep; text streams out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessorList, MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from minilm.config import ModelConfig
from minilm.generate import generate, generate_ids, next_token_probs
from minilm.model import Transformer
from minilm.tokenizer import Tokenizer

SHAPE = ModelConfig(vocab_size=257, context_length=12, d_model=64, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=64)
TOKENIZER = Tokenizer([])


@pytest.fixture(scope="module")
def model() -> Transformer:
    model = Transformer(SHAPE, seed=3)
    for parameter in model.parameters():  # large weights, so that the guesses differ from token to token
        parameter.data.mul_(4)
    return model.eval()


class Scripted(torch.nn.Module):
    """Predicts one text, whatever it reads."""

    def __init__(self, script: bytes):
        super().__init__()
        self.config, self.embed, self.script, self.place = SHAPE, torch.nn.Embedding(257, 1), [*script, 256], 0

    def new_caches(self):
        return None

    def forward(self, tokens, caches):
        logits = torch.zeros(*tokens.shape, 257)
        logits[0, -1, self.script[self.place]] = 100.0
        self.place += 1
        return logits


@torch.no_grad()
def written_without_cache(model, ids, n_tokens, seed, **settings):
    """The same rule in slow motion: everything is read again for every token."""
    generator, window, written = torch.Generator().manual_seed(seed), list(ids)[-12:], []
    for _ in range(n_tokens):
        if len(window) > 12:
            window = window[-6:]
        probs = next_token_probs(model(torch.tensor([window]))[0, -1], **settings)
        written.append(torch.multinomial(probs, 1, generator=generator).item())
        window.append(written[-1])
    return written


@pytest.mark.parametrize(
    "settings", [{"temperature": 0.0}, {"temperature": 1.0, "top_p": 1.0}, {"temperature": 0.7, "top_k": 20, "top_p": 0.9, "min_p": 0.2}]
)
@pytest.mark.parametrize("n_read", [1, 5, 12, 30])
def test_the_cache_changes_nothing_also_beyond_the_context(model, settings, n_read):
    ids = [256, *range(60, 60 + n_read - 1)]
    written = list(generate_ids(model, ids, max_new_tokens=40, seed=5, **settings))
    assert written == written_without_cache(model, ids, 40, 5, **settings)
    assert len(set(written)) > 3  # not one token over and over, which any cache would get right


def test_the_seed_decides(model):
    def story(seed):
        return list(generate_ids(model, [256], max_new_tokens=30, temperature=1.0, seed=seed))

    assert story(1) == story(1) != story(2)


def kept_by_hand(probs: list[float], top_k: int | None, top_p: float, min_p: float) -> set[int]:
    ranked = sorted(range(len(probs)), key=lambda i: -probs[i])
    kept, total = set(), 0.0
    for i in ranked[:top_k]:
        if total >= top_p or probs[i] < min_p * max(probs):
            break
        kept.add(i)
        total += probs[i]
    return kept


@settings(deadline=None)
@given(st.permutations([1, 2, 4, 8, 16, 32]), st.none() | st.integers(1, 8), st.sampled_from([0.1, 0.5, 0.6, 0.9, 1.0]),
       st.sampled_from([0.0, 0.1, 0.3, 1.0]))  # fmt: skip
def test_the_filters_keep_the_likeliest(weights, top_k, top_p, min_p):
    wanted = [weight / 63 for weight in weights]
    probs = next_token_probs(torch.tensor(wanted).log(), temperature=1.0, top_k=top_k, top_p=top_p, min_p=min_p)
    kept = kept_by_hand(wanted, top_k, top_p, min_p)
    assert set(probs.nonzero().flatten().tolist()) == kept
    share = sum(wanted[i] for i in kept)
    torch.testing.assert_close(probs, torch.tensor([w / share if i in kept else 0.0 for i, w in enumerate(wanted)]))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7])
@pytest.mark.parametrize("k, p, min_p", [(5, 0.5, 0.3), (40, 0.9, 0.1), (200, 0.95, 0.02)])
@pytest.mark.parametrize("seed", range(5))
def test_the_filters_equal_those_of_hugging_face(temperature, k, p, min_p, seed):
    logits = 3 * torch.randn(500, generator=torch.Generator().manual_seed(seed))

    def ours(**settings):
        return next_token_probs(logits, **{"temperature": temperature, "top_p": 1.0} | settings)

    def theirs(*filters):
        warpers = LogitsProcessorList([TemperatureLogitsWarper(temperature), *filters])
        return warpers(torch.zeros(1, 1, dtype=torch.long), logits[None].clone())[0].softmax(dim=-1)

    torch.testing.assert_close(ours(top_k=k), theirs(TopKLogitsWarper(k)))
    torch.testing.assert_close(ours(top_p=p), theirs(TopPLogitsWarper(p)))
    torch.testing.assert_close(ours(min_p=min_p), theirs(MinPLogitsWarper(min_p)))
    torch.testing.assert_close(ours(top_k=k, min_p=min_p), theirs(TopKLogitsWarper(k), MinPLogitsWarper(min_p)))
    torch.testing.assert_close(ours(top_p=p, min_p=min_p), theirs(TopPLogitsWarper(p), MinPLogitsWarper(min_p)))
    # Theirs lets top_p look at what top_k left, shared out again: ours, one after the other. In one call ours may keep more.
    both = theirs(TopKLogitsWarper(k), TopPLogitsWarper(p))
    torch.testing.assert_close(next_token_probs(ours(top_k=k).log(), temperature=1.0, top_p=p), both)
    assert not both[ours(top_k=k, top_p=p) == 0].any()


def test_temperature_sharpens():
    logits = torch.tensor([1.0, 2.0, 3.0])
    expected = (logits / 0.5).exp() / (logits / 0.5).exp().sum()
    torch.testing.assert_close(next_token_probs(logits, temperature=0.5, top_p=1.0), expected)
    assert next_token_probs(logits, temperature=0).tolist() == [0.0, 0.0, 1.0]
    assert next_token_probs(logits, temperature=1e-30).tolist() == [0.0, 0.0, 1.0]


def test_tokens_are_drawn_as_often_as_they_are_likely():
    class Coin(Scripted):
        def forward(self, tokens, caches):
            return torch.tensor([0.5, 0.3, 0.2]).log().expand(1, tokens.shape[1], 3)

    drawn = torch.tensor(list(generate_ids(Coin(b""), [0], max_new_tokens=4000, temperature=1.0, top_p=1.0)))
    shares = torch.bincount(drawn, minlength=3) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.3, 0.2]), atol=0.03, rtol=0)  # four standard errors


def test_letters_come_out_whole_and_the_end_mark_ends():
    pieces = list(generate(Scripted("é🐈!".encode()), TOKENIZER, "Hi", temperature=0))
    assert pieces == ["é", "🐈", "!"]


def test_a_torn_letter_at_the_end_is_shown_as_torn():
    assert "".join(generate(Scripted("ab🐈".encode()[:-1]), TOKENIZER, temperature=0)) == "ab\ufffd"


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_p": 1.5}, {"top_k": 0}, {"min_p": 1.5}, {"max_new_tokens": 0}])
def test_settings_that_cannot_work_are_refused(model, wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"{name} (is )?{value}"):
        next(generate(model, TOKENIZER, "Hi", **wrong))


def test_an_empty_row_is_refused(model):
    with pytest.raises(ValueError, match="begin with the end-of-text id"):
        next(generate_ids(model, []))
