"""Cross-entropy is what the formula says, and in chunks the same in value and gradient without ever holding all logits."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from minilm.config import ModelConfig
from minilm.loss import chunked_cross_entropy, cross_entropy
from minilm.model import Transformer
from tests.reference import mean_cross_entropy


def drawn(n_texts: int, n_tokens: int, d_model: int, vocab_size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """hidden (B, T, C), the head's weight (V, C) and targets (B, T); some guesses are sure of themselves, some not."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n_texts, n_tokens, d_model, generator=generator)
    weight = 3 * torch.randn(vocab_size, d_model, generator=generator) / math.sqrt(d_model)
    targets = torch.randint(vocab_size, (n_texts, n_tokens), generator=generator)
    return hidden.requires_grad_(), weight.requires_grad_(), targets


def exact(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, scale: float = 1.0) -> list[torch.Tensor]:
    """PyTorch's own loss from all logits at once in float64, and `scale` times its gradients, as float32."""
    hidden, weight = (x.detach().double().requires_grad_() for x in (hidden, weight))
    loss = F.cross_entropy((hidden @ weight.T).flatten(0, 1), targets.flatten())
    gradients = torch.autograd.grad(scale * loss, (hidden, weight))
    return [x.detach().float() for x in (loss, *gradients)]


class LargestTensor(TorchDispatchMode):
    """Watches every operation, backward ones too, and keeps the size of the largest tensor that one made."""

    numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return result


def test_even_guesses_cost_the_logarithm_of_their_number():
    assert cross_entropy(torch.full((2, 3, 50), -7.0), torch.zeros(2, 3, dtype=torch.long)).item() == pytest.approx(math.log(50))


@pytest.mark.parametrize("gap", [-20.0, -1.0, 0.0, 2.0, 30.0])
def test_of_two_tokens_the_loss_is_the_softplus_of_their_gap(gap):
    loss = cross_entropy(torch.tensor([[[100 + gap, 100.0]]]), torch.tensor([[0]]))
    assert loss.item() == pytest.approx(math.log1p(math.exp(-gap)), rel=1e-5, abs=1e-9)


def test_a_sure_guess_costs_nothing_if_right_and_its_margin_if_wrong():
    logits = torch.tensor([[[0.0, 1000.0, 0.0]]])
    assert cross_entropy(logits, torch.tensor([[1]])).item() == 0
    assert cross_entropy(logits, torch.tensor([[2]])).item() == 1000


@pytest.mark.parametrize("chunk_size", [2, 512])
def test_both_losses_equal_plain_loops(chunk_size):
    hidden, weight, targets = drawn(2, 5, 4, 11)
    logits = hidden @ weight.T
    expected = mean_cross_entropy(logits.flatten(0, 1).tolist(), targets.flatten().tolist())
    assert cross_entropy(logits, targets).item() == pytest.approx(expected, rel=1e-6)
    assert chunked_cross_entropy(hidden, weight, targets, chunk_size).item() == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_softmax_minus_one_hot_per_token():
    logits = torch.tensor([[[0.0, math.log(3)], [0.0, 0.0]]], requires_grad=True)  # probabilities 1/4, 3/4 and 1/2, 1/2
    cross_entropy(logits, torch.tensor([[0, 1]])).backward()
    assert_close(logits.grad, torch.tensor([[[0.25 - 1, 0.75], [0.5, 0.5 - 1]]]) / 2)


def test_half_precision_logits_are_summed_in_single():
    logits = (10 * torch.randn(2, 3, 1000, generator=torch.Generator().manual_seed(0))).bfloat16()
    targets = torch.arange(6).view(2, 3)
    loss = cross_entropy(logits, targets)
    assert loss.dtype == torch.float32
    assert_close(loss, F.cross_entropy(logits.flatten(0, 1).double(), targets.flatten()).float())


