"""Exercises and quiz of chapter 09: how do we know? The learner scores a choice, answers without understanding, counts items, compares two models and two judges; PyTorch, SciPy and counting tables are the judges."""

import math
import re
from random import Random

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F

from minilm.course.exercise import Exercise, Question

choice_score = Exercise(
    "09.1",
    "How likely is a choice?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        `ids` holds the ids of a context and, from place `n_context` on, those of a choice. `logits` (T, V) is what the model makes of them: row $i$ holds its scores for the token *after* place $i$. Return the natural logarithm of the probability of the whole choice, each token after all that stands before it.
        """,
    hints=("The probability of several tokens in a row is the product of their probabilities, so the logarithms add up. Which row of the logits speaks of `ids[i]`?",
           "`logs = torch.log_softmax(logits, dim=-1)`; then add up `logs[i - 1, ids[i]]` for every i from `n_context` on."),
    verified="choices of one to six tokens after 12 random contexts, against PyTorch's `cross_entropy`",
    explanation="""
        That is the loss of chapter 03 with its sign turned, summed over the tokens of the choice and no others. Nothing new is needed to give a model an exam: whoever can compute a loss can ask questions.
        """,
    tolerance=1e-4,
)  # fmt: skip


@choice_score.stub
def choice_score(logits, ids, n_context):
    """The log-probability of ids[n_context:] after the ids before them."""
    raise NotImplementedError


@choice_score.solution
def choice_score(logits, ids, n_context):
    logs = torch.log_softmax(logits, dim=-1)
    return sum(logs[i - 1, ids[i]].item() for i in range(n_context, len(ids)))


choice_score.wrong("logs[i - 1, ids[i]]", "logs[i, ids[i]]", "row i speaks of the token after place i, so you asked each row for a token that the model had already read. Take the row before.")
choice_score.wrong("range(n_context, len(ids))", "range(1, len(ids))", "you count the tokens of the context too. They are the same for all choices, but they are not the choice.")
choice_score.wrong("range(n_context, len(ids))", "range(n_context + 1, len(ids))", "the first token of the choice is missing. It is judged by the row of the last token of the context.")
choice_score.wrong("range(n_context, len(ids))", "range(n_context, len(ids) - 1)", "the last token of the choice is missing. It is judged by the row before the last.")
choice_score.wrong("return sum(logs[i - 1, ids[i]].item() for i in range(n_context, len(ids)))", "return math.exp(sum(logs[i - 1, ids[i]].item() for i in range(n_context, len(ids))))", "that is the probability itself. Return its logarithm: the probability of a long choice is too small to be held.")
choice_score.wrong("torch.log_softmax(logits, dim=-1)", "torch.softmax(logits, dim=-1)", "you add up probabilities. Those of tokens in a row are multiplied, so add their logarithms.")
choice_score.wrong("torch.log_softmax(logits, dim=-1)", "logits", "logits are scores, not logarithms of probabilities, until a softmax has been taken.")
choice_score.wrong("dim=-1", "dim=0", "your softmax runs over the places. It must run over the vocabulary, the last dimension.")
choice_score.wrong("return sum(", "return -sum(", "that is the loss. A likelier choice should have a higher score, so leave out the minus.")
choice_score.wrong("for i in range(n_context, len(ids)))", "for i in range(n_context, len(ids))) / (len(ids) - n_context)", "you return the mean over the tokens. Here the sum is wanted; what the mean is good for comes next.")
choice_score.wrong("torch.log_softmax(logits, dim=-1)", "torch.log_softmax(logits, dim=-1) / math.log(2)", "that is in bits. Take the natural logarithm as it comes.")


@choice_score.expected
def _(logits, ids, n_context):
    return -F.cross_entropy(logits[n_context - 1 : -1], torch.tensor(ids[n_context:]), reduction="sum").item()


@choice_score.cases
def _(random: Random):
    def logits(n_tokens, vocab_size):
        return torch.tensor([[random.gauss(0, 1.5) for _ in range(vocab_size)] for _ in range(n_tokens)])

    yield logits(3, 4), [2, 0, 1], 2
    for _ in range(12):
        n_context, n_choice, vocab_size = random.randrange(1, 5), random.randrange(1, 7), random.randrange(5, 12)
        ids = [random.randrange(vocab_size) for _ in range(n_context + n_choice)]
        yield logits(len(ids), vocab_size), ids, n_context


long_or_short = Exercise(
    "09.2",
    "Long or short?",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        A model finds a choice of one token fairly unlikely: 0.1. Another choice consists of $n$ tokens, of which each comes as no surprise: 0.6 each time. What is the largest $n$ for which the long choice still wins, if we compare the probabilities of the choices as they are?
        """,
    hints=("The probability of the long choice is $0.6^n$.", "0.36, 0.216, ... Which is the last one above 0.1?"),
    verified="by multiplying until 0.1 is passed",
    explanation="""
        $0.6^4 = 0.13$, $0.6^5 = 0.078$. So from five tokens on the short choice wins, though each token of the long one is six times as likely. Divided by the number of tokens, the logarithm of the long choice is ln 0.6 however long it is, and it always wins. Neither is right for every exam: a true answer may be short, and a long one may be cheap to guess once its first word stands there.
        """,
    tolerance=0.02,
    stub="long_or_short = ...  # a number of tokens",
    solution="long_or_short = 4",
)  # fmt: skip
long_or_short.wrong("4", "5", "0.6 to the power of 5 is 0.078: at five tokens the long one has lost. Give the last n at which it wins.")
long_or_short.wrong("4", "6", "you divided 0.6 by 0.1. But probabilities in a row are multiplied: 0.6, 0.36, ...")
long_or_short.wrong("4", "4.5", "there is where both are equal, and no choice has half a token. Give a whole number: the last at which the long one wins.")
long_or_short.wrong("4", "3", "at three it still has 0.216. One token more, and it is ahead still.")
long_or_short.wrong("4", "1", "one token more is no defeat yet: two have 0.36, against 0.1.")


