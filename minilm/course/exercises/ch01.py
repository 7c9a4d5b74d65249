"""Exercises and quiz of chapter 01: what makes data good? The learner looks for copies, leaks and damage in a text in which they were planted."""

import csv

from minilm.config import DATA
from minilm.course.exercise import Exercise, Question
from minilm.facts import words_in

top_100_share = Exercise(
    "01.1",
    "A hundred words",
    kind="predict and measure",
    minutes=5,
    difficulty=1,
    prompt="""
        Storyworld has some four thousand different words. **Predict:** what share of a running text do the hundred most frequent make up? Write your guess down.
        Then measure it: `counts` from the cell above maps each word to how often it occurs. Give what you measured, as a number from 0 to 1.
        """,
    hints=(
        "Two numbers: how many words the text has, repeats and all, and how many of these places are taken by one of the hundred.",
        "`counts.most_common(100)` gives pairs of a word and its count. The whole is `sum(counts.values())`.",
    ),
    verified="against the record of ten megabytes, in `data/runs/corpus_facts`",
    explanation="""
        0.58. A hundred words, less than 3 % of all there are, fill more than half of the text; in real TinyStories it is 0.62. So much of what a model reads is *the*, *and* and *to*, and it meets
        any rare word only a few times.
        """,
    tolerance=0.02,
    stub="top_100_share = ...  # a number between 0 and 1",
    solution="top_100_share = 0.577",
)
top_100_share.wrong("0.577", "57.7", "that is in per cent. A share lies between 0 and 1.")
top_100_share.wrong("0.577", "0.0266", "that is the share of *different* words: 100 of some four thousand. Count every place in the text.")
top_100_share.wrong("0.577", "0.423", "that is what all the other words make up.")
top_100_share.wrong("0.577", "0.0466", "that is the most frequent word alone. Add up a hundred of them.")


@top_100_share.expected
def _():
    with open(DATA / "runs" / "corpus_facts" / "facts.csv", encoding="utf-8", newline="") as file:
        return next(float(row["top_100_words_share"]) for row in csv.DictReader(file) if row["corpus"] == "storyworld")


