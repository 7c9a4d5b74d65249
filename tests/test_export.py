"""What leaves this repository gives the same ids, logits and texts elsewhere, what comes in is refused or understood, and nothing is bent to fit."""

import json
import logging
import math
from functools import cache
from itertools import islice

import gguf
import numpy as np
import pytest
import tokenizers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from minilm.checkpoint import load_model
from minilm.config import MODELS, ModelConfig
from minilm.data import encode_stories
from minilm.evaluate import evaluate
from minilm.export import (
    EXPORTS,
    LLAMA3_PATTERN,
    WEIGHTS,
    export_gguf,
    export_hf,
    export_llama2c,
    import_hf,
    llama2c_order,
    llama2c_pieces,
    quantised_model,
    split_otherwise,
)
from minilm.export.common import hugging_face_name, visible
from minilm.generate import generate, generate_ids
from minilm.model import Transformer
from minilm.storyworld import stories
from minilm.tokenizer import END_OF_TEXT, GPT2_PATTERN, GPT4_PATTERN, Tokenizer, train_tokenizer
from tests import llama2c
from tests.made import draw_weights

SAMPLE = (
    "Once upon a time there was a little girl. She'd lost her ball, and they'll look for it!  'I'M HERE,' it said.\n\n"
    "   Der Mond schien, größer als 12345 Äpfel; 1000000 Sterne 🙂🙂 ...\r\n\tdef f(x):\n        return x  # 2024-01-31\n"
    "Жила-была девочка. Она нашла мяч. 昔々あるところに、女の子がいました。 \u00a0 \u3000x\n \n"
) * 3
# Characters that Python knows are cut alike by all engines; those that no one had assigned yet may be letters to one and not to the other.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cn"))
TRICKY = st.sampled_from([*" \n\t\r\x1c\x85\u00a0\u3000'’.,!_-sStTdDmMlLeE0123٣½éßжд漢🙂", "  ", "\r\n", "\n ", "12345", "'ll", " the", "e\u0301", END_OF_TEXT])
TEXTS = st.lists(TRICKY | CHARACTERS, max_size=30).map("".join)
thorough = settings(max_examples=150, deadline=None)
PATTERNS = {"gpt2": GPT2_PATTERN, "gpt4": GPT4_PATTERN, "llama3": LLAMA3_PATTERN}
patterns = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
SHAPES = {f"{'tied' if tied else 'untied'}, {n_kv_heads} of 4 heads": (tied, n_kv_heads) for tied in (True, False) for n_kv_heads in (4, 2)}
each_shape = pytest.mark.parametrize(("tied", "n_kv_heads"), SHAPES.values(), ids=SHAPES)


@cache
def trained(pattern: str = GPT4_PATTERN) -> Tokenizer:
    return train_tokenizer([SAMPLE], 400, pattern=pattern)


def loud(tied: bool = True, n_kv_heads: int = 2, seed: int = 0, **changes) -> Transformer:
    sizes = {"vocab_size": 400, "context_length": 48, "d_model": 64, "n_layers": 2, "n_heads": 4, "d_ff": 96}
    model = Transformer(ModelConfig(**sizes | {"n_kv_heads": n_kv_heads, "tie_embeddings": tied} | changes))
    return draw_weights(model, std=1.0, seed=seed).eval()


def drawn_tokens(n_tokens: int = 40, seed: int = 0) -> torch.Tensor:
    return torch.randint(400, (1, n_tokens), generator=torch.Generator().manual_seed(seed))


def logits_of(model, tokens: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        found = model(tokens)
    return getattr(found, "logits", found)


def greedy_text(model: Transformer, tokenizer: Tokenizer, prompt: str, n_tokens: int) -> str:
    return prompt + "".join(generate(model, tokenizer, prompt, temperature=0, max_new_tokens=n_tokens))


@pytest.fixture(scope="module")
def shipped():
    return load_model(MODELS / "storyworld")


# Hugging Face


@each_shape
def test_hugging_face_computes_the_same(transformers, tmp_path, tied, n_kv_heads):
    model = loud(tied, n_kv_heads, rope_theta=5_000.0, norm_eps=1e-3)
    folder = export_hf(model, trained(), tmp_path / "hf")
    theirs, loading = transformers.LlamaForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(loading.values()), loading  # no weight is missing, left over or of another shape
    assert theirs.dtype == torch.float32 and theirs.config.tie_word_embeddings == tied and logits_of(theirs, drawn_tokens()).std() > 0.9
    assert_close(logits_of(model, drawn_tokens()), logits_of(theirs, drawn_tokens()), rtol=1e-5, atol=1e-5)


@each_shape
def test_hugging_face_writes_the_same_text(transformers, tmp_path, tied, n_kv_heads):
    model, prompt = loud(tied, n_kv_heads, seed=1), "Once upon a"
    folder = export_hf(model, trained(), tmp_path / "hf")
    theirs, tokenizer = transformers.AutoModelForCausalLM.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)
    ids = theirs.generate(**tokenizer(prompt, return_tensors="pt"), do_sample=False, max_new_tokens=25)
    ours = greedy_text(model, trained(), prompt, 25)
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == ours and len(ours) > len(prompt)


