"""The loop: interrupted and resumed equals uninterrupted, budgets are kept, and a run that fails says so."""

import json
import logging
import sys
from itertools import chain, count, pairwise, repeat

import numpy as np
import pytest
import torch

import minilm.train
from minilm.checkpoint import newest_checkpoint
from minilm.config import ModelConfig, TrainConfig
from minilm.data import encode_stories
from minilm.device import plan
from minilm.model import Transformer
from minilm.optim import learning_rate_factor
from minilm.tokenizer import Tokenizer
from minilm.train import Training, TrainingDiverged, fix_steps, read_log, resume, train
from tests.made import interrupt_at

SHAPE = ModelConfig(vocab_size=257, context_length=16, d_model=64, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=64)
TOKENIZER = Tokenizer([])
IDS = encode_stories([f"{name} has a {thing}." for name in ("Ana", "Ben", "Cem", "Dua") for thing in ("cat", "dog", "cup", "hat")] * 20, TOKENIZER)
VALID = IDS[:200]
CONFIG = TrainConfig(max_steps=12, batch_size=2, max_lr=6e-3, muon_lr=0.02, weight_decay=0.1, precision="float32", compile="no", device="cpu",
                     save_every=5, eval_every=6, log_every=4)  # fmt: skip


def new_training(config: TrainConfig = CONFIG) -> Training:
    return Training(Transformer(SHAPE, seed=config.seed), config, IDS)


# A scale that grows after every fifth step and is too large at first.
SCALE = {"scale": 2.0**34, "growth_factor": 2.0, "backoff_factor": 2.0**-20, "growth_interval": 5, "_growth_tracker": 0}


def without_times(log: list[dict]) -> list[dict]:
    return [{key: value for key, value in line.items() if "second" not in key} for line in log]


@pytest.mark.parametrize("changes", [{}, {"optimizer": "adamw", "accumulation_steps": 2, "schedule": "cosine"}, {"precision": "bfloat16", "accumulation_steps": 2},
                                     {"precision": "float16", "accumulation_steps": 2}])  # fmt: skip