@long_or_short.expected
def _():
    return math.floor(math.log(0.1) / math.log(0.6))


last_mentioned = Exercise(
    "09.3",
    "Right without understanding",
    kind="break it",
    minutes=10,
    difficulty=2,
    prompt="""
        Break an exam. Write a guesser that understands nothing: of `words`, in which the choices differ, it takes the one that the context mentions *last*. Each stands there at least once, perhaps long before the end; a word is a run of letters (`re.findall(r"\\w+", text)`), and Cat, cat and CAT are the same. Return its place among `words`.
        """,
    hints=("List the words of the context, and read the list from its end.",
           "`said = re.findall(r\"\\w+\", context.lower())[::-1]`; then the i for which `said.index(words[i].lower())` is smallest."),
    verified="words within others, capitals, an 's, and 24 random contexts of one and more paragraphs, against the places that `minilm.items` finds",
    explanation="""
        Three lines, and not one of them knows who has the ball. If they score well on an exam, the exam measures something else than we wanted. That is why `minilm.items` keeps four such guessers, and takes a new item only if none of them gets ahead (`balanced`).
        """,
)  # fmt: skip


@last_mentioned.stub
def last_mentioned(context, words):
    """The place among words of the one that the context mentions last."""
    raise NotImplementedError


@last_mentioned.solution
def last_mentioned(context, words):
    said = re.findall(r"\w+", context.lower())[::-1]
    return min(range(len(words)), key=lambda i: said.index(words[i].lower()))



def _guesser(said, word="words[i].lower()"):
    """A solution that lists other words of the context, or seeks another spelling, and takes place 0 if it finds none."""
    return f"said = {said}[::-1]\n    return min(range(len(words)), key=lambda i: said.index({word}) if {word} in said else len(said))"