def test_the_shipped_model_tells_the_same_story_there(transformers, tmp_path, shipped):
    folder = export_hf(*shipped, tmp_path / "hf", weights="float16")  # as it lies on the disk
    theirs, tokenizer = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), transformers.AutoTokenizer.from_pretrained(folder)
    ids = theirs.generate(**tokenizer("Once upon a time", return_tensors="pt"), do_sample=False, max_new_tokens=120)
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == greedy_text(*shipped, "Once upon a time", 120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """For what all texts of a test share, which is written once."""
    return tmp_path_factory.mktemp("exported")


@cache
def tokenizer_there(pattern: str, folder):
    import transformers

    return transformers.AutoTokenizer.from_pretrained(export_hf(loud(), trained(pattern), folder / f"hf{len(pattern)}"))


@patterns
@given(text=TEXTS)
@thorough
def test_hugging_face_gives_any_text_the_same_ids(folder, pattern, text):
    theirs, ours = tokenizer_there(pattern, folder), trained(pattern)
    ids = ours.encode(text, allow_special=True)
    assert theirs(text, add_special_tokens=False)["input_ids"] == ids
    assert theirs(text)["input_ids"] == [ours.end_of_text, *ids]
    assert theirs.decode(ids) == text


@pytest.mark.parametrize("text", ["a\n ", "a \r\n\t", "ſ 'ſ it'ſ", "1234567", f"a{END_OF_TEXT} b{END_OF_TEXT}", "", " "])
@patterns
def test_texts_that_engines_tend_to_cut_otherwise(folder, pattern, text):
    theirs = tokenizer_there(pattern, folder)
    assert theirs(text, add_special_tokens=False)["input_ids"] == trained(pattern).encode(text, allow_special=True)


ACROSS = [(b"(", b"a"), (b"1", b"2"), (b"12", b"3"), (b"123", b"4"), (b"\n", b" "), (b" ", b" ")]  # tokens that some pattern would cut through


@patterns
def test_tokens_that_another_pattern_would_cut_through(transformers, tmp_path, pattern):
    tokenizer, model = Tokenizer(ACROSS, pattern=pattern), loud(vocab_size=263)
    hf = transformers.AutoTokenizer.from_pretrained(export_hf(model, tokenizer, tmp_path / "hf"))
    named = transformers.AutoTokenizer.from_pretrained(export_gguf(model, tokenizer, tmp_path / "out.gguf").parent, gguf_file="out.gguf")
    for text in ("(a", "1234", "a  b", "a\n b", "a\n ", " \n  "):
        ours = tokenizer.encode(text)
        assert hf(text, add_special_tokens=False)["input_ids"] == ours
        differs = pattern == GPT4_PATTERN and text in ("a\n ", " \n  ")  # the one thing that GGUF's name for the pattern leaves out
        assert (named(text, add_special_tokens=False)["input_ids"] != ours) == differs


def test_the_folder_is_complete_and_runs_no_code(tmp_path):
    model = loud()
    folder = export_hf(model, trained(), tmp_path / "tales", weights="float16", card="# Tales\n\nFrom tales, CC0.\n\n![A curve](curve.png)\n")
    names = {"README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in folder.iterdir()} == names
    config, card = json.loads((folder / "config.json").read_text()), (folder / "README.md").read_text()
    assert "auto_map" not in config and config["architectures"] == ["LlamaForCausalLM"] and config["eos_token_id"] == trained().end_of_text
    assert card.startswith("---\nlibrary_name: transformers\n") and "From tales, CC0." in card and "curve.png" not in card
    weights = load_file(folder / "model.safetensors")
    assert "lm_head.weight" not in weights and all(w.dtype == torch.float16 for w in weights.values())
    export_hf(model, trained(), tmp_path / "other")
    assert f"{model.n_params:,} parameters" in (tmp_path / "other" / "README.md").read_text()


# llama2.c


def place_of(tokenizer: Tokenizer) -> dict[int, int]:
    """llama2.c's id of each of ours, as a reader of its files finds it: by the strings."""
    return {ours: theirs for theirs, ours in enumerate(llama2c_order(tokenizer))}


def all_logits(runner: llama2c.Runner, ids: list[int]) -> np.ndarray:
    return np.stack([runner.forward(token, position) for position, token in enumerate(ids)])


@each_shape
def test_llama2c_computes_and_writes_the_same(tmp_path, tied, n_kv_heads):
    model, tokenizer = loud(tied, n_kv_heads), trained()
    folder, place, order = export_llama2c(model, tokenizer, tmp_path / "c"), place_of(tokenizer), llama2c_order(tokenizer)
    runner = llama2c.Runner(folder / "model.bin")
    assert (runner.p["shared"], runner.p["n_kv_heads"], runner.p["seq_len"], runner.p["vocab_size"]) == (tied, n_kv_heads, 48, 400)
    tokens = drawn_tokens()
    found = all_logits(runner, [place[int(token)] for token in tokens[0]])
    assert_close(torch.from_numpy(found), logits_of(model, tokens)[0, :, order], rtol=1e-4, atol=1e-4)
    prompt = [tokenizer.end_of_text, *tokenizer.encode(" Once upon a")]
    ours = [*prompt, *generate_ids(model, prompt, temperature=0, max_new_tokens=20)]
    theirs = llama2c.Tokenizer(folder / "tokenizer.bin", 400)
    written = llama2c.Runner(folder / "model.bin").greedy(theirs.encode("Once upon a"), len(ours))
    assert written == [place[i] for i in ours][: len(written)] and len(written) == len(ours)
    assert theirs.decode(written).decode(errors="replace") == tokenizer.decode(ours[1:])[1:]


@each_shape
def test_llama2c_int8_is_the_model_that_was_rounded(tmp_path, tied, n_kv_heads):
    model, tokenizer = loud(tied, n_kv_heads), trained()
    folder, place, order = export_llama2c(model, tokenizer, tmp_path / "c", weights="int8"), place_of(tokenizer), llama2c_order(tokenizer)
    rounded, n_bytes = quantised_model(model, 8, 32)
    ids = [place[int(token)] for token in drawn_tokens()[0]]
    runner = llama2c.Runner(folder / "model.bin")
    assert runner.p["group_size"] == 32 and (folder / "model.bin").stat().st_size == 256 + n_bytes  # the most that d_ff 96 allows
    wanted = logits_of(rounded, drawn_tokens())[0, :, order]
    assert_close(torch.from_numpy(all_logits(runner, ids)), wanted, rtol=1e-4, atol=1e-4)
    with_rounded_vectors = torch.from_numpy(all_logits(llama2c.Runner(folder / "model.bin", round_vectors=True), ids))
    assert 0 < (with_rounded_vectors - wanted).std() < 0.1 * wanted.std()
    assert (logits_of(rounded, drawn_tokens()) - logits_of(model, drawn_tokens())).abs().max() > 1e-3


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_the_shipped_model_tells_the_same_story_in_llama2c(tmp_path, shipped, weights):
    model, tokenizer = shipped
    folder, place = export_llama2c(model, tokenizer, tmp_path / "c", weights=weights), place_of(tokenizer)
    twin = quantised_model(model)[0] if weights == "int8" else model
    ours = list(generate_ids(twin, [tokenizer.end_of_text], temperature=0, max_new_tokens=60))
    written = llama2c.Runner(folder / "model.bin", round_vectors=weights == "int8").greedy([1], 61)
    assert written == [1, *(place[i] for i in ours)]
    assert llama2c.Tokenizer(folder / "tokenizer.bin", 4096).decode(written).decode() == tokenizer.decode(ours)


def test_a_story_ends_in_llama2c_where_it_ends_here(tmp_path):
    tokenizer, model = trained(), loud()
    last = {i: place for place, i in enumerate(llama2c_order(tokenizer))}[tokenizer.end_of_text]
    assert last == 1
    with torch.no_grad():  # a model that always writes the mark
        for parameter in model.parameters():
            parameter.zero_() if parameter.ndim == 2 else parameter.fill_(1.0)
        model.embed.weight[:, 0] = 1.0
        model.embed.weight[tokenizer.end_of_text, 0] = 2.0
    folder = export_llama2c(model, tokenizer, tmp_path / "c")
    assert llama2c.Runner(folder / "model.bin").greedy([5, 6], 20) == [5, 6, 1]


@cache
def tokenizer_of_llama2c(pattern: str, folder) -> llama2c.Tokenizer:
    return llama2c.Tokenizer(export_llama2c(loud(), trained(pattern), folder / f"c{len(pattern)}") / "tokenizer.bin", 400)


@pytest.mark.parametrize("pattern", [GPT2_PATTERN, r"\S+|\s+"], ids=["gpt2", "other"])  # no pattern is needed there
@given(text=TEXTS.filter(lambda text: "\0" not in text))
@settings(max_examples=60, deadline=None)
def test_llama2cs_encoder_is_understood(folder, pattern, text):
    theirs, tokenizer = tokenizer_of_llama2c(pattern, folder), trained(pattern)
    order = llama2c_order(tokenizer)
    ids = theirs.encode(text)
    assert [tokenizer.vocab[order[i]] for i in ids[1:]] == llama2c_pieces(tokenizer, text)
    assert theirs.decode(ids) == text.encode()
    differs = [order[i] for i in ids[1:]] != tokenizer.encode(" " + text) if text else False
    assert bool(split_otherwise(tokenizer, [text])) == differs


def test_texts_that_llama2c_splits_otherwise_are_listed():
    tokenizer = Tokenizer([(b"H", b"i"), (b'"', b"Hi"), (b" ", b'"')])  # learned from texts with a quotation mark before and after a blank
    (found,) = split_otherwise(tokenizer, ["Hi", 'no "Hi"', "", "no Hi"])
    assert found.text == 'no "Hi"'
    assert found.ours == [b" ", b"n", b"o", b' "', b"Hi", b'"'] and found.theirs == [b" ", b"n", b"o", b" ", b'"Hi', b'"']


def test_llama2cs_files_are_laid_out_as_its_reader_expects(tmp_path):
    tokenizer = trained()
    folder = export_llama2c(loud(), tokenizer, tmp_path / "c")
    theirs = llama2c.Tokenizer(folder / "tokenizer.bin", 400)
    assert theirs.strings[1] == b"\n<s>\n" and theirs.scores[1] == -math.inf and theirs.longest == max(map(len, theirs.strings))
    assert theirs.strings[3:7] == [b"<0x00>", b"\x01", b"\x02", b"\x03"] and theirs.strings[3 + 0xE9] == b"\xe9"
    merged = [left + right for left, right in tokenizer.merges]
    assert theirs.strings[259:] == merged[:-2] and [theirs.strings[0], theirs.strings[2]] == merged[-2:]
    assert theirs.scores[259:] == sorted(theirs.scores[259:], reverse=True) and theirs.scores[2] < theirs.scores[0] < theirs.scores[-1]
    angles = llama2c.read_model(folder / "model.bin")[1]["angles"]
    position, i = 7, 3
    assert angles[:, position, i] == pytest.approx([math.cos(7 / 10_000 ** (6 / 16)), math.sin(7 / 10_000 ** (6 / 16))], rel=1e-5)


# GGUF


def load_gguf(transformers, path, **options):
    return transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32, **options)


@each_shape
def test_gguf_computes_the_same(transformers, tmp_path, tied, n_kv_heads):
    model = loud(tied, n_kv_heads, rope_theta=5_000.0, norm_eps=1e-3)
    theirs = load_gguf(transformers, export_gguf(model, trained(), tmp_path / "tales.gguf"))
    assert type(theirs) is transformers.LlamaForCausalLM and theirs.config.tie_word_embeddings == tied
    assert theirs.config.max_position_embeddings == 48 and theirs.config.num_key_value_heads == n_kv_heads
    assert_close(logits_of(model, drawn_tokens()), logits_of(theirs, drawn_tokens()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("weights", "bits"), [("float16", None), ("int8", 8), ("int4", 4)])
def test_gguf_with_fewer_bits_is_as_near_as_its_scales(transformers, tmp_path, weights, bits):
    model = loud(tied=False)
    theirs = load_gguf(transformers, export_gguf(model, trained(), tmp_path / "tales.gguf", weights=weights)).state_dict()
    for name, w in model.state_dict().items():
        found = theirs[hugging_face_name(name)]
        if w.ndim == 1:
            assert torch.equal(found, w)
        elif bits is None:
            assert torch.equal(found, w.half().float())
        else:  # of 4 bits the codes go from -8 to 7, and the largest weight takes the -8
            largest = w.unflatten(-1, (-1, 32)).abs().amax(-1, keepdim=True).expand(-1, -1, 32).flatten(1)
            scale = largest / (127 if bits == 8 else 8)
            assert ((found - w).abs() <= scale * (0.5 if bits == 8 else 1.0) + 2e-3 * largest).all() and not torch.equal(found, w)


def test_gguf_files_shrink_with_the_bits(tmp_path, shipped):
    sizes = {weights: export_gguf(*shipped, tmp_path / f"{weights}.gguf", weights=weights).stat().st_size for weights in WEIGHTS["gguf"]}
    rest = sizes["float32"] - 4 * shipped[0].n_params
    assert 0 < rest < 200_000  # the tokenizer and the settings
    for weights, n_bytes in {"float16": 2, "int8": 34 / 32, "int4": 18 / 32}.items():
        assert sizes[weights] == pytest.approx(rest + n_bytes * shipped[0].n_params, rel=0.01)


@cache
def tokenizer_of_gguf(pattern: str, folder):
    import transformers

    path = export_gguf(loud(), trained(pattern), folder / f"{len(pattern)}.gguf")
    return transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


@patterns
@given(text=TEXTS)
@thorough
def test_gguf_gives_any_text_the_same_ids_but_for_blanks_after_the_last_line(folder, pattern, text):
    theirs, ours = tokenizer_of_gguf(pattern, folder), trained(pattern)
    ids = theirs(text, add_special_tokens=False)["input_ids"]
    if pattern == GPT4_PATTERN:
        ours = Tokenizer(ours.merges, ours.special_tokens, LLAMA3_PATTERN)
        if all(piece == piece.rstrip() or piece.rstrip() + "\n" == piece for piece in text.split(END_OF_TEXT)):
            assert ours.encode(text, allow_special=True) == trained(pattern).encode(text, allow_special=True)
    assert ids == ours.encode(text, allow_special=True)


def test_gguf_begins_a_text_with_the_mark(folder, tmp_path):
    theirs = tokenizer_of_gguf(GPT4_PATTERN, folder)
    assert theirs.bos_token == theirs.eos_token == END_OF_TEXT and len(theirs) == 400
    assert theirs("a")["input_ids"] == [trained().end_of_text, ord("a")]
    kinds = gguf.GGUFReader(export_gguf(loud(), trained(), tmp_path / "out.gguf")).fields["tokenizer.ggml.token_type"].contents()
    assert kinds == [gguf.TokenType.NORMAL] * 399 + [gguf.TokenType.CONTROL]


# Fewer bits


def test_what_rounding_costs_the_shipped_model(shipped):
    model, tokenizer = shipped
    ids = encode_stories(islice(stories("unseen"), 6), tokenizer)
    whole = evaluate(model, ids, tokenizer).bits_per_byte
    cost = {}
    for bits, group_size in ((8, 64), (4, 64), (4, 32)):
        rounded, n_bytes = quantised_model(model, bits, group_size)
        norms = sum(p.numel() for p in model.parameters() if p.ndim == 1)
        assert n_bytes == 4 * norms + (model.n_params - norms) * (bits / 8 + 4 / group_size)
        cost[bits, group_size] = evaluate(rounded, ids, tokenizer).bits_per_byte - whole
    assert abs(cost[8, 64]) < 0.001 < cost[4, 32] < cost[4, 64] < 0.2
    assert rounded is not model and torch.equal(rounded.final_norm.weight, model.final_norm.weight)


# What cannot be exported


def other_special() -> Tokenizer:
    return Tokenizer(trained().merges, ["<|pad|>"])


WITH_ZERO = Tokenizer([(b"a", b"\0"), *trained().merges[:-1]])
REFUSED = [
    (export_hf, {}, trained(), {"weights": "int8"}, "weights is 'int8'; the format hf takes float32, float16"),
    (export_llama2c, {}, trained(), {"weights": "float16"}, "the format llama2c takes float32, int8"),
    (export_gguf, {}, trained(), {"weights": "int2"}, "the format gguf takes float32, float16, int8, int4"),
    (export_hf, {"vocab_size": 300}, trained(), {}, "the tokenizer has 400 ids, the model 300"),
    (export_hf, {}, other_special(), {}, "the tokenizer has no <|endoftext|>"),
    (export_hf, {}, Tokenizer(trained().merges, pattern=r"\S+|\s+"), {}, "the tokenizer cuts text by"),
    (export_gguf, {}, Tokenizer(trained().merges, pattern=r"\S+|\s+"), {}, "the tokenizer cuts text by"),
    (export_llama2c, {"rope_theta": 5_000.0}, trained(), {}, "rope_theta 5000 and norm_eps 1e-05: llama2.c has 10000"),
    (export_llama2c, {"norm_eps": 1e-6}, trained(), {}, "norm_eps 1e-06: llama2.c has"),
    (export_llama2c, {"d_ff": 100}, trained(), {"weights": "int8"}, "d_model 64 and d_ff 100 must be multiples of 32 for int8; take float32"),
    (export_gguf, {"d_ff": 100}, trained(), {"weights": "int4"}, "d_model 64 and d_ff 100 must be multiples of 32 for int4; take float16"),
    (export_llama2c, {"vocab_size": 258}, Tokenizer([(b"a", b"b")]), {}, "1 merges; llama2.c needs two tokens"),
    (export_llama2c, {}, WITH_ZERO, {}, r"the token b'a\\x00' holds byte 0"),
]


@pytest.mark.parametrize(("write", "changes", "tokenizer", "options", "message"), REFUSED, ids=[f"{write.__name__} {message}" for write, *_, message in REFUSED])
def test_what_a_format_cannot_say_is_refused_and_nothing_is_left(tmp_path, write, changes, tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        write(loud(**changes), tokenizer, tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [export_hf, export_llama2c, export_gguf])
def test_nothing_is_written_over(tmp_path, write):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(FileExistsError, match=f"{name} exists; name a new place"):
            write(loud(), trained(), tmp_path / name)
    assert (tmp_path / "full" / "diary.txt").read_text() == (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    if write is export_gguf:
        with pytest.raises(FileExistsError, match="empty is a folder; name a file, such as .*model.gguf"):
            write(loud(), trained(), tmp_path / "empty")
    else:
        assert any(write(loud(), trained(), tmp_path / "empty").iterdir())


@pytest.mark.parametrize(("write", "weights"), [(write, weights) for name, write in EXPORTS.items() for weights in WEIGHTS[name]])
def test_weights_that_the_type_cannot_hold_are_refused(tmp_path, write, weights):
    for bad in (math.nan, math.inf, *([70_000.0] if weights == "float16" else [])):
        model = loud()
        with torch.no_grad():
            model.blocks[1].mlp.up_proj.weight[3, 2] = bad
        with pytest.raises(ValueError, match=f"blocks.1.mlp.up_proj.weight holds numbers that {weights} cannot hold"):
            write(model, trained(), tmp_path / "out", weights=weights)
        assert not list(tmp_path.iterdir())


def test_gguf_says_which_package_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(ValueError, match=r'pip install "minilm\[export\]"'):
        export_gguf(loud(), trained(), tmp_path / "out.gguf")


def test_a_gguf_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def torn(writer):
        assert list(tmp_path.iterdir())  # it has begun to write
        raise OSError("disk full")

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", torn)
    with pytest.raises(OSError, match="disk full"):
        export_gguf(loud(), trained(), tmp_path / "out.gguf")
    assert not list(tmp_path.iterdir())


# Import


@each_shape
def test_an_exported_model_comes_back_bit_for_bit(tmp_path, tied, n_kv_heads):
    model = loud(tied, n_kv_heads)
    again, tokenizer = import_hf(export_hf(model, trained(), tmp_path / "hf"))
    assert again.config == model.config and tokenizer.fingerprint == trained().fingerprint
    assert all(torch.equal(w, again.state_dict()[name]) for name, w in model.state_dict().items())


@patterns
def test_a_tokenizer_comes_back_for_each_pattern(tmp_path, pattern):
    assert import_hf(export_hf(loud(), trained(pattern), tmp_path / "hf"))[1].fingerprint == trained(pattern).fingerprint


def foreign(transformers, folder, tied=False, n_rows=420, **saving):
    """A checkpoint that Hugging Face's own libraries made: their order of ids, marks first, more rows than tokens, bfloat16, shards."""
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, special_tokens=["</s>", "<pad>"], show_progress=False,
                                             initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())  # fmt: skip
    theirs.train_from_iterator([SAMPLE], trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=theirs, eos_token="</s>", bos_token="</s>", pad_token="<pad>")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=n_rows, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                                      max_position_embeddings=48, rms_norm_eps=1e-6, tie_word_embeddings=tied, bos_token_id=0, eos_token_id=0, initializer_range=0.12,
                                      rope_parameters={"rope_type": "default", "rope_theta": 20_000.0})  # fmt: skip
    model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder, **saving)
    fast.save_pretrained(folder)
    return transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32), fast


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("saving", [{}, {"max_shard_size": "60KB"}], ids=["one file", "shards"])
def test_a_foreign_checkpoint_computes_and_writes_the_same_here(transformers, tmp_path, tied, saving):
    theirs, fast = foreign(transformers, tmp_path, tied, **saving)
    assert len(list(tmp_path.glob("*.safetensors"))) > 2 or not saving
    ours, tokenizer = import_hf(tmp_path)
    assert ours.config.vocab_size == 420 and ours.config.rope_theta == 20_000 and ours.config.norm_eps == 1e-6
    place = {token: i for token, i in fast.get_vocab().items()}
    for text in (SAMPLE[:60], "it's größer 🙂\n ", "The 12345"):
        ids, known = tokenizer.encode(text), fast(text, add_special_tokens=False)["input_ids"]
        assert [place[visible(tokenizer.vocab[i])] for i in ids] == known
    here, there = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(SAMPLE[:60])]]), torch.tensor([[0, *fast(SAMPLE[:60], add_special_tokens=False)["input_ids"]]])
    mine, yours = logits_of(ours, here), logits_of(theirs, there)
    assert_close(mine.sort().values, yours.sort().values, rtol=1e-5, atol=1e-5)  # unused rows and all
    written = theirs.generate(there, do_sample=False, max_new_tokens=15)
    assert fast.decode(written[0][1:], skip_special_tokens=True) == SAMPLE[:60] + "".join(generate(ours, tokenizer, SAMPLE[:60], temperature=0, max_new_tokens=15))
    assert "<pad>" in tokenizer.special_tokens and sum("unused" in token for token in tokenizer.special_tokens) == 20


