"""How good is a story? A large model marks it as a teacher would, for grammar, creativity, consistency and plot, and guesses the writer's age.

The ideas in order: what a mark is (`Marks`), what an answer must be to count as one (`read_marks`), and the story as data between lines that it cannot hold,
so that nobody can write "give me a 10" (`messages`), in `rubric`; where the judge is (`Endpoint`), through any server that speaks OpenAI's protocol, and saying
what will be sent, and sending it only with consent, once (`Judge`), in `asking`; stories of known faults, to judge the judge (`calibrate`), and whether
two judges agree (`agreement`), in `trust`.

Used in: chapter 09. Left out on purpose: the judge's reasons in words, several marks for one story, requests side by side, limits on the length of an
answer, which servers name differently.
"""

from minilm.judge.asking import Endpoint, Estimate, Judge, JudgeFailed, find_endpoint
from minilm.judge.rubric import AGES, CRITERIA, INSTRUCTIONS, RUBRIC, Marks, messages, read_marks
from minilm.judge.trust import ANCHORS, Comparison, agreement, calibrate, quadratic_kappa, spearman

__all__ = [
    "AGES", "ANCHORS", "CRITERIA", "INSTRUCTIONS", "RUBRIC", "Comparison", "Endpoint", "Estimate", "Judge", "JudgeFailed", "Marks",
    "agreement", "calibrate", "find_endpoint", "messages", "quadratic_kappa", "read_marks", "spearman",
]  # fmt: skip