_BODY = last_mentioned.solution_answer.source.partition("\n    ")[2]
_WORDS = 're.findall(r"\\w+", context.lower()'
last_mentioned.wrong(_BODY, _guesser(_WORDS + ".split('.')[-1])"), "you read the last sentence only. The last mention may stand some sentences before.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + ".split('\\n\\n')[-1])"), "you read the last paragraph only. The last mention may stand in an earlier one.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + ".split('\\n')[-1])"), "you read the last line only. A context may have several, and the last mention may stand in any.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + "[-60:])"), "you read the end of the context only. The last mention may stand any number of letters before it.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + "[-100:])"), "you read the last hundred letters or so. The last mention may stand long before them.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + "[context.find('.') + 1 :])"), "you leave out the first sentence. A word may be mentioned there and nowhere else.")
last_mentioned.wrong(_BODY, _guesser('re.findall(r"\\w+", context)', "words[i]"), "you compare capitals with small letters. Cat, cat and CAT are the same word: make both sides small.")
last_mentioned.wrong(_BODY, _guesser(_WORDS + ")", "words[i]"), "the context is in small letters, the words are not. Treat both alike.")
last_mentioned.wrong(_BODY, _guesser("context.lower().split()"), "you split at blanks, so marks stick to the words: \"ben.\" and \"ben's\" are not \"ben\".")
last_mentioned.wrong(_BODY, _guesser('[word.strip(".,!?") for word in context.lower().split()]'), "you take off the marks at the end, but \"ben's\" still is not \"ben\". A word is a run of letters.")
last_mentioned.wrong("[::-1]", "", "you return the word that comes first. Read the words from the end.")
last_mentioned.wrong("return min(", "return max(", "in the list from the end the last mentioned has the smallest place, not the largest.")
last_mentioned.wrong("key=lambda i: said.index(words[i].lower())", "key=lambda i: -said.count(words[i].lower())", "you take the word that is mentioned most often. That is another guesser; here the last mention counts.")
last_mentioned.wrong("key=lambda i: said.index(words[i].lower())", "key=lambda i: -context.lower().rfind(words[i].lower())", "you search letters, not words: \"Ann\" stands in \"Anna\" too.")
last_mentioned.wrong("key=lambda i: said.index(words[i].lower())", "key=lambda i: len(words[i])", "you take the shortest word. That is another guesser; here the last mention counts.")


_QUIET = ("The sun went down behind the hill.", "It was warm in the little house by the lake.", "Nobody said a word for a long time.", "All at once the rain began.")
_FAR = "Tom and Ben had a boat, and Ida had a kite. Ida let go of the string. Up it went, over the trees and over the hill.\n\nIt began to rain. " \
       "The wind blew all day long, and the grass was wet. In the evening the sky was clear. The moon came up.\nAll was still. The kite was found by"  # fmt: skip


@last_mentioned.expected
def _(context, words):
    from minilm.items import places

    return int(np.argmax([places(context, word)[-1] for word in words]))


@last_mentioned.cases
def _(random: Random):
    yield "Mia gave the ball to Ben. Then Mia went home and", ["Ben", "Mia"]
    yield "Ann and Tom met. Anna waved to Tom. Ann saw Tom, and Anna ran", ["Tom", "Ann"]
    yield "Ben saw Ann. Anna's dog barked, and Anna said that", ["Ann", "Ben"]
    yield "The Cat ran. A dog, a dog, a dog sat down by the CAT'S bowl and", ["dog", "cat"]
    yield "Ida met Tom, Tom met Bo, and Bo met Tom. Ida slept, and Tom", ["Ida", "Tom", "Bo"]
    yield "Ben gave Mia a hug. It rained all day. The sun came out, and", ["Ben", "Mia"]
    yield _FAR, ["Ben", "Tom", "Ida"]
    for _ in range(12):
        names = random.sample(["Mia", "Ben", "Ann", "Anna", "Tom", "Tommy", "Jo", "Joan"], 4)
        said = names[:3] + [random.choice(names) for _ in range(random.randrange(3, 9))]
        random.shuffle(said)
        yield " saw ".join(said) + " and", names[:3]
    for _ in range(12):
        names = random.sample(["Mia", "Ben", "Ann", "Anna", "Tom", "Tommy", "Jo", "Joan"], 3)
        story = [random.choice((" ", " ", "\n", "\n\n")) + random.choice(_QUIET) for _ in range(random.randrange(5, 25))]
        for name in random.choices(names, k=random.randrange(3)) + names:
            story.insert(random.randrange(len(story)), random.choice((f" Then {name} sang.", f"\nIt was {name}'s day.")))
        yield "".join(story).strip() + random.choice((" At last", "\n\nAt last", " And so the friend said to")), names