leaks = Exercise(
    "01.2",
    "Find the leaks",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Which validation stories stand in the training text too? Return their places in `valid`, from 0, in order. Two stories are the same if their words and punctuation are, whatever the blanks, the line
        ends and the capitals: `"A  cat\\nran."` is `"a cat ran."`. A story that is only *part* of a longer one is not the same.
        """,
    hints=(
        "Bring both sides into one form first, then compare. Which form has single blanks and no capitals?",
        "`\" \".join(story.lower().split())` is such a form. Put those of `train` into a set: to look something up in a set takes the same short time however large it is.",
    ),
    verified="other blanks, other capitals, copies inside one split, parts of stories, empty splits, and 30 random pairs of splits, against a comparison of all with all",
    explanation="""
        With a set this is one walk through each split. To compare all with all would be ten million comparisons for two thousand stories against five thousand, and for the real TinyStories tens of billions.
        """,
)


@leaks.stub
def leaks(train, valid):
    """Return the places of the stories of valid that are in train too."""
    raise NotImplementedError


@leaks.solution
def leaks(train, valid):
    def plain(story):
        return " ".join(story.lower().split())

    known = {plain(story) for story in train}
    return [i for i, story in enumerate(valid) if plain(story) in known]


leaks.wrong('" ".join(story.lower().split())', "story", "you compared letter by letter. One more blank, and a copy goes unseen.")
leaks.wrong('" ".join(story.lower().split())', '" ".join(story.split())', "capitals still make a difference.")
leaks.wrong('" ".join(story.lower().split())', "story.lower().strip()", "blanks at the ends are gone, those between words still make a difference.")
leaks.wrong('" ".join(story.lower().split())', "story.lower()", "capitals no longer matter, but one more blank still hides a copy.")
leaks.wrong('" ".join(story.lower().split())', '" ".join(words_in(story))', "you dropped the punctuation. A cat that ran! is not a cat that ran.")
leaks.wrong('" ".join(story.lower().split())', '"".join(story.lower().split())', "you took the blanks out, so that \"to day\" became \"today\". Make them single instead.")
leaks.wrong('" ".join(story.lower().split())', 'tuple(sorted(story.lower().split()))', "you compared which words there are, not their order. Who saw whom makes a difference.")
leaks.wrong("[i for i, story in enumerate(valid)", "[i + 1 for i, story in enumerate(valid)", "your places are one too high: they count from 0.")
leaks.wrong("[i for i, story in enumerate(valid)", "[story for i, story in enumerate(valid)", "you returned the stories. Wanted are their places.")
leaks.wrong("[i for i, story in enumerate(valid) if plain(story) in known]",
            "[valid.index(story) for story in valid if plain(story) in known]",
            "`index` finds the first of equal stories. A story that stands twice in `valid` has two places.")  # fmt: skip
leaks.wrong("if plain(story) in known]", "if plain(story) in known and plain(story) not in map(plain, valid[:i])]",
            "a story that leaked twice has two places, and both count.")  # fmt: skip
leaks.wrong("plain(story) in known", "any(plain(story) in other for other in known)",
            "you searched for the story as a piece of a longer one. Only a whole story counts here.")  # fmt: skip
leaks.wrong("plain(story) in known", "plain(story) in known or story in valid[:i]",
            "you also counted copies inside `valid`. They are a fault too, but no leak: nothing of them was seen in training.")  # fmt: skip
leaks.wrong("[i for i, story in enumerate(valid) if plain(story) in known]",
            "[i for i, story in enumerate(train) if plain(story) in {plain(other) for other in valid}]",
            "these are the places in `train`. Wanted are those in `valid`.")  # fmt: skip


@leaks.expected
def _(train, valid):
    found = []
    for i, story in enumerate(valid):
        words = story.casefold().split()
        if any(words == other.casefold().split() for other in train):
            found.append(i)
    return found


@leaks.cases
def _(random):
    yield from [(["A cat."], ["A dog.", "A cat."]), (["A  cat\nran."], ["A cat ran."]), (["A cat.", "A Dog."], ["a cat.", "A dog."]), ([" A cat. "], ["A cat."])]
    yield from [(["A cat ran."], ["A cat ran!"]), (["Mia saw Ben and ran."], ["Ben saw Mia and ran."]), (["I go to day."], ["I go today."]), (["A cat."], ["A cat.", "A cat."])]
    yield from [(["A cat ran. The end."], ["The end.", "A cat ran. The end."]), (["A cat."], ["A dog.", "A dog.", "A cat."]), ([], ["A cat."]), (["A cat."], [])]
    tales = ["A cat.", "A cat.", "a CAT.", "A  cat.", "A cat. The end.", "The end.", "The\nend.", "A dog."]
    yield from ((random.choices(tales, k=random.randrange(1, 5)), random.choices(tales, k=random.randrange(1, 6))) for _ in range(30))


PIPELINE = """
1   random.shuffle(tales)
2   tales = list(dict.fromkeys(tales))
3   tales = [tale for tale in tales if len(tale) > 20]
4   tales = [" ".join(tale.split()) for tale in tales]
5   valid, train = tales[:n], tales[n:]
""".strip()

misplaced_line = Exercise(
    "01.3",
    "Find the line",
    kind="find the line",
    minutes=5,
    difficulty=2,
    prompt="""
        Somebody cleans a text in which some stories stand twice, once with other blanks: `"A cat ran."` and `"A  cat ran."`. They have taken the advice above, and drop repeats *before* they split. (`dict.fromkeys` drops repeats and keeps the order.)

        ```python
{}
        ```

        And yet some stories are in both splits afterwards. One line must move to the front; then all is well. Which?
        """.format("\n".join(" " * 8 + line for line in PIPELINE.split("\n"))),
    hints=("Follow one story and its copy with other blanks. After which line are they equal, letter by letter?", "Line 2 can only drop what is equal when its turn comes. Which line makes copies equal?"),
    verified="by moving each of the five lines to the front, and counting what stands on both sides afterwards",
    explanation="""
        Line 4 makes copies equal, after line 2 has looked for equal ones. **First make alike what counts as the same, then drop copies, then split.** Real pipelines have twenty such lines, and their order is where leaks come from.
        """,
    stub="misplaced_line = ...  # a number from 1 to 5",
    solution="misplaced_line = 4",
)
misplaced_line.wrong("4", "2", "at the front it would still meet copies that differ in their blanks, and keep both.")
misplaced_line.wrong("4", "1", "it stands there already. Shuffling moves copies about; it neither makes nor drops any.")
misplaced_line.wrong("4", "3", "this drops very short stories, every copy of them. It has nothing to do with repeats.")
misplaced_line.wrong("4", "5", "to split first is what causes leaks: afterwards each side is cleaned by itself, or not at all.")


@misplaced_line.expected
def _():
    import random

    lines = [line.split(maxsplit=1)[1] for line in PIPELINE.split("\n")]
    for number, line in enumerate(lines, start=1):
        names = {"random": random.Random(1), "n": 20, "tales": [f"Once{' ' * (1 + i % 2)}there was a cat number {i % 51}." for i in range(102)]}
        exec("\n".join([line, *(other for other in lines if other != line)]), names)  # noqa: S102 the lines above, no one else's
        if not set(names["train"]) & set(names["valid"]):
            return number


novelty = Exercise(
    "01.4",
    "What is new in it?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        A model that recites has learned nothing that you can use. Measure how much of a story is new: of all its *runs* of n words (overlapping, one begins at each word), the share that stands in no
        training story. Words are those of `words_in`, without punctuation and capitals. A run never goes on from one story into the next. With n = 2 and the training story "the cat ran", the story "the cat sat" has the runs *the cat* and *cat sat*, and novelty ½. You may
        rely on the story having more than n words.
        """,
    hints=(
        "Two steps: a function that lists the runs of one text; then count those of the story that are not among those of the training stories.",
        "`[tuple(words[i : i + n]) for i in range(len(words) - n + 1)]` lists the runs. Tuples can be put into a set; lists cannot.",
    ),
    verified="copies, repeated runs, runs across two stories, marks and capitals, and 40 random texts, against a search for each run as a piece of text",
    explanation="Published measurements of how much a model copies are of this kind; the n in them matters more than anything else, as the figure below shows.",
)


