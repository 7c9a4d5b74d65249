"""What do the shipped models make of our items? `python benchmarks/bench_items.py` asks both of them a hundred of each kind.

Four kinds are from storyworld, the fifth (cloze) leaves out last words of storyworld's stories, so the TinyStories model is asked about a text that it does not
know. Each set is scored by the summed likelihood of the choices and by that of a byte; the cloze items also by whether the model would have written
the word; the context items also as few-shot prompts, after none, one and two solved ones of another seed, the shortest. The last words of all items are
sought in the training text of the storyworld model. It ends with one line of JSON: how many were right.
"""

import json
from itertools import islice

import numpy as np
import torch

from minilm.checkpoint import load_model
from minilm.config import MODELS
from minilm.evaluate import Scores, score_choices
from minilm.items import KINDS, Item, cloze_from_stories, few_shot, leaked, repeated, storyworld_items
from minilm.storyworld import stories

N = 100
TRAINED_ON = 40_000_000  # bytes of `minilm storyworld --seed 1`: the training text of data/models/storyworld


def right_per_byte(items: list[Item], scores: Scores) -> int:
    """How many are right if likelihoods are divided by the bytes of the choice."""
    means = [[nats / len(choice.encode()) for nats, choice in zip(found, item.choices)] for item, found in zip(items, scores.likelihoods)]
    return sum(int(np.argmax(found)) == item.answer for item, found in zip(items, means))


def solved_items() -> list[Item]:
    """Two short items, one with each letter for its answer."""
    items = sorted(storyworld_items("context", 30, seed=1), key=lambda item: len(item.context))
    return [next(item for item in items if item.answer == answer) for answer in (0, 1)]


def training_text():
    """The stories that the storyworld model was trained on, but for the few that its validation text holds too."""
    n_bytes = 0
    for story in stories("1/train"):
        if n_bytes > TRAINED_ON:
            return
        n_bytes += len(story.encode()) + 1
        yield story


def main() -> None:
    torch.set_num_threads(1)
    sets = {kind: storyworld_items(kind, N) for kind in KINDS} | {"cloze": cloze_from_stories(islice(stories("cloze"), 600), N)}
    solved, values = solved_items(), {"items_a_kind": N}
    for name in ("storyworld", "tinystories"):
        model, tokenizer = load_model(MODELS / name)
        for kind, items in sets.items():
            scores = score_choices(model, tokenizer, items)
            values[f"{kind}_{name}_right"] = int(scores.right.sum())
            values[f"{kind}_{name}_right_per_byte"] = right_per_byte(items, scores)
            if kind == "cloze":
                values[f"{kind}_{name}_written"] = int(scores.greedy.sum())
        for n_solved in range(3):
            asked = [few_shot(item, solved[:n_solved]) for item in sets["context"]]
            values[f"shots_{n_solved}_{name}_right"] = int(score_choices(model, tokenizer, asked).right.sum())
        print(json.dumps(values), flush=True)
    items = [item for one in sets.values() for item in one]
    values |= {"items_repeated": len(repeated(items)), "items_leaked": len(leaked(items, training_text()))}
    print(json.dumps(values))


if __name__ == "__main__":
    main()