@settings(max_examples=60, deadline=None)
@given(
    n_texts=st.integers(1, 3),
    n_tokens=st.integers(1, 8),
    d_model=st.integers(1, 6),
    vocab_size=st.integers(1, 20),
    chunk_size=st.integers(1, 30),
    scale=st.sampled_from([1.0, 0.25, -3.0]),
)
def test_in_chunks_of_any_size_value_and_gradients_are_exact(n_texts, n_tokens, d_model, vocab_size, chunk_size, scale):
    hidden, weight, targets = drawn(n_texts, n_tokens, d_model, vocab_size)
    loss = chunked_cross_entropy(hidden, weight, targets, chunk_size)
    gradients = torch.autograd.grad(scale * loss, (hidden, weight))
    assert_close([loss, *gradients], exact(hidden, weight, targets, scale), rtol=1e-4, atol=1e-6)


def test_the_gradient_in_chunks_predicts_what_a_small_step_changes():
    hidden, weight, targets = drawn(2, 7, 6, 11)
    gradients = torch.autograd.grad(chunked_cross_entropy(hidden, weight, targets, 4), (hidden, weight))
    generator = torch.Generator().manual_seed(1)
    for moves_hidden, moves_weight in ((1e-2, 0), (0, 1e-2)):
        steps = [scale * torch.randn(x.shape, generator=generator) for scale, x in zip((moves_hidden, moves_weight), (hidden, weight))]
        up = chunked_cross_entropy(hidden + steps[0], weight + steps[1], targets, 4)
        down = chunked_cross_entropy(hidden - steps[0], weight - steps[1], targets, 4)
        predicted = 2 * sum((grad * step).sum() for grad, step in zip(gradients, steps))
        assert_close(up - down, predicted, rtol=0.01, atol=0)


def test_huge_logits_do_not_overflow_in_chunks():
    hidden = torch.tensor([[[1000.0], [-1000.0]]], requires_grad=True)
    weight = torch.tensor([[1.0], [0.0]], requires_grad=True)
    loss = chunked_cross_entropy(hidden, weight, torch.tensor([[0, 0]]), 1)
    loss.backward()
    assert loss.item() == 500  # the first guess is right, the second wrong by 1000
    assert hidden.grad.flatten().tolist() == [0, -0.5]


@pytest.mark.parametrize("tied", [True, False])
def test_the_whole_model_gets_the_same_gradients_in_chunks(tied):
    config = ModelConfig(vocab_size=61, context_length=16, d_model=32, n_layers=2, d_ff=48, tie_embeddings=tied)
    chunked, plain = Transformer(config), Transformer(config)
    tokens, targets = torch.randint(61, (2, 3, 16), generator=torch.Generator().manual_seed(0))
    chunked_cross_entropy(chunked.hidden(tokens), chunked.lm_head.weight, targets, 10).backward()
    F.cross_entropy(plain(tokens).flatten(0, 1), targets.flatten()).backward()
    ours, theirs = ({name: parameter.grad for name, parameter in model.named_parameters()} for model in (chunked, plain))
    assert_close(ours, theirs, rtol=1e-4, atol=1e-7)


def test_all_logits_never_exist_at_one_time():
    hidden, weight, targets = drawn(4, 50, 4, 64)
    with LargestTensor() as largest:
        F.cross_entropy((hidden @ weight.T).flatten(0, 1), targets.flatten()).backward()
    assert largest.numel == 4 * 50 * 64  # so the watch does see them
    with LargestTensor() as largest:
        chunked_cross_entropy(hidden, weight, targets, 16).backward()
    assert largest.numel == 16 * 64  # and hidden and the weight are smaller still


def test_autocast_multiplies_in_bfloat16_and_sums_in_float32():
    hidden, weight, targets = drawn(4, 25, 32, 50)
    with torch.autocast("cpu", torch.bfloat16):
        ours = chunked_cross_entropy(hidden, weight, targets, 16)
        theirs = F.cross_entropy(F.linear(hidden, weight).flatten(0, 1).float(), targets.flatten())
    loss, *exact_gradients = exact(hidden, weight, targets)
    assert ours.dtype == torch.float32
    assert_close(ours, theirs, rtol=1e-6, atol=0)  # what autocast makes of the plain loss
    assert_close(ours, loss, rtol=1e-2, atol=0)
    assert abs(ours - loss) > 1e-5  # else nothing was rounded
    for grad, exact_grad in zip(torch.autograd.grad(ours, (hidden, weight)), exact_gradients):
        assert grad.dtype == torch.float32
        assert (grad - exact_grad).norm() < 0.01 * exact_grad.norm()