@novelty.stub
def novelty(story, train, n):
    """Return the share of the story's runs of n words that stand in no training story."""
    raise NotImplementedError


@novelty.solution
def novelty(story, train, n):
    def runs(text):
        words = words_in(text)
        return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]

    known = {run for tale in train for run in runs(tale)}
    found = runs(story)
    return sum(run not in known for run in found) / len(found)


novelty.wrong("run not in known", "run in known", "that is the share of what is *not* new.")
novelty.wrong("len(words) - n + 1", "len(words) - n", "the last run of every text is missing: 4 words have 3 runs of two.")
novelty.wrong("{run for tale in train for run in runs(tale)}", 'set(runs(" ".join(train)))',
              "you joined the training stories, so the end of one and the beginning of the next made runs that stand in neither.")  # fmt: skip
novelty.wrong("found = runs(story)", "found = set(runs(story))", "a run that occurs twice in the story counts twice. You counted different runs.")
novelty.wrong("words_in(text)", "text.split()", "punctuation and capitals still make a difference. `words_in` drops them.")
novelty.wrong("len(found)", "len(words_in(story))", "you divided by the number of words. There are fewer runs than words: one for each place where a whole run begins.")
novelty.wrong("/ len(found)", "/ len(found) * 100", "that is in per cent. A share lies between 0 and 1.")
novelty.wrong("range(len(words) - n + 1)", "range(len(words))", "your last runs are shorter than n words. A run begins only where n words are left.")
novelty.wrong("tuple(words[i : i + n])", '"".join(words[i : i + n])', "you glued the words of a run together, so that *a bc* and *ab c* became the same.")
novelty.wrong("sum(run not in known for run in found)",
              'sum(all(" ".join(run) not in " ".join(words_in(tale)) for tale in train) for run in found)',
              "you looked for the letters of a run, and found *he cat* inside *the cat*. Compare whole words.")  # fmt: skip