items_needed = Exercise(
    "09.4",
    "How many items for five points?",
    kind="estimate by hand",
    minutes=10,
    difficulty=2,
    prompt="""
        The true shares of two models are 80 % and 85 %. Each is asked $n$ items of its own. If the true share is $p$, the share found with $n$ items scatters with the variance $p(1-p)/n$ (08.2). The *difference* of two shares that were found independently scatters with the sum of their variances. From which $n$ on are the 5 points at least two standard deviations of the difference? Three per cent up or down do not matter.
        """,
    hints=("Write the variance of the difference as something over n. Two of its roots must fit into 0.05.",
           "$2\\sqrt{(0.8 \\cdot 0.2 + 0.85 \\cdot 0.15)/n} = 0.05$. Square both sides and solve for n."),
    verified="by a search for the n at which two standard deviations are five points",
    explanation="""
        $n = 4 \\cdot 0.2875 / 0.0025 = 460$. And with 460 items one still *misses* the difference about every second time, since the found difference falls below its true value as often as above. To see it four times in five takes about 900 items. Exams of a hundred items cannot tell 80 from 85.
        """,
    tolerance=0.03,
    stub="items_needed = ...  # items for each of the two models",
    solution="items_needed = 460",
)  # fmt: skip
items_needed.wrong("460", "920", "that is twice as many: the items of both models together, or the variances counted twice. Give n, the items of each.")
items_needed.wrong("460", "917.0", "you added the standard deviations. What adds up for independent numbers is the variances.")
items_needed.wrong("460", "256.0", "you took the scatter of one share only. Both were measured, so add 0.85 times 0.15.")
items_needed.wrong("460", "204.0", "you took the scatter of the 85 % only. Both were measured, so add 0.8 times 0.2.")
items_needed.wrong("460", "230.0", "you took the mean of the two variances. That of the difference is their sum.")
items_needed.wrong("460", "442.0", "you took 1.96 standard deviations. Take two, so n must be a little larger.")
items_needed.wrong("460", "115.0", "that is one standard deviation. For two, n must be four times as large.")
items_needed.wrong("460", "23.0", "square the 0.05 too, when you square both sides.")
items_needed.wrong("460", "4600.0", "the right digits, ten times too many: 0.05 squared is 0.0025.")


@items_needed.expected
def _():
    return float(next(n for n in range(1, 10_000) if 2 * math.hypot(*(scipy.stats.binom(n, p).std() / n for p in (0.8, 0.85))) <= 0.05))