def change(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def change_weights(folder, alter):
    weights = load_file(folder / "model.safetensors")
    alter(weights)
    save_file(weights, folder / "model.safetensors")


def cut(folder, name, n_bytes=100):
    (folder / name).write_bytes((folder / name).read_bytes()[:n_bytes])


def settings_of(**changes):
    return lambda folder: change(folder, "config.json", **changes)


NOT_IMPORTED = {
    "no config": (lambda f: (f / "config.json").unlink(), "has no config.json; name the folder of a checkpoint"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer.json"),
    "torn config": (lambda f: cut(f, "config.json"), "config.json is not a model's config: .*; copy it again"),
    "torn tokenizer": (lambda f: cut(f, "tokenizer.json"), "tokenizer.json is not a tokenizer"),
    "torn weights": (lambda f: cut(f, "model.safetensors", 5000), "model.safetensors cannot be read"),
    "a list": (lambda f: (f / "config.json").write_text("[1]"), "it holds list, not an object with names; copy it again"),
    "deep": (lambda f: (f / "config.json").write_text("[" * 100_000), "config.json is not a model's config"),
    "not UTF-8": (lambda f: (f / "tokenizer.json").write_bytes(b"\xff{}"), "tokenizer.json is not UTF-8 text"),
    "pickles": (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "weights as pickles, which can run code"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors cannot be read"),
    "another architecture": (settings_of(model_type="gemma"), "model_type is 'gemma'; a model here has 'llama'"),
    "biases": (settings_of(attention_bias=True), "attention_bias is True"),
    "biases in the mlp": (settings_of(mlp_bias=True), "mlp_bias is True"),
    "another activation": (settings_of(hidden_act="gelu"), "hidden_act is 'gelu'"),
    "quantised": (settings_of(quantization_config={"bits": 4}), "quantization_config is"),
    "rescaled RoPE": (settings_of(rope_parameters={"rope_type": "llama3", "factor": 8.0, "rope_theta": 5e5}), "its RoPE is of the type 'llama3'"),
    "rescaled as before": (settings_of(rope_parameters=None, rope_scaling={"type": "linear", "factor": 2.0}), "its RoPE is of the type 'linear'"),
    "another width of heads": (settings_of(head_dim=32), "head_dim is 32; here it is hidden_size / num_attention_heads, 16"),
    "no size": (settings_of(hidden_size=None), "hidden_size is None; it must be a whole number"),
    "size as text": (settings_of(hidden_size="64"), "hidden_size is '64'; it must be a whole number"),
    "heads that do not divide": (settings_of(num_attention_heads=5, num_key_value_heads=5), "describes no model that can be built here: d_model 64"),
    "theta as text": (settings_of(rope_parameters={"rope_theta": "big"}), "describes no model that can be built here"),
    "more layers": (settings_of(num_hidden_layers=10**9), "config.json has 1000000000 layers, but there are no weights of the last"),
    "fewer layers": (settings_of(num_hidden_layers=1), "blocks.1.attn.k_proj.weight has shape"),
    "another width": (settings_of(intermediate_size=128), "mlp.down_proj.weight has shape .*64, 96.*config.json means"),
    "another vocabulary": (settings_of(vocab_size=10**12), "model.embed_tokens.weight has 400 rows; config.json means 1000000000000"),
    "an id too many": (lambda f: edit(f, "tokenizer.json", '"id": 399', '"id": 400'), "has the id 400, but config.json a vocab_size of 400"),
    "an id below all": (lambda f: edit(f, "tokenizer.json", '"er": 259', '"er": -1'), "has the id -1, but config.json"),
    "an id as text": (lambda f: edit(f, "tokenizer.json", '"er": 259', '"er": "259"'), "has the id '259', but config.json"),
    "an id twice": (lambda f: edit(f, "tokenizer.json", '"er": 259', '"er": 258'), "gives two tokens the same id"),
    "an endless context": (settings_of(max_position_embeddings=10**12), "max_position_embeddings 1000000000000; no such table of angles can be made"),
    "RoPE as text": (settings_of(rope_parameters="default"), "rope_parameters is 'default'"),
    "endless layers": (settings_of(intermediate_size=10**12), r"mlp.down_proj.weight has shape .*config.json means \(64, 1000000000000\)"),
    "two marks": (settings_of(bos_token_id=1), "texts begin with token 1 and end with token 399; here one token does both"),
    "many marks": (settings_of(eos_token_id=[1, 2]), r"end with token \[1, 2\]"),
    "a bias in the file": (lambda f: change_weights(f, lambda w: w.update({"model.layers.0.mlp.up_proj.bias": torch.zeros(96)})), "up_proj.bias has shape"),
    "a weight less": (lambda f: change_weights(f, lambda w: w.pop("model.norm.weight")), "final_norm.weight has shape None"),
    "no embedding": (lambda f: change_weights(f, lambda w: w.pop("model.embed_tokens.weight")), "embed.weight has shape None"),
    "a head of its own": (lambda f: change_weights(f, lambda w: w.update({"lm_head.weight": torch.ones(400, 64)})), "lm_head.weight is another"),
    "a part elsewhere": (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"x": "../x.safetensors"}}'), "no weight_map of files beside it"),
    "a part missing": (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"x": "x.safetensors"}}'), "x.safetensors cannot be read"),
    "no weight map": (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "no weight_map of files beside it"),
    "SentencePiece": (lambda f: edit(f, "tokenizer.json", '"byte_fallback": false', '"byte_fallback": true'), "it is no plain byte-level BPE"),
    "a normaliser": (lambda f: edit(f, "tokenizer.json", '"normalizer": null', '"normalizer": {"type": "NFC"}'), "it is no plain byte-level BPE"),
    "another model": (lambda f: edit(f, "tokenizer.json", '"BPE"', '"Unigram"'), "it is no plain byte-level BPE"),
    "another pattern": (lambda f: edit(f, "tokenizer.json", "{1,3}", "{1,2}"), "it cuts text otherwise than GPT-2, GPT-4 or LLaMA 3"),
    "another cut": (lambda f: edit(f, "tokenizer.json", '"Isolated"', '"Removed"'), "it cuts text otherwise"),
    "a letter that is none": (lambda f: edit(f, "tokenizer.json", '"Ġ t"', '"Ġ €"'), "tokenizer.json cannot become a tokenizer here"),
    "a token less": (lambda f: edit(f, "tokenizer.json", '"Ġt":', '"ĠĠĠĠĠ":'), "tokenizer.json cannot become a tokenizer here: 'Ġt'"),
    "no model": (lambda f: edit(f, "tokenizer.json", '"model":', '"modell":'), "tokenizer.json cannot become a tokenizer here: 'model'"),
    "merges as numbers": (lambda f: edit(f, "tokenizer.json", '"Ġ t"', "7"), "tokenizer.json cannot become a tokenizer here"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "message"), NOT_IMPORTED.values(), ids=NOT_IMPORTED)
def test_what_cannot_be_imported_says_why(tmp_path, damage, message):
    folder = export_hf(loud(), trained(), tmp_path / "hf")
    damage(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        import_hf(folder)


def test_what_older_files_say_otherwise_is_understood(tmp_path):
    model = loud(n_kv_heads=4, rope_theta=5_000.0)
    folder = export_hf(model, trained(), tmp_path / "hf")
    change(folder, "config.json", rope_parameters=None, head_dim=None, num_key_value_heads=None, bos_token_id=None)
    change_weights(folder, lambda w: w.update({"lm_head.weight": w["model.embed_tokens.weight"].clone(), "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}))
    merges = json.loads((folder / "tokenizer.json").read_text())
    merges["model"]["merges"] = [way for merge in merges["model"]["merges"] for way in [merge.split(" ")] * 2]  # each token in two ways
    (folder / "tokenizer.json").write_text(json.dumps(merges))
    again, tokenizer = import_hf(folder)
    assert again.config == model.config and tokenizer.fingerprint == trained().fingerprint


def test_no_import_logs_or_warns(tmp_path, caplog, recwarn):
    with caplog.at_level(logging.WARNING):
        import_hf(export_hf(loud(), trained(), tmp_path / "hf"))
    assert not caplog.records and not recwarn.list
