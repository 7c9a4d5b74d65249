"""How can text be bad? Faults planted on purpose, by kind and dose, in stories that have none.

Some spoil a story (`contradiction`, `swapped_name`, `shuffled_sentences`, `shuffled_words`), others a corpus, though each of its stories
is sound (`duplicate`, `near_duplicate`, `narrow_vocabulary`, `low_diversity`). A dose is the share of stories that get the fault. What was planted
is known, so a finder of faults can be scored: `grade` for the first four, `minilm.facts` for the others.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import count

from minilm.storyworld.lexicon import lexicon, words_of
from minilm.storyworld.plots import PLOTS
from minilm.storyworld.reader import split_sentences
from minilm.storyworld.story import Recipe, Story, StoryTeller, write_story
from minilm.storyworld.teller import Dice
from minilm.storyworld.world import HOME, Person

STORY_FAULTS = ("contradiction", "swapped_name", "shuffled_sentences", "shuffled_words")
CORPUS_FAULTS = ("duplicate", "near_duplicate", "narrow_vocabulary", "low_diversity")
COPIES = ("duplicate", "near_duplicate")
REMEMBERED = 1000  # the last stories, of which duplicates are made


def check_doses(doses: dict[str, float]) -> None:
    """Raises ValueError for an unknown kind, a dose outside 0 to 1, or doses that sum to more than 1: a story gets one fault at most."""
    for kind, dose in doses.items():
        if kind not in STORY_FAULTS + CORPUS_FAULTS:
            raise ValueError(f"the fault {kind!r} is unknown; it must be one of {', '.join(STORY_FAULTS + CORPUS_FAULTS)}")
        if not 0 <= dose <= 1:
            raise ValueError(f"the dose of {kind} is {dose}; it is a share of stories, from 0 to 1")
    if sum(doses.values()) > 1 + 1e-9:
        raise ValueError(f"the doses sum to {sum(doses.values()):g}; a story gets one fault at most, so they may sum to 1")


def stories(seed: int | str = 0, faults: dict[str, float] | None = None) -> Iterator[str]:
    """Stream stories without end, the same for a seed everywhere; `faults` maps kinds to doses.

    >>> from itertools import islice
    >>> list(islice(stories(0), 2)) == list(islice(stories(0), 2))
    True
    """
    return (text for text, _ in labeled_stories(seed, faults))


def labeled_stories(seed: int | str = 0, faults: dict[str, float] | None = None) -> Iterator[tuple[str, str]]:
    """Stream (text, kind of the planted fault or ""). Raises what `check_doses` raises."""
    doses = faults or {}
    check_doses(doses)
    return _labeled_stories(seed, doses)


def _labeled_stories(seed: int | str, doses: dict[str, float]) -> Iterator[tuple[str, str]]:
    earlier: deque[str] = deque(maxlen=REMEMBERED)
    for number in count():
        name = f"{seed}/{number}"
        dice = Dice(f"{name}/fault")
        kind = _draw(dice, doses) if doses else ""
        if kind in COPIES and earlier:
            original = dice.pick(earlier)
            text = almost(original, dice) if kind == "near_duplicate" else original
        else:
            kind = "" if kind in COPIES else kind
            text = original = _spoiled(kind, name, dice) if kind else write_story(name).text
        yield text, kind
        if doses:
            earlier.append(original)  # a copy of a near copy would lose another sentence, and in the end there would be none left


def _draw(dice: Dice, doses: dict[str, float]) -> str:
    roll = dice.random()
    for kind, dose in doses.items():
        if roll < dose:
            return kind
        roll -= dose
    return ""


def _spoiled(kind: str, name: str, dice: Dice) -> str:
    if kind == "narrow_vocabulary":
        return write_story(name, dice=FewWords(name)).text
    if kind == "low_diversity":
        return write_story(name, dice=FewForms(name)).text
    if kind == "contradiction":
        return write_story(name, teller=Contradicting).text
    story = write_story(name)
    return {"swapped_name": swap_name, "shuffled_sentences": shuffle_sentences, "shuffled_words": shuffle_words}[kind](story, dice)


class FewWords(Dice):
    """Chooses among the first few words of any list."""

    def pick(self, options):
        return super().pick(options[:5] if isinstance(options[0], str) else options)


class FewForms(Dice):
    """Chooses among the first few plots, and always the first form of an event."""

    def pick(self, options):
        if hasattr(options[0], "event"):
            return options[0]
        return super().pick(PLOTS[:3] if options is PLOTS else options)


class Contradicting(StoryTeller):
    """Tells a sound story with one sentence more, which cannot be true where it stands."""

    def __init__(self, dice: Dice, recipe: Recipe) -> None:
        super().__init__(dice, recipe)
        self.left = 2 + int(dice.random() * 12)  # events before the slip
        self.slipped = ""  # the sentence that cannot be true

    def tell(self, event: str, *arguments) -> None:
        if not self.slipped and self.left <= 0:
            self.slip()
        super().tell(event, *arguments)
        self.left -= 1
        if not self.slipped and (self.world.ended or self.left <= 0):
            self.slip()

    def slip(self) -> None:
        """Say something that contradicts what was told; it has no effect, so that the story goes on as it would have."""
        options = self._contradictions()
        if not options:
            return
        event, arguments = self.dice.pick(options)
        before = self.PRONOUN, self.CONNECT
        self.PRONOUN, self.CONNECT, self.last = 0, 0, None
        self.say(event, dict(zip(self.forms.arguments[event], arguments, strict=True)))
        (self.PRONOUN, self.CONNECT), self.last, self.slipped = before, None, self.paragraphs[-1][-1]

    def _contradictions(self) -> list[tuple[str, tuple]]:
        """Events that the rules forbid just now."""
        hero, people, things = self.hero, list(self.world.people.values()), list(self.world.things.values())
        if self.world.ended:
            return [("brave", (hero,)), ("think", (hero,))]
        found = [("go", ((person,), person.place)) for person in people if person.place in self.words.places and person.place != HOME]
        for thing in things:
            holder = (thing.holder,) if thing.holder else None
            if holder and thing.state == "whole":
                found += [("take", ((other,), thing)) for other in people if other is not thing.holder]
                found += [("want", (holder, thing)), ("know_not", (holder, thing))]
                if not thing.is_food:
                    found.append(("eat", (holder, thing)))
            elif not holder and thing.state in ("whole", "broken"):
                found.append(("happy_have", (hero, thing)))
            if thing.state == "eaten":
                found.append(("eat", (hero, thing)))
            if thing.state == "whole" and holder:
                found.append(("mend", (holder, thing)))
        return found


def swap_name(story: Story, dice: Dice) -> str:
    """From some sentence on, the hero has another name, which nobody in the story has."""
    hero: Person = story.teller.hero[0]
    others = [name for name in story.teller.words.names[hero.sex] if name not in story.teller.world.people]
    sentences = split_sentences(story.text)
    with_hero = [i for i, sentence in enumerate(sentences) if hero.name in sentence]
    place = 0
    for sentence in sentences[: dice.pick(with_hero[1:] or with_hero)]:
        place = story.text.index(sentence, place) + len(sentence)
    return story.text[:place] + renamed(story.text[place:], hero.name, dice.pick(others))


def shuffle_sentences(story: Story, dice: Dice) -> str:
    """All sentences in another order."""
    sentences = split_sentences(story.text)
    shuffled = sentences
    while shuffled == sentences:
        shuffled = dice.sample(sentences, len(sentences))
    return " ".join(shuffled)


def shuffle_words(story: Story, dice: Dice) -> str:
    """The words of every sentence in another order, its end mark left in place."""
    return "\n\n".join(
        " ".join(
            " ".join(dice.sample(sentence[:-1].split(), len(sentence.split()))) + sentence[-1] for sentence in split_sentences(paragraph)
        )
        for paragraph in story.text.split("\n\n")
    )


def almost(text: str, dice: Dice) -> str:
    """The same story with one sentence left out and one name changed throughout."""
    sentences = split_sentences(text)
    dropped = dice.pick(sentences[1:-1] or sentences)
    sex_of_name = lexicon().sex_of_name
    names = sorted({word for word in words_of(text) if word in sex_of_name})
    text = text.replace(dropped, "", 1).replace("  ", " ").strip()
    return renamed(text, names[0], dice.pick(lexicon().names[sex_of_name[names[0]]])) if names else text


def renamed(text: str, old: str, new: str) -> str:
    """The text with another name wherever the old one stands as a word: "Ben" is no part of "Benny".

    >>> renamed("Ben and Benny. Ben's hat.", "Ben", "Max")
    "Max and Benny. Max's hat."
    """
    return re.sub(rf"\b{old}\b", new, text)