paired_p = Exercise(
    "09.5",
    "The same items for both",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        Two models answered the *same* items. Where both are right, or both wrong, we learn nothing about which is better. Let $m$ be the number of items that only one of them got right, $k$ of them the first. If both are equally good, each of the $m$ is a toss of a coin: exactly $i$ of them go to the first with probability $\\binom{m}{i} / 2^m$ (`math.comb(m, i)`). McNemar's test asks how often such coins would be as lopsided as what we saw, or more so, *to either side*: twice the probability of $\\min(k, m-k)$ or fewer, and never more than 1. `first` and `second` are NumPy arrays of True and False. Return that number.
        """,
    hints=("`first & ~second` is True where only the first is right. Which values of i are as lopsided as k, or more, on the side of fewer?",
           "`tail = sum(math.comb(m, i) for i in range(min(k, m - k) + 1)) / 2**m`; the answer is `min(1.0, 2 * tail)`."),
    verified="models that never differ, that always differ, and 12 random pairs, against SciPy's `binomtest`",
    explanation="""
        With 12 items to one and 4 to the other it gives 0.077, whether both agree on ten others or on ten thousand. A small number says that luck alone would seldom do this. It is *not* the probability that the models are equally good.
        """,
    tolerance=1e-6,
)  # fmt: skip


@paired_p.stub
def paired_p(first, second):
    """How often two equally good models would differ as much or more on the items that part them."""
    raise NotImplementedError


@paired_p.solution
def paired_p(first, second):
    k = int((first & ~second).sum())
    m = k + int((second & ~first).sum())
    tail = sum(math.comb(m, i) for i in range(min(k, m - k) + 1)) / 2**m
    return min(1.0, 2 * tail)


paired_p.wrong("min(1.0, 2 * tail)", "tail", "you count one side only. A difference to the other side would have surprised us as much: twice that.")
paired_p.wrong("min(1.0, 2 * tail)", "min(1.0, 2 * tail) if m else 0.0", "where no item parts the models, nothing speaks against equals: no toss gives 0 or fewer for certain, which is 1 and not 0.")
paired_p.wrong("min(1.0, 2 * tail)", "2 * tail", "where k is half of m, your number is above 1. Cut it off there.")
paired_p.wrong("m = k + int((second & ~first).sum())", "m = len(first)", "you toss a coin for every item. Where both are right or both wrong there is nothing to toss.")
paired_p.wrong("m = k + int((second & ~first).sum())", "m = k + int(second.sum())", "you count all that the second got right. Only those count that the first got wrong.")
paired_p.wrong("range(min(k, m - k) + 1)", "range(min(k, m - k))", "\"or fewer\" includes what was seen: the sum goes up to min(k, m - k) itself.")
paired_p.wrong("range(min(k, m - k) + 1)", "range(k + 1)", "if k is the larger of the two, yours adds up nearly everything. Take the smaller of k and m - k.")
paired_p.wrong("sum(math.comb(m, i) for i in range(min(k, m - k) + 1))", "math.comb(m, k)", "that is the chance of exactly this count. What is more lopsided counts too.")


@paired_p.expected
def _(first, second):
    only = np.array(first, int) - np.array(second, int)
    differ = int(np.count_nonzero(only))
    return float(scipy.stats.binomtest(int((only > 0).sum()), differ).pvalue) if differ else 1.0


@paired_p.cases
def _(random: Random):
    def pair(*counts):
        """So many items that both have right, only the first, only the second, and neither."""
        return tuple(np.repeat(column, counts) for column in ([True, True, False, False], [True, False, True, False]))

    yield pair(2, 3, 1, 2)
    yield pair(5, 0, 0, 3)
    yield pair(6, 8, 2, 4)
    yield pair(6, 2, 8, 4)
    yield pair(3, 4, 4, 1)
    yield pair(0, 9, 0, 0)
    for _ in range(12):
        yield pair(*(random.randrange(14) for _ in range(4)))


kappa = Exercise(
    "09.6",
    "Do two judges agree?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Two judges marked the same stories: `first` and `second` are lists of marks, not all of them equal. Take the mean of the squared differences of the two marks of each story; and the mean of the squared differences of *every* mark of the first with *every* mark of the second, which is what shuffled marks would give. Return 1 minus the ratio of the two: Cohen's *kappa* with quadratic weights. It is 1 for judges who always agree, 0 for those no better than shuffled marks.
        """,
    hints=("With NumPy, `a[:, None] - b` holds every difference of a mark of a with a mark of b.",
           "`1 - ((a - b) ** 2).mean() / ((a[:, None] - b) ** 2).mean()`, with both as arrays of floats."),
    verified="equal, opposite and shifted marks and 10 random rows, against the formula with a table of counts",
    explanation="""
        A judge who always gives two marks more has a perfect *rank correlation* with the other, since both put the stories in the same order, and a kappa well below 1. Which of the two you want depends: to compare models with one judge the order is enough; to say "this model writes stories of grade 8" it is not.
        """,
    tolerance=1e-6,
)  # fmt: skip


