"""Storyworld: stories of our own, as many as you like, and a reader that knows whether they can be true.

A small world is simulated and told in the words of a young child, after the recipe of TinyStories: a verb, a noun and an adjective to use, and
features such as dialogue, a twist, a bad ending, a moral. What the text is worth can be turned up and down, and what is true in it is known.

In reading order:
- `lexicon` and `words.toml`: what a word is
- `forms` and `sentences/`: one table that tells events and parses them
- `world`, `events`: what is true, and what each event needs and changes
- `memory`, `teller`, `plots`, `story`: from a seed to a story
- `reader`: from any story to its events and its faults
- `questions`, `faults`, `corpus`: what experiments need

Source of the recipe: docs/SOURCES.md#tinystories. Used from chapter 01 on; no torch.
"""

from minilm.storyworld.corpus import VALID_MEGABYTES, version, write_corpus
from minilm.storyworld.faults import CORPUS_FAULTS, STORY_FAULTS, labeled_stories, stories
from minilm.storyworld.questions import Question, questions
from minilm.storyworld.reader import Grade, grade, grade_shares, split_sentences
from minilm.storyworld.story import FEATURES, Recipe, Story, follows, write_story

__all__ = [
    "CORPUS_FAULTS", "FEATURES", "STORY_FAULTS", "VALID_MEGABYTES", "Grade", "Question", "Recipe", "Story", "follows", "grade", "grade_shares", "labeled_stories",
    "questions", "split_sentences", "stories", "version", "write_corpus", "write_story",
]  # fmt: skip
