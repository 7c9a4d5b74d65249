"""Can what others report be had again? Their models and settings on the same text, and their numbers to lay beside ours.

Each is one command, `minilm reproduce NAME`, which says first what it takes. All of them need the whole of TinyStories and most a GPU: none has been
carried out here. What is not theirs: vocabularies are learned anew by our tokenizer, initial weights are ours, nothing is dropped out.

Used in: chapter 08, as the way from our small runs to the real ones.
"""

from dataclasses import dataclass

from minilm.config import DATA, ModelConfig, TrainConfig
from minilm.files import read_rows
from minilm.ladder import SIZES


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A published training."""

    model: ModelConfig
    training: TrainConfig
    table: str
    """The file in data/published that has its result."""
    row: str
    """What the first column of its row says."""

    def published(self) -> dict[str, str]:
        """Their row: `val_loss_nats_per_token`, bits per byte where known, `source` and more."""
        return next(row for row in read_rows(DATA / "published" / self.table) if next(iter(row.values())) == self.row)


# Where a public log does not tell the batch, it is what makes a round number of steps.
_CS336 = TrainConfig(max_tokens=327_680_000, batch_size=64, optimizer="adamw", max_lr=3e-3, weight_decay=0.1, schedule="cosine")
_LLAMA2C = TrainConfig(
    max_tokens=100_000 * 131_072, batch_size=128, accumulation_steps=4, optimizer="adamw", max_lr=5e-4, weight_decay=0.1, schedule="cosine", warmup_ratio=0.01
)
REPRODUCTIONS = {
    "cs336": Reproduction(
        model=SIZES["cs336"], training=_CS336, table="tinystories_reproductions.csv", row="CS336 solution, lr sweep, best lr 3e-3"
    ),
    "cs336-low": Reproduction(  # the assignment's version for those without a GPU
        model=SIZES["cs336"], training=_CS336.replace(max_tokens=40_960_000, batch_size=32),
        table="tinystories_reproductions.csv", row="CS336 low-resource, lr 3e-3",
    ),
    "stories260K": Reproduction(
        model=ModelConfig(vocab_size=512, context_length=512, d_model=64, n_layers=5, n_heads=8, n_kv_heads=4, d_ff=172),
        training=_LLAMA2C.replace(max_tokens=100_000 * 65_536, accumulation_steps=1, max_lr=1e-3, weight_decay=0.01, beta2=0.99),
        table="llama2c_models.csv", row="stories260K",
    ),
    "stories15M": Reproduction(
        model=ModelConfig(vocab_size=32_000, context_length=256, d_model=288, n_layers=6, n_heads=6, n_kv_heads=6, d_ff=768),
        training=_LLAMA2C, table="llama2c_models.csv", row="stories15M",
    ),
}  # fmt: skip