@kappa.stub
def kappa(first, second):
    """Cohen's kappa of two rows of marks, with squared differences."""
    raise NotImplementedError


@kappa.solution
def kappa(first, second):
    a, b = np.array(first, float), np.array(second, float)
    apart = ((a - b) ** 2).mean()
    by_chance = ((a[:, None] - b) ** 2).mean()
    return float(1 - apart / by_chance)


kappa.wrong("1 - apart / by_chance", "apart / by_chance", "yours is 0 for judges who always agree. Take it from 1.")
kappa.wrong("((a - b) ** 2).mean()", "(a != b).mean()", "you count how often they differ, not by how much.")
kappa.wrong("((a[:, None] - b) ** 2).mean()", "((a[:, None] - a) ** 2).mean()", "you compare the first judge with itself. Every mark of the first meets every mark of the *second*.")
kappa.wrong("((a[:, None] - b) ** 2).mean()", "(np.abs(a[:, None] - b)).mean()", "the differences by chance are squared as well.")
kappa.wrong("float(1 - apart / by_chance)", "float(np.corrcoef(a, b)[0, 1])", "that is the correlation. It forgives a judge who always gives two marks more; kappa does not.")
kappa.wrong("float(1 - apart / by_chance)", "float((a == b).mean())", "that is the share of equal marks. By chance, too, some are equal, and near misses are better than far ones.")
kappa.wrong("((a[:, None] - b) ** 2).mean()", "((a.mean() - b) ** 2).mean()", "you compare with the mean mark of the first. Compare every mark with every other.")

_SQUARES = "((a - b) ** 2).mean()\n    by_chance = ((a[:, None] - b) ** 2).mean()"
kappa.wrong(_SQUARES, "((a - b) ** 2).sum()\n    by_chance = ((a[:, None] - b) ** 2).sum()", "you compare sums: one is of n differences, the other of n times n. Take the mean of each.")
kappa.wrong(_SQUARES, "np.abs(a - b).mean()\n    by_chance = np.abs(a[:, None] - b).mean()", "you took the differences as they are: kappa with linear weights. Here they are squared.")
kappa.wrong(_SQUARES, "(a != b).mean()\n    by_chance = (a[:, None] != b).mean()", "that is kappa without weights, for which 7 and 8 are as different as 1 and 10. Square the differences.")
kappa.wrong("((a[:, None] - b) ** 2).mean()", "a.var() + b.var()", "the two variances leave out that one judge may give more on the whole. Take every mark of the first less every mark of the second.")
kappa.wrong("((a[:, None] - b) ** 2).mean()", "((a[:, None] - b) ** 2)[~np.eye(len(a), dtype=bool)].mean()", "you leave out the pairs of one story. Shuffled marks meet these, too: *every* mark of the first with *every* one of the second.")


@kappa.expected
def _(first, second):
    marks = range(1, 11)
    seen = np.array([[sum(pair == (i, j) for pair in zip(first, second)) for j in marks] for i in marks]) / len(first)
    weights = np.array([[(i - j) ** 2 for j in marks] for i in marks])
    return float(1 - (weights * seen).sum() / (weights * np.outer(seen.sum(1), seen.sum(0))).sum())


@kappa.cases
def _(random: Random):
    yield [2, 5, 9], [2, 5, 9]
    yield [2, 5, 8], [8, 5, 2]
    yield [3, 5, 8, 4], [5, 7, 10, 6]
    yield [7, 7, 7, 6], [6, 7, 8, 9]
    for _ in range(10):
        first = [random.randrange(1, 11) for _ in range(random.randrange(4, 12))]
        yield first, [min(10, max(1, mark + random.randrange(-2, 4))) for mark in first]