def test_interrupted_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, changes):
    config = CONFIG.replace(**changes)
    whole, first, second = new_training(config), new_training(config), new_training(config)
    for training in (whole, first):
        training.scaler.load_state_dict(SCALE)
    for run in ("whole", "parts"):
        (tmp_path / run).mkdir()
    train(whole, VALID, TOKENIZER, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(first, VALID, TOKENIZER, tmp_path / "parts", callbacks=[interrupt_at(6)])
    assert newest_checkpoint(tmp_path / "parts").name == "step-00000007"  # the step after the signal is finished and saved
    resume(second, tmp_path / "parts")
    assert second.step == 7
    train(second, VALID, TOKENIZER, tmp_path / "parts")
    for (name, ours), theirs in zip(whole.model.state_dict().items(), second.model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name
    assert whole.scaler.state_dict() == second.scaler.state_dict() != SCALE
    whole_log, parts_log = (without_times(read_log(tmp_path / run)) for run in ("whole", "parts"))
    assert [line["step"] for line in parts_log] == [4, 5, 6, 7, 8, 10, 12]
    assert [line for line in whole_log if line["step"] <= 6] == parts_log[:3]
    assert whole_log[-1] == parts_log[-1]


def test_resuming_cuts_what_the_log_says_beyond_the_checkpoint(tmp_path):
    train(new_training(), VALID, TOKENIZER, tmp_path)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 99, "seconds": 1.0}\n{"step": 10')  # a later step, and a line torn by a kill
    again = new_training()
    resume(again, tmp_path)
    assert again.step == 12 and again.seconds == read_log(tmp_path)[-1]["seconds"]
    assert [line["step"] for line in read_log(tmp_path)] == [4, 5, 6, 8, 10, 12]


def test_the_first_steps_have_not_changed():
    training = new_training(CONFIG.replace(max_steps=20))
    losses = [training.update()[0].item() for _ in range(20)]
    assert losses[0] == pytest.approx(np.log(257), abs=0.05)  # an untrained model guesses evenly
    assert losses[9] == pytest.approx(2.67, abs=0.02)
    assert losses[19] == pytest.approx(1.914, abs=0.02)


def test_accumulated_gradients_equal_those_of_the_large_batch():
    large, small = new_training(CONFIG.replace(batch_size=4)), new_training(CONFIG.replace(batch_size=2, accumulation_steps=2))
    for _ in range(3):
        (large_loss, large_norm), (small_loss, small_norm) = large.update(), small.update()
        torch.testing.assert_close(large_loss, small_loss, rtol=1e-4, atol=0)
        torch.testing.assert_close(large_norm, small_norm, rtol=1e-3, atol=0)


def test_it_learns(tmp_path):
    # The text has 16 sentences of about 15 bytes: who knows them needs 4 bits for each and nothing for the rest.
    training = new_training(CONFIG.replace(max_steps=150, batch_size=8, eval_every=150))
    last = train(training, VALID, TOKENIZER, tmp_path)
    assert last["valid_bits_per_byte"] < 0.6


def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_checkpoint(tmp_path):
    training = new_training()

    def break_it(line: dict) -> None:
        if line["step"] == 5:
            training.model.embed.weight.data.fill_(torch.nan)

    with pytest.raises(TrainingDiverged, match="between steps 5 and 6.*lower --max-lr.*intact: step-00000005"):
        train(training, VALID, TOKENIZER, tmp_path, callbacks=[break_it])
    assert newest_checkpoint(tmp_path).name == "step-00000005"


class Clock:
    """Stands for the module `time`: only what is said to take time takes any."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """A clock by which the first step of a training takes a second, every other a tenth, and each fourth of these three."""
    clock, update, n_steps = Clock(), Training.update, count()

    def slow_update(training):
        number = next(n_steps)
        clock.now += 1.0 if number == 0 else 0.3 if number % 4 == 0 else 0.1
        return update(training)

    monkeypatch.setattr("minilm.train.time", clock)
    monkeypatch.setattr(Training, "update", slow_update)
    return clock


def test_a_budget_in_minutes_becomes_steps_and_leaves_the_model_as_it_was(clock):
    training = new_training(CONFIG.replace(max_steps=None, minutes=1.0))
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    fix_steps(training, seconds_spent=20.0, trial_seconds=2.95)
    assert training.step == 0 and training.config.minutes is None
    assert all(torch.equal(before[name], tensor) for name, tensor in training.model.state_dict().items())
    assert not any(optimizer.state for optimizer in training.optimizers)
    # A trial of one step to warm up and twenty more, 1.0 + 15 x 0.1 + 5 x 0.3 seconds: of the minute 36 seconds are left, at a tenth a step.
    assert clock.now == pytest.approx(4.0) and training.config.max_steps == pytest.approx(360, abs=1)


@pytest.mark.parametrize("minutes, seconds", [(0.19, 1.6), (0.001, 1.3)])
def test_a_trial_takes_a_twentieth_of_the_budget_at_most_and_three_steps_at_least(clock, minutes, seconds):
    fix_steps(new_training(CONFIG.replace(max_steps=None, minutes=minutes)))
    assert clock.now == pytest.approx(seconds)


def test_the_time_of_a_run_counts_no_evaluation_and_adds_up_over_its_parts(clock, tmp_path, monkeypatch):
    judge = minilm.train.evaluate

    def slow_judge(*arguments):
        clock.now += 100
        return judge(*arguments)

    monkeypatch.setattr("minilm.train.evaluate", slow_judge)
    training = new_training()
    training.seconds = 5.0
    log = []
    train(training, VALID, TOKENIZER, tmp_path, callbacks=[log.append])
    seconds = {0: 0.0, 4: 1.3, 5: 1.6, 6: 1.7, 8: 1.9, 10: 2.3, 12: 2.5}  # by the clock above, without the two evaluations
    assert [line["seconds"] for line in log] == pytest.approx([5 + after for after in list(seconds.values())[1:]])
    steps = list(seconds)
    assert [line["tokens_per_second"] for line in log] == pytest.approx([32 * (now - then) / (seconds[now] - seconds[then]) for then, now in pairwise(steps)])


def test_a_trial_leaves_the_scale_as_it_was():
    training = new_training(CONFIG.replace(max_steps=None, minutes=0.01, precision="float16"))
    training.scaler.load_state_dict(SCALE)
    fix_steps(training, trial_seconds=0.01)
    assert training.scaler.state_dict() == SCALE


def test_a_budget_in_tokens_is_rounded_up_to_steps():
    training = new_training(CONFIG.replace(max_steps=None, max_tokens=100, accumulation_steps=2))
    fix_steps(training)
    assert training.tokens_per_step == 64 and training.config.max_steps == 2


def test_training_goes_on_where_compiling_fails(monkeypatch, caplog):
    def no_compiler(function):
        def fail(*_):
            raise RuntimeError("no C++ compiler found\nand more")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    with caplog.at_level(logging.WARNING):
        training = new_training(CONFIG.replace(compile="yes"))
    assert "no C++ compiler found" in caplog.text and "and more" not in caplog.text
    assert training.config.compile == "no"
    assert training.update()[0].isfinite()


def test_compiled_training_agrees_with_plain():
    shape = ModelConfig(**{**vars(SHAPE), "n_layers": 1})  # compiling takes seconds for each layer
    plain, compiled = (Training(Transformer(shape), CONFIG.replace(compile=yes_or_no), IDS) for yes_or_no in ("no", "yes"))
    assert compiled.config.compile == "yes"
    for _ in range(3):
        torch.testing.assert_close(plain.update()[0], compiled.update()[0], rtol=1e-4, atol=0)


@pytest.mark.parametrize(("precision", "rtol"), [("bfloat16", 0.02), ("float16", 0.0025)])
def test_half_precision_stays_close_to_float32(precision, rtol):
    whole, half = new_training(), new_training(CONFIG.replace(precision=precision))
    for _ in range(10):
        (whole_loss, whole_norm), (half_loss, half_norm) = whole.update(), half.update()
    assert whole_loss != half_loss
    torch.testing.assert_close(whole_loss, half_loss, rtol=rtol, atol=0)
    torch.testing.assert_close(whole_norm, half_norm, rtol=10 * rtol, atol=0)  # of the gradient as it is, not as it was scaled
    assert all(parameter.dtype == torch.float32 for parameter in half.model.parameters())


def test_a_step_whose_gradient_is_not_finite_changes_only_the_scale():
    training = new_training(CONFIG.replace(precision="float16"))
    training.update()
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    memory = [str(optimizer.state_dict()["state"]) for optimizer in training.optimizers]
    hook = training.model.final_norm.weight.register_hook(lambda grad: grad * torch.inf)  # a parameter of AdamW's; Muon's are finite
    _, norm = training.update()
    assert not norm.isfinite() and training.step == 2 and training.scaler.get_scale() == 2.0**15
    assert all(torch.equal(before[name], tensor) for name, tensor in training.model.state_dict().items())
    assert memory == [str(optimizer.state_dict()["state"]) for optimizer in training.optimizers]
    hook.remove()
    training.update()
    assert not any(torch.equal(before[name], tensor) for name, tensor in training.model.named_parameters())


def test_a_precision_too_small_for_the_numbers_is_refused():
    model = Transformer(SHAPE)
    for block in model.blocks:
        block.mlp.up_proj.weight.data *= 1e6  # too large for float16
    with pytest.raises(ValueError, match="cpu in float16 computes something else than the CPU in float32: what the head reads differs by nan%"):
        Training(model, CONFIG.replace(precision="float16"), IDS)
    Training(model, CONFIG, IDS)


@pytest.mark.parametrize(("place", "n_right"), [("minilm.model.attention", SHAPE.n_layers), ("minilm.device.chunked_cross_entropy", 1)])
def test_both_a_wrong_forward_pass_and_a_wrong_loss_are_noticed(monkeypatch, place, n_right):
    module, name = place.rsplit(".", 1)
    right, wrong = getattr(sys.modules[module], name), chain([1.0] * n_right, repeat(1.1))  # the first calls are those on the CPU
    monkeypatch.setattr(place, lambda *arguments: right(*arguments) * next(wrong))
    with pytest.raises(ValueError, match="take --precision float32 or --device cpu"):
        Training(Transformer(SHAPE), CONFIG.replace(precision="float16"), IDS)


def test_a_precision_that_a_device_lacks_is_refused(monkeypatch):
    def lack(hidden, weight, targets):
        if torch.is_autocast_enabled("cpu"):
            raise NotImplementedError("\"addmm\" not implemented for 'Half'\nand more")
        return hidden.mean()

    monkeypatch.setattr("minilm.device.chunked_cross_entropy", lack)
    with pytest.raises(ValueError, match=r"cpu cannot compute in float16 \(\"addmm\" not implemented for 'Half'\); take --precision float32"):
        Training(Transformer(SHAPE), CONFIG.replace(precision="float16"), IDS)


def test_an_apple_gpu_is_compared_with_the_cpu_first(monkeypatch):
    def compare(model, config, tokens, targets):
        raise InterruptedError(f"{config.device}, {tuple(tokens.shape)}")

    monkeypatch.setattr("minilm.train.check_device", compare)
    with pytest.raises(InterruptedError, match=r"mps, \(2, 16\)"):
        Training(Transformer(SHAPE), CONFIG.replace(device="mps"), IDS)


@pytest.mark.parametrize(("has_units", "precision"), [(True, "bfloat16"), (False, "float16")])
def test_a_gpu_without_bfloat16_takes_float16(monkeypatch, has_units, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_units)
    config = plan(Transformer(SHAPE), TrainConfig(minutes=10))
    assert (config.device, config.precision, config.compile) == ("cuda", precision, "yes")


@pytest.mark.parametrize(("speed", "precision"), [(1.2, "float32"), (1.3, "bfloat16")])
def test_bfloat16_is_taken_where_it_is_a_quarter_faster(monkeypatch, speed, precision):
    monkeypatch.setattr("minilm.device.matrix_flops", lambda device, dtype: speed if dtype == torch.bfloat16 else 1.0)
    assert plan(Transformer(SHAPE), TrainConfig(minutes=1, device="cpu")).precision == precision


def test_the_plan_leaves_nothing_to_the_machine():
    config = plan(Transformer(SHAPE), TrainConfig(minutes=30, device="cpu"))
    assert config.precision in ("float32", "bfloat16") and config.compile in ("yes", "no")
    assert plan(Transformer(SHAPE), config) == config


@pytest.mark.parametrize(("budget", "precision", "compiled"), [
    ({"minutes": 10}, "bfloat16", "yes"),
    ({"minutes": 10}, "float32", "no"),
    ({"minutes": 60}, "float32", "yes"),
    ({"max_steps": 10}, "bfloat16", "no"),
])  # fmt: skip
def test_compiling_is_planned_where_it_is_repaid(budget, precision, compiled):
    assert plan(Transformer(SHAPE), TrainConfig(**budget, device="cpu", precision=precision)).compile == compiled


def test_every_line_of_the_log_can_be_read(tmp_path):
    seen = []
    last = train(new_training(), VALID, TOKENIZER, tmp_path, callbacks=[seen.append])
    log = read_log(tmp_path)
    assert log == seen == [json.loads(json.dumps(line)) for line in seen] and log[-1] == last
    assert [line["step"] for line in log if "valid_bits_per_byte" in line] == [6, 12]
    assert [line["tokens"] for line in log] == [32 * line["step"] for line in log]
    twin = new_training()
    losses, norms = zip(*(map(torch.Tensor.item, twin.update()) for _ in range(12)))
    for before, line in pairwise([{"step": 0}, *log]):
        step = line["step"]
        assert line["loss"] == pytest.approx(np.mean(losses[before["step"] : step]), rel=1e-5) and line["grad_norm"] == pytest.approx(norms[step - 1], rel=1e-5)
        assert line["lr"] == pytest.approx(6e-3 * learning_rate_factor(step - 1, 12, CONFIG))
