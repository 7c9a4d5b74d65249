"""The transformer is Hugging Face's LLaMA to the fifth digit, sees no future, and starts where theory says."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from minilm.config import ModelConfig
from minilm.model import RMSNorm, SwiGLU, Transformer
from tests.made import draw_weights

SMALL = ModelConfig(vocab_size=97, context_length=24, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=48)


def shape(**changes) -> ModelConfig:
    return ModelConfig(**{**vars(SMALL), **changes})


def loud(config: ModelConfig, seed: int = 0) -> Transformer:
    return draw_weights(Transformer(config), std=1.5, seed=seed)


def drawn_tokens(n_texts: int, n_tokens: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(SMALL.vocab_size, (n_texts, n_tokens), generator=torch.Generator().manual_seed(seed))


def hugging_face_name(name: str) -> str:
    words = {
        "embed.": "model.embed_tokens.",
        "blocks.": "model.layers.",
        ".attn_norm.": ".input_layernorm.",
        ".mlp_norm.": ".post_attention_layernorm.",
        ".attn.": ".self_attn.",
        "final_norm.": "model.norm.",
    }
    for ours, theirs in words.items():
        name = name.replace(ours, theirs)
    return name


def hugging_face_twin(transformers, model: Transformer):
    config = model.config
    twin = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=config.vocab_size,
            max_position_embeddings=config.context_length,
            hidden_size=config.d_model,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            num_key_value_heads=config.n_kv_heads,
            intermediate_size=config.d_ff,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            rms_norm_eps=config.norm_eps,
            tie_word_embeddings=config.tie_embeddings,
            attn_implementation="eager",
        )
    )
    weights = {hugging_face_name(name): tensor for name, tensor in model.state_dict().items()}
    twin.load_state_dict(weights)  # raises if a name is missing or left over
    return twin


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_embeddings": False},
        {"n_kv_heads": 4},
        {"n_heads": 8, "n_kv_heads": 1, "n_layers": 3},
        {"rope_theta": 100.0, "norm_eps": 0.3},
        {"n_heads": 1, "n_kv_heads": 1, "d_ff": 20, "tie_embeddings": False},
    ],
)
def test_logits_equal_those_of_hugging_face(transformers, changes):
    model = loud(shape(**changes))
    tokens = drawn_tokens(3, 24)
    with torch.no_grad():
        ours, theirs = model(tokens), hugging_face_twin(transformers, model)(tokens).logits
    assert theirs.std() > 1
    assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_gradients_equal_those_of_hugging_face(transformers):
    model = loud(SMALL)
    twin = hugging_face_twin(transformers, model)
    tokens = drawn_tokens(3, 24)
    F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
    twin(tokens, labels=tokens).loss.backward()
    ours = {hugging_face_name(name): parameter.grad for name, parameter in model.named_parameters()}
    assert_close(ours, {name: parameter.grad for name, parameter in twin.named_parameters()}, rtol=1e-4, atol=1e-5)


def test_a_later_token_changes_no_earlier_logits_and_all_from_its_place_on():
    model = loud(SMALL)
    tokens = drawn_tokens(1, 24)
    before = model(tokens)
    for t in (0, 11, 23):
        changed = tokens.clone()
        changed[0, t] = (changed[0, t] + 1) % SMALL.vocab_size
        differs = (model(changed) - before).abs().amax(dim=-1)[0]
        assert differs[:t].eq(0).all() and differs[t:].gt(1e-4).all()


def test_no_gradient_reaches_a_later_token_and_some_reaches_each_earlier():
    model = loud(shape(tie_embeddings=False))
    read = []
    model.embed.register_forward_hook(lambda module, inputs, output: read.append(output))
    logits = model(drawn_tokens(1, 12))
    for t in range(12):
        (grad,) = torch.autograd.grad(logits[0, t].square().sum(), read[0], retain_graph=True)
        assert grad[0].abs().amax(dim=-1).gt(0).tolist() == [s <= t for s in range(12)]


@pytest.mark.parametrize("lengths", [[24], [1] * 24, [7, 1, 1, 5, 10]])
@pytest.mark.parametrize("n_kv_heads", [1, 4])
def test_reading_in_parts_through_the_caches_equals_reading_at_once(lengths, n_kv_heads):
    model = loud(shape(n_kv_heads=n_kv_heads))
    tokens = drawn_tokens(2, 24)
    caches = model.new_caches(batch_size=2)
    with torch.no_grad():
        parts = [model(part, caches) for part in tokens.split(lengths, dim=1)]
        assert_close(torch.cat(parts, dim=1), model(tokens), rtol=1e-4, atol=1e-5)
    assert [len(cache) for cache in caches] == [24, 24]


def test_caches_take_the_precision_of_the_weights():
    assert {cache.keys.dtype for cache in Transformer(SMALL).bfloat16().new_caches()} == {torch.bfloat16}


def test_texts_side_by_side_do_not_mix():
    model = loud(SMALL)
    tokens = drawn_tokens(3, 10)
    assert_close(model(tokens), torch.cat([model(text[None]) for text in tokens]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_reads_what_hidden_returns(tied):
    model = loud(shape(tie_embeddings=tied))
    tokens = drawn_tokens(2, 5)
    for mode in (model.train, model.eval):
        mode()
        logits = model(tokens)
        assert logits.shape == (2, 5, 97) and model.hidden(tokens).shape == (2, 5, 32)
        assert_close(logits, model.hidden(tokens) @ model.state_dict()["lm_head.weight"].T)
    assert torch.equal(model.lm_head.weight, model.embed.weight) == tied


def test_a_text_longer_than_the_context_is_refused():
    model = Transformer(SMALL)
    model(drawn_tokens(1, 24))
    with pytest.raises(ValueError, match="25 tokens were given; this model was built for context_length 24"):
        model(drawn_tokens(1, 25))


def test_a_text_that_outgrows_the_context_in_the_cache_is_refused():
    model = Transformer(SMALL)
    caches = model.new_caches()
    model(drawn_tokens(1, 20), caches)
    with pytest.raises(ValueError, match="25 tokens were given; this model was built for context_length 24"):
        model(drawn_tokens(1, 5), caches)
    assert [len(cache) for cache in caches] == [20, 20]


def test_rms_norm_makes_the_mean_square_one_and_then_scales():
    norm = RMSNorm(4, eps=0.5)
    norm.weight.data = torch.tensor([1.0, 1.0, 1.0, 10.0])
    # The mean square of (1, -1, 3, 1) is 3; with eps, the divisor is sqrt(3.5).
    assert_close(norm(torch.tensor([1.0, -1.0, 3.0, 1.0])), torch.tensor([1.0, -1.0, 3.0, 10.0]) / math.sqrt(3.5))


def test_swiglu_lets_the_gate_decide_how_much_passes():
    mlp = SwiGLU(shape(d_model=2, n_heads=1, n_kv_heads=1, d_ff=1))
    mlp.gate_proj.weight.data = torch.tensor([[1.0, 0.0]])
    mlp.up_proj.weight.data = torch.tensor([[0.0, 1.0]])
    mlp.down_proj.weight.data = torch.tensor([[1.0], [-1.0]])
    passed = 5 * 2 / (1 + math.exp(-2))  # up 5, gate silu(2) = 2 sigmoid(2)
    assert mlp(torch.tensor([2.0, 5.0])).tolist() == pytest.approx([passed, -passed])


@pytest.mark.parametrize("vocab_size", [97, 1000])
@pytest.mark.parametrize("tied", [True, False])
def test_an_untrained_model_guesses_evenly(vocab_size, tied):
    model = Transformer(shape(vocab_size=vocab_size, tie_embeddings=tied))
    tokens = drawn_tokens(8, 24)
    loss = F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(vocab_size), abs=0.05)


def test_it_can_learn_one_batch_by_heart():
    model = Transformer(SMALL)
    tokens = drawn_tokens(2, 24)
    tokens[:, 0] = torch.tensor([0, 1])  # else the first guess could not know which text follows
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        loss = F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05


def test_a_seed_means_one_model_whatever_was_drawn_before():
    torch.manual_seed(1)
    first = Transformer(SMALL, seed=5).state_dict()
    torch.manual_seed(2)
    second, other = Transformer(SMALL, seed=5).state_dict(), Transformer(SMALL, seed=6).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if not name.endswith("norm.weight"))
    assert first["embed.weight"][0, :3].tolist() == pytest.approx([0.0368466, 0.0103777, -0.0342384], abs=1e-6)  # on every machine


@pytest.mark.parametrize("tied", [True, False])
def test_weights_start_small_and_those_that_write_to_the_stream_smaller(tied):
    model = Transformer(ModelConfig(vocab_size=512, d_model=128, n_layers=8, d_ff=256, tie_embeddings=tied))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            assert parameter.eq(1).all(), name
        else:
            writes = "o_proj" in name or "down_proj" in name
            assert parameter.std().item() == pytest.approx(0.02 / 4 if writes else 0.02, rel=0.04), name
            assert abs(parameter.mean().item()) < 0.001, name


def test_the_default_model_has_the_parameters_counted_by_hand():
    # Table 4096 x 128; in each of 4 blocks 2 attention matrices 128 x 128 and 2 of 64 x 128, 3 of 128 x 384, 2 norms; 1 norm at the end.
    blocks = 4 * (2 * 128 * 128 + 2 * 64 * 128 + 3 * 128 * 384 + 2 * 128) + 128
    model = Transformer(ModelConfig())
    assert (model.n_params, model.n_params_without_embeddings) == (4096 * 128 + blocks, blocks) == (1_311_872, 787_584)


@pytest.mark.parametrize("tied", [True, False])
def test_parameter_counts_follow_the_formula(tied):
    model = Transformer(shape(tie_embeddings=tied, n_layers=3))
    tables = 97 * 32 * (1 if tied else 2)
    attention = 2 * 32 * 32 + 2 * 32 * 16  # two of four heads have keys and values of their own
    blocks = 3 * (attention + 3 * 32 * 48 + 2 * 32) + 32
    assert model.n_params == tables + blocks
    assert model.n_params_without_embeddings == blocks


def test_the_tables_of_rope_are_not_saved():
    assert not [name for name in Transformer(SMALL).state_dict() if not name.endswith(".weight")]