QUIZ = (
    Question(
        "Two models need equally many bits per byte of the same unseen text. What do you know about how they answer questions on it?",
        (
            ("Little: the sum does not say whether a model loses its bits where the answer is decided or everywhere else.", "Near and Vague had one loss, and differed by more than ten points. Most tokens of a text can be guessed without knowing who has the ball."),
            ("That they answer equally well, since an answer is scored by the same likelihood as the text.", "An item asks about a few tokens, the loss is a sum over all of them. The same sum can be made of very different parts."),
            ("Nothing at all: likelihoods of texts and of answers have nothing to do with each other.", "They are the same quantity, and over many models they go together well. But at one and the same loss there is room."),
        ),
    ),
    Question(
        "A model gets 58 of 100 items right that have two choices each. Wilson's interval is 48 to 67 %. What do you write?",
        (
            ("58 of 100, 48 to 67 %, chance 50 %: more items are needed to say whether it knows anything.", "Chance lies inside the interval. That is no proof that the model guesses, only that these items cannot tell."),
            ("It is 8 points better than chance: it got 58 right, and a coin tossed for each item gets 50 of a hundred.", "The found share is. The true one may be 48 as well."),
            ("It guesses: the interval holds the chance level, so the 8 items above 50 are luck and no ability.", "The interval holds 60 % and 65 % as well. Not to see a difference is not to see that there is none."),
        ),
    ),
    Question(
        "In an exam each question has four choices, and the right one is the longest in 60 of 100 cases. What follows?",
        (
            ("Whoever always takes the longest gets 60 %, so scores up to there need no understanding.", "25 % is the chance of somebody who looks at nothing. Compare with the best guesser who looks at something shallow."),
            ("Nothing, for blind guessing still gives 25 %, and nobody told the models to look at the length of an answer.", "It does. But models are not blind: they find every regularity that pays, and length is an easy one."),
            ("Dividing each likelihood by the length of its choice repairs it, since all choices then count alike.", "That takes away a preference for short choices. A model that has learned that long ones tend to be right keeps its advantage, or even gains."),
        ),
    ),
    Question(
        "Two models answer the same 400 items, 320 and 334 of them rightly. Their intervals overlap. Is the difference luck?",
        (
            ("The counts cannot tell: it depends on how many items only one of them got right.", "If 3 went to one and 17 to the other, p is 0.003. If 83 and 97 did, it is 0.33. Both give 320 and 334."),
            ("Yes: where two intervals of 95 % overlap, the difference is luck, whichever items each of them got right.", "Two separate intervals know nothing of the items being the same. Paired, a difference may be clear all the same."),
            ("No: 14 items are 14 items, and the exam was the same for both.", "If both toss coins on many of the items, 14 more come easily by luck."),
        ),
    ),
    Question(
        "Five models, eight exams, and one of the forty comparisons with your baseline has p = 0.03. You had planned none of them in particular. What is it worth?",
        (
            ("Hardly anything: among forty comparisons of equals one expects one or two below 0.05.", "Ask for 0.05/40, or take the hint and test it once more on fresh items, this time as planned."),
            ("It is significant: 0.03 is below 0.05, whatever else you tested.", "Each test by itself keeps its promise. The best of forty makes another promise."),
            ("The probability that this model is no better is 3 %.", "A p-value is how often equals would differ so much. It is not the probability that they are equals."),
        ),
    ),
    Question(
        "A judge model gives your stories 8.1 of 10, and a paper reports 7.3 for its stories, by the same rubric. Are yours better?",
        (
            ("It cannot be said before one judge, with one decoding and the same beginnings, has marked both, and its anchors hold.", "Judges differ in level more than in order, and drawing instead of taking the likeliest token alone moved a grade by 0.69 of 5."),
            ("Yes: the rubric is the same, word for word, and it says what each mark means, so 0.8 points are 0.8 points whoever marks.", "The rubric is words. What an 8 means is decided by the judge, its version, and what else it sees."),
            ("No: marks of machines say nothing.", "Where judges agree, as on grammar, they order models well. It is the level, across judges, that says little."),
        ),
    ),
)  # fmt: skip