novelty.wrong("    known = {run for tale in train for run in runs(tale)}\n    found = runs(story)\n    return sum(run not in known for run in found) / len(found)",
              "    found = runs(story)\n    return min([sum(run not in runs(tale) for run in found) / len(found) for tale in train], default=1)",
              "you compared with one training story at a time. A run is new only if it stands in none of them.")  # fmt: skip
novelty.wrong("words[i : i + n]", "words[i : i + 2]", "your runs have two words whatever n is.")
novelty.wrong("range(len(words) - n + 1)", "range(0, len(words) - n + 1, n)", "you cut the text into pieces side by side. Runs overlap: one begins at every word.")


def _letters(random, low, high):
    return " ".join(random.choices(["a", "b", "c", "C", "d."], k=random.randrange(low, high)))


@novelty.expected
def _(story, train, n):
    texts = [f" {' '.join(words_in(tale))} " for tale in train]
    words = words_in(story)
    new = [all(f" {' '.join(words[i : i + n])} " not in text for text in texts) for i in range(len(words)) if i + n <= len(words)]
    return new.count(True) / len(new)


@novelty.cases
def _(random):
    yield from [("the cat sat", ["the cat ran"], 2), ("a b c d", ["a b c d"], 2), ("a b a b c", ["a b"], 2), ("b c d", ["a b", "c d"], 2), ("The cat, he ran.", ["the cat he ran"], 2)]
    yield from [("he cat ran", ["the cat ran"], 2), ("a bc d", ["ab c d"], 2), ("a b c d", [], 3), ("a b c a b c d", ["c d", "b c"], 2), ("a b b c", ["b", "c"], 1)]
    for _ in range(40):
        train = [_letters(random, 2, 8) for _ in range(random.randrange(1, 4))]
        yield _letters(random, 5, 12), train, random.randrange(1, 4)


