"""Reproductions have their authors' shapes and budgets, say what they take before they begin, and lay our numbers beside theirs."""

import pytest

from minilm import cli
from minilm.config import ModelConfig, TrainConfig
from minilm.model import Transformer
from minilm.reproductions import REPRODUCTIONS, Reproduction
from minilm.storyworld import write_corpus


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_shapes_and_budgets_are_the_published_ones(name):
    # docs of llama2.c (100,000 updates of 65,536 or 131,072 tokens) and the assignment's text; parameters as counted in data/published
    n_params = {"cs336": 22_696_448, "cs336-low": 22_696_448, "stories260K": 260_032, "stories15M": 15_191_712}
    n_tokens = {"cs336": 327_680_000, "cs336-low": 40_960_000, "stories260K": 6_553_600_000, "stories15M": 13_107_200_000}
    plan = REPRODUCTIONS[name]
    steps = plan.training.max_tokens / (plan.training.batch_size * plan.training.accumulation_steps * plan.model.context_length)
    assert Transformer(plan.model).n_params == n_params[name] and plan.training.max_tokens == n_tokens[name] and steps % 1000 == 0
    assert 1 < float(plan.published()["val_loss_nats_per_token"]) < 2


def test_nothing_begins_before_the_cost_was_accepted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minilm.corpora.load_corpus", None)
    assert cli.main(["reproduce", "cs336-low", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "22,696,448 parameters read 40,960,000 tokens: 4.4e+15 operations" in said and "hours" in said and "2.2 GB" in said
    assert "Theirs: 1.61 nats per token" in said and "minilm reproduce cs336-low --yes" in said and not (tmp_path / "out").exists()


def test_an_unknown_name_is_answered_with_those_there_are(capsys):
    assert cli.main(["reproduce", "gpt5"]) == 2
    assert "there is no 'gpt5' to reproduce; there are cs336, cs336-low, stories260K, stories15M" in capsys.readouterr().err


def test_ours_is_laid_beside_theirs_and_a_stopped_one_goes_on(tmp_path, monkeypatch, capsys):
    small = ModelConfig(vocab_size=300, context_length=32, d_model=32, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)
    plan = Reproduction(model=small, training=TrainConfig(max_tokens=2000, batch_size=4), table="llama2c_models.csv", row="stories260K")
    monkeypatch.setitem(REPRODUCTIONS, "small", plan)
    write_corpus(tmp_path / "tales", 0.05, valid_megabytes=0.01)
    words = f"reproduce small --yes --corpus {tmp_path / 'tales'} --out {tmp_path / 'out'} --cache {tmp_path / 'cache'}".split()
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "Theirs: 1.297 nats per token, 0.91 bits per byte" in said and "Ours: " in said
    assert cli.main(words) == 0 and capsys.readouterr().out.endswith(said[said.index("Ours: ") :])  # finished: nothing is done twice