repair = Exercise(
    "01.5",
    "Undo the damage",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        `café` was written to disk as UTF-8, read as if it were in an old Western encoding (Python calls it `cp1252`), and saved again: `cafÃ©`. Where such a reading succeeds nothing is lost, so it can be undone: go back the same way. But a text that is *not* damaged must
        come back as it was. On nearly all sound text, going back fails or changes nothing; where it fails, leave the text alone. (A text that was damaged only in part comes back as it is, too.) **Predict:** what happens to a sound `café` on the way back?
        """,
    hints=(
        "The damage was: text → bytes (UTF-8) → text (cp1252). Backwards, which encoding makes bytes of the damaged text, and which reads them?",
        "`text.encode(\"cp1252\").decode(\"utf-8\")`, inside `try`. Both steps raise a `UnicodeError` where they cannot be done; then return the text.",
    ),
    verified="six damaged texts, the same six sound ones, plain letters, letters that cp1252 lacks, and 30 random sentences, against the undamaged originals",
    explanation="""
        A sound `café` becomes the byte 0xE9 at its end, which is no UTF-8, so the second step fails. That is why UTF-8 is easy to recognise: text in another encoding hardly ever passes for it by chance. `errors="ignore"` would have thrown the é away without telling you.
        """,
)


@repair.stub
def repair(text):
    """Undo UTF-8 that was read as cp1252; return any other text as it is."""
    raise NotImplementedError


@repair.solution
def repair(text):
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


repair.wrong('"cp1252"', '"latin-1"', "Latin-1 knows é but not the sign € or the mark ™, which stand in the damage of an apostrophe. The prompt names the encoding.")
repair.wrong('decode("utf-8")', 'decode("utf-8", errors="ignore")', "you dropped what cannot be read. A sound é is gone now, and nobody was told.")
repair.wrong('decode("utf-8")', 'decode("utf-8", errors="replace")', "you replaced what cannot be read. A sound é is a question mark now.")
repair.wrong('encode("cp1252")', 'encode("cp1252", errors="ignore")', "you dropped the letters that cp1252 lacks, such as the fish, from texts that were sound.")
repair.wrong('return text.encode("cp1252").decode("utf-8")', "return text", "the text comes back as it came. Go the way of the damage backwards.")
repair.wrong('text.encode("cp1252").decode("utf-8")', 'text.encode("utf-8").decode("cp1252")', "that is the way forward: it does the damage once more.")
repair.wrong('text.encode("cp1252").decode("utf-8")', 'text.replace("Ã©", "é").replace("â€™", "’")', "you replaced the pieces that you had seen. There are others, and going back mends them all.")

def _damaged(text):
    return text.encode("utf-8").decode("cp1252")


def _sentence(random):
    return " ".join(random.choices(["Mia’s", "crêpe", "ran", "señor", "–", "and"], k=4))


@repair.expected
def _(text):
    """The original of each damaged letter, put back one by one; a text that holds a sound one is left alone."""
    letters = "’êéèñü–"
    if any(letter in text for letter in letters):
        return text
    for letter in letters:
        text = text.replace(_damaged(letter), letter)
    return text


@repair.cases
def _(random):
    yield from [(_damaged("café"),), ("café",), (_damaged("It’s late."),), ("It’s late.",), ("Ben ran.",), ("",), (_damaged("Señora Ruiz"),), ("Señora Ruiz",), ("a 🐟",), ("SÃO PAULO",), ("a château",)]
    yield from ((text,) for sound in ("one – two", "Mia’s crêpe", "über") for text in (sound, _damaged(sound)))
    yield ("Grand-mère’s 🐟 and café",)
    for _ in range(30):
        sound = _sentence(random)
        yield (random.choice([sound, _damaged(sound)]),)


QUIZ = (
    Question(
        "Corpus A has 4,000 different words in 50,000 words of text, corpus B has 8,000 in 2,000,000. Which has the richer vocabulary?",
        (
            ("That cannot be told from these numbers.", "Vocabulary grows with the text, and ever more slowly. Count both at the same length: the first 50,000 words of B, say."),
            ("B: it has twice as many.", "It also has forty times the text. At 50,000 words it may well have fewer than A."),
            ("A: it has 0.08 different words for each word, B only 0.004.", "That share falls as any text grows, so the shorter text always looks richer. It is no measure until the lengths are equal."),
        ),
    ),
    Question(
        "Training and validation text were each cleaned of copies. What may still be wrong?",
        (
            ("A story may be in both.", "Each side was compared with itself only. Drop the copies before you split, or look across the two."),
            ("Nothing: there are no copies left.", "There are none within a side. Across the sides nobody has looked."),
            ("The validation text is too small now.", "A story less does not matter. What matters is what it measures."),
        ),
    ),
    Question(
        "A tenth of the validation stories have leaked into the training text. Who gains most?",
        (
            ("A model with a long context, such as a 5-gram.", "The better it remembers long runs of words, the more it gains. So a leak does not only make scores too good, it may put the wrong model first."),
            ("All models alike, so that their order stays the same.", "The figure of this chapter shows the opposite: short contexts gain almost nothing, long ones a lot."),
            ("A model with a small vocabulary.", "What counts is memory of what was read, not the number of tokens."),
        ),
    ),
    Question(
        "You shuffle the words inside each sentence. Which of these notices?",
        (
            ("Runs of words, and the grader that parses sentences.", "They depend on the order of the words. It is gone, so nearly every run is new and no sentence parses."),
            ("Zipf's curve and the growth of the vocabulary.", "Neither minds the order of words inside a sentence: from sentence to sentence both count the same."),
            ("The finder of exact copies, since the text has changed.", "It finds no copies in the sound text and none in this one. It has nothing to say about sense."),
        ),
    ),
    Question(
        "After an update of your cleaning program the number of different words in the corpus jumps by a tenth. What should you do first?",
        (
            ("Read a hundred of the new words and where they stand.", "Damage makes words: `donâ€™t`, pieces of markup, words run together. Read what came in before you are glad of it."),
            ("Be glad: a richer vocabulary makes a better model.", "If the words are real. Damaged text has more different words than sound text, not fewer."),
            ("Drop all rare words.", "Names and rare words are part of the language. First find out what came in."),
        ),
    ),
)  # fmt: skip
