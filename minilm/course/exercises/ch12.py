"""Exercises and quiz of chapter 12: does good data overthrow Goliath? The learner splits a contest into what size and text did, counts seeds, finds a crossing and reads a matrix; least squares, SciPy's roots and plain search are the judges."""

import itertools
import math
from random import Random

import numpy as np
import scipy.optimize
import scipy.stats

from minilm.course.exercise import Exercise, Question

equal = Exercise(
    "12.1",
    "Equal in what?",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        Attention counted, a token costs the small model 1.89 million operations in training and the large one 15.1 million. Both get $5 \\cdot 10^{12}$ operations. How many million tokens does each read? And what budget would the large one need to read as many tokens as the small one did? Give all three, `(million_small, million_large, budget)`, to two digits.
        """,
    hints=("A budget divided by the cost of a token is the number of tokens.",
           "$5 \\cdot 10^{12} / 1.89 \\cdot 10^6 = 2.65 \\cdot 10^6$. For as many tokens the budget must grow as the cost of a token does."),
    verified="all three, to two per cent",
    explanation="""
        2.65 and 0.33 million tokens; for as many the large one needs $4 \\cdot 10^{13}$ operations, eight times the budget. "Equal" has two meanings, and each is a gift to one of the two: with equal operations the large model hardly gets to read, with equal tokens it may compute eight times as much. So we do both.
        """,
    tolerance=0.02,
    stub="equal = ...  # (million tokens of the small, million tokens of the large, budget)",
    solution="equal = (2.65, 0.331, 4.0e13)",
)  # fmt: skip
equal.wrong("(2.65, 0.331, 4.0e13)", "(0.331, 2.65, 4.0e13)", "the first two are exchanged: the small one's tokens are cheap, so it reads more.")
equal.wrong("(2.65, 0.331, 4.0e13)", "(2_650_000.0, 331_000.0, 4.0e13)", "give millions of tokens.")
equal.wrong("(2.65, 0.331, 4.0e13)", "(2.65, 0.331, 6.26e11)", "that budget is smaller. The large one's tokens are dearer, so for as many of them it needs more.")
equal.wrong("(2.65, 0.331, 4.0e13)", "(2.65, 0.331, 8.0)", "that is how many times the budget. Give the budget itself.")
equal.wrong("(2.65, 0.331, 4.0e13)", "(2.65, 2.65, 4.0e13)", "the second number is what the large one reads with the *same* budget.")


@equal.expected
def _():
    small, large = (5e12 / cost for cost in (1.89e6, 15.1e6))
    return small / 1e6, large / 1e6, 5e12 * small / large


split = Exercise(
    "12.2",
    "Who won, text or size?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        The contest is `small_good - large_poor`, in bits per byte, and two things differ at once. What the *text* did can be seen twice, once with the small model and once with the large one: good less poor, the size being the same. Likewise what *size* did, once on each text: small less large. Take the mean of each pair. Return `(contest, by_text, by_size)`. If you have it right, the last two add up to the first.
        """,
    hints=("By text: the mean of `small_good - small_poor` and `large_good - large_poor`. Now size, in the same way.",
           "`by_size = (small_good - large_good + small_poor - large_poor) / 2`."),
    verified="a case without any effect of text, one without any of size, and 10 random ones, against a least-squares fit",
    explanation="""
        By text $\\frac{(SG-SP)+(LG-LP)}{2}$, by size $\\frac{(SG-LG)+(SP-LP)}{2}$; their sum is $SG - LP$, for two of the four corners cancel. A contest of two corners gives the sum and cannot tell its parts. That is why an experiment on *good data* needs all four, though the headline names only two.
        """,
    tolerance=1e-9,
)  # fmt: skip


@split.stub
def split(small_good, small_poor, large_good, large_poor):
    """The contest small-on-good less large-on-poor, and its parts by text and by size."""
    raise NotImplementedError


@split.solution
def split(small_good, small_poor, large_good, large_poor):
    by_text = ((small_good - small_poor) + (large_good - large_poor)) / 2
    by_size = ((small_good - large_good) + (small_poor - large_poor)) / 2
    return small_good - large_poor, by_text, by_size


split.wrong("((small_good - small_poor) + (large_good - large_poor)) / 2", "small_good - small_poor", "what the text did to the large model is left out. Take the mean over both sizes.")
split.wrong("((small_good - large_good) + (small_poor - large_poor)) / 2", "small_poor - large_poor", "what size did on the good text is left out. Take the mean over both texts.")
split.wrong("by_size = ((small_good - large_good) + (small_poor - large_poor)) / 2", "by_size = ((small_good - large_good) + (small_poor - large_poor))", "each part is the mean of two differences; divide the one by size by 2.")
split.wrong("by_text = ((small_good - small_poor) + (large_good - large_poor)) / 2", "by_text = ((small_good - small_poor) + (large_good - large_poor))", "each part is the mean of two differences; divide the one by text by 2.")
split.wrong("((small_good - small_poor) + (large_good - large_poor)) / 2", "((small_poor - small_good) + (large_poor - large_good)) / 2", "the sign of the text's part: good less poor, as the contest is David less Goliath.")
split.wrong("((small_good - large_good) + (small_poor - large_poor)) / 2", "((large_good - small_good) + (large_poor - small_poor)) / 2", "the sign of the part by size: small less large, as the contest is David less Goliath.")
split.wrong("""    by_text = ((small_good - small_poor) + (large_good - large_poor)) / 2
    by_size = ((small_good - large_good) + (small_poor - large_poor)) / 2""", """    by_text = small_good - small_poor
    by_size = small_poor - large_poor""", "you looked at each part once, on the way by small and poor. There is another way round; take the mean of both.")
split.wrong("""    by_text = ((small_good - small_poor) + (large_good - large_poor)) / 2
    by_size = ((small_good - large_good) + (small_poor - large_poor)) / 2""", """    by_text = large_good - large_poor
    by_size = small_good - large_good""", "you looked at each part once, on the way by large and good. There is another way round; take the mean of both.")
split.wrong("return small_good - large_poor, by_text, by_size", "return large_poor - small_good, by_text, by_size", "the contest is David's bits less Goliath's.")
split.wrong("return small_good - large_poor, by_text, by_size", "return small_good - large_poor, by_size, by_text", "the text's part comes before that of size.")


@split.expected
def _(small_good, small_poor, large_good, large_poor):
    # A plane through the corners: columns are a constant, +1/2 for good and -1/2 for poor, +1/2 for small and -1/2 for large.
    design = np.array([[1, 0.5, 0.5], [1, -0.5, 0.5], [1, 0.5, -0.5], [1, -0.5, -0.5]])
    _, by_text, by_size = np.linalg.lstsq(design, np.array([small_good, small_poor, large_good, large_poor]), rcond=None)[0]
    return small_good - large_poor, round(float(by_text), 12), round(float(by_size), 12)


@split.cases
def _(random: Random):
    yield 1.0, 1.0, 1.5, 1.5
    yield 1.0, 1.5, 1.0, 1.5
    yield 1.0, 1.25, 1.5, 2.0
    for _ in range(10):
        yield tuple(random.uniform(0.3, 2) for _ in range(4))


seeds_needed = Exercise(
    "12.3",
    "How many seeds?",
    kind="implement",
    minutes=15,
    difficulty=2,
    prompt="""
        Two recipes are compared on $n$ seeds each, pair by pair: runs of one seed read in the same order, so they belong together. If the differences scatter with the standard deviation $s$, the 95 % interval of their mean reaches $t\\, s/\\sqrt{n}$ to either side, where $t$ = `scipy.stats.t.ppf(0.975, n - 1)` makes up for not knowing $s$ better: it is 12.7 for two seeds, 4.3 for three, and near 2 for many. Return the least $n$, from 2 to 1,000, with which an interval around a difference of the size `difference` would not reach zero, and 0 if none of them does. `difference` may have either sign.
        """,
    hints=("Try n = 2, 3, 4, ... and stop at the first with which half the interval is less than the size of the difference.",
           "`for n in range(2, 1001): if scipy.stats.t.ppf(0.975, n - 1) * s / math.sqrt(n) < abs(difference): return n`."),
    verified="large, small, negative and hopeless differences, and 10 random ones, against an interval that SciPy makes from made-up seeds",
    explanation="""
        With three seeds a difference must be two and a half times the scatter to count, with ten 0.7 times. So three seeds are enough for what is large, and for nothing else. A difference that needs thirty seeds to be seen may be true, and is seldom worth thirty trainings.
        """,
)  # fmt: skip


@seeds_needed.stub
def seeds_needed(difference, s):
    """The fewest seeds with which the 95 % interval of a mean difference leaves out zero, or 0."""
    raise NotImplementedError


@seeds_needed.solution
def seeds_needed(difference, s):
    for n in range(2, 1001):
        t = scipy.stats.t.ppf(0.975, n - 1)
        if t * s / math.sqrt(n) < abs(difference):
            return n
    return 0


seeds_needed.wrong("scipy.stats.t.ppf(0.975, n - 1)", "1.96", "1.96 is for infinitely many seeds. With few, t is larger.")
seeds_needed.wrong("0.975", "0.95", "0.95 leaves 5 % on each side. For 95 % between the ends it is 0.975.")
seeds_needed.wrong("ppf(0.975, n - 1)", "ppf(0.975, n)", "n differences have n - 1 degrees of freedom: their mean has used up one.")
seeds_needed.wrong("abs(difference)", "difference", "a negative difference counts as well: compare with its size, `abs(difference)`.")
seeds_needed.wrong("s / math.sqrt(n)", "s", "the mean of n differences scatters less than one of them, by the root of n.")
seeds_needed.wrong("s / math.sqrt(n)", "s / n", "it is the root of n that helps, not n.")
seeds_needed.wrong("range(2, 1001)", "range(2, 1000)", "you stop at 999. The prompt says to 1,000.")
seeds_needed.wrong("""    for n in range(2, 1001):
        t = scipy.stats.t.ppf(0.975, n - 1)
        if t * s / math.sqrt(n) < abs(difference):
            return n
    return 0""", """    return math.ceil((1.96 * s / difference) ** 2)""", "that formula takes 1.96 for t, whatever n. With few seeds t is larger, so try one n after the other; and there must be two.")
seeds_needed.wrong("range(2, 1001)", "range(3, 1001)", "you begin with three. Two seeds have an interval too, a wide one.")
seeds_needed.wrong("< abs(difference)", "< 2 * abs(difference)", "the interval reaches t s / root n to *either* side; that must be less than the difference, not less than twice the difference.")


@seeds_needed.expected
def _(difference, s):
    for n in range(2, 1001):
        # Made-up seeds with just that mean and that standard deviation.
        plain = np.arange(n) - (n - 1) / 2
        seeds = difference + plain * s / plain.std(ddof=1)
        low, high = scipy.stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
        if low > 0 or high < 0:
            return n
    return 0


@seeds_needed.cases
def _(random: Random):
    yield 0.5, 0.01
    yield 0.1, 0.05
    yield -0.1, 0.05
    yield 0.02, 0.02
    yield 0.01, 0.02
    yield 0.001, 0.05
    yield 0.06207, 1.0  # just 1,000
    for _ in range(10):
        yield random.choice([1, -1]) * random.uniform(0.01, 0.2), random.uniform(0.01, 0.06)


where_even = Exercise(
    "12.4",
    "When are they even?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        David less Goliath, in bits, for several budgets that grow: where the difference is negative David is ahead. Find the budget at which the two are even, whoever was ahead before. Between neighbouring budgets draw a straight line, with the *logarithm* of the budget along the axis, and return the budget of its zero; if there are several, the first. If there is none, return 0, which is no budget.
        """,
    hints=("Walk through neighbouring pairs until the signs differ: until their product is negative.",
           "Between $(C_1, a)$ and $(C_2, b)$ the zero lies $a/(a-b)$ of the way: $C_1 (C_2/C_1)^{a/(a-b)}$."),
    verified="a crossing in the middle, one upwards and one downwards, none, two, and 8 random ones, against SciPy's root of NumPy's line",
    explanation="""
        `minilm.good_data.crossing` does the same (it returns None where we return 0). If there is no crossing the honest answer is "not within what was trained": a line drawn beyond the last budget would be a forecast, and chapter 10 has shown what those are worth.
        """,
    tolerance=1e-6,
)  # fmt: skip


@where_even.stub
def where_even(budgets, differences):
    """The first budget at which a difference is zero, on lines over its logarithm, or 0."""
    raise NotImplementedError


@where_even.solution
def where_even(budgets, differences):
    points = list(zip(budgets, differences))
    for (low, a), (high, b) in zip(points, points[1:]):
        if a * b < 0:
            return low * (high / low) ** (a / (a - b))
    return 0.0


where_even.wrong("low * (high / low) ** (a / (a - b))", "low + (high - low) * a / (a - b)", "that is a straight line over the budget. Draw one over its logarithm.")
where_even.wrong("(a / (a - b))", "(b / (a - b))", "at the first budget the difference is a, and the zero lies a / (a - b) of the way from there.")
where_even.wrong("(a / (a - b))", "0.5", "the zero lies in the middle only if both differences are equally large.")
where_even.wrong("    return 0.0", "    return budgets[-1]", "without a change of sign there is no such budget among those that were trained: return 0.")
where_even.wrong("if a * b < 0:", "if a < 0 < b:", "a crossing downwards, from behind to ahead, counts as well.")
where_even.wrong("zip(points, points[1:])", "[(points[0], points[-1])]", "you draw one line from the first budget to the last. Go from neighbour to neighbour.")


@where_even.expected
def _(budgets, differences):
    places = np.log10(budgets)
    for left, right in itertools.pairwise(places):
        ends = np.interp([left, right], places, differences)
        if np.sign(ends[0]) != np.sign(ends[1]):
            return 10 ** scipy.optimize.brentq(lambda x: np.interp(x, places, differences), left, right, xtol=1e-14)
    return 0.0


@where_even.cases
def _(random: Random):
    yield [1e12, 1e14], [-0.1, 0.1]
    yield [1e12, 1e13, 1e14], [-0.3, -0.1, 0.3]
    yield [1e12, 1e13], [0.3, -0.1]
    yield [1e12, 1e13, 1e14], [-0.3, -0.2, -0.1]
    yield [1e12, 2e12, 1e14, 2e14], [-0.1, 0.3, 0.2, -0.4]
    for _ in range(8):
        yield sorted(10 ** random.uniform(11, 15) for _ in range(4)), [random.uniform(-0.3, 0.3) for _ in range(4)]


fair = Exercise(
    "12.5",
    "What does it measure?",
    kind="break it",
    minutes=10,
    difficulty=2,
    prompt="""
        Which of these tell what the *quality* of a text is worth? Give the letters of those that do, as one word in the order of the alphabet.

        - **A** Two models of one size read the same number of tokens, one of sound stories, one of stories with their sentences shuffled. Both are judged by sound stories that neither has read.
        - **B** As A, but each is judged by held-out stories of its own kind.
        - **C** A 125M model trained on web pages and a 33M model trained on children's stories go on with beginnings of children's stories.
        - **D** As A, with three seeds, and sound stories of which 30 % are exact copies of others in place of the shuffled ones; the copies count as tokens read.
        - **E** One model reads ten million tokens of filtered text, another of the same size a hundred million of unfiltered text. The second is better at everything.
        """,
    hints=("Ask of each: what else differs than the quality of the text? And are both judged by the same thing?",
           "In B the exams differ; in C size and domain differ too; in E the amount."),
    verified="the letters, against those that change the text's quality alone and ask both models the same",
    explanation="""
        A and D. In B an orderly text is compared with a disorderly one, and each model sits its own exam. C is the figure in the TinyStories paper that everybody remembers: size, domain and amount differ as well, and the exam is one model's home. It shows that a small model *can* write such stories, and that is worth knowing. In E more text may have won against better text, or better text may be worth nothing: filtering has a price, and what matters is what is left.
        """,
    stub='fair = ...  # letters, such as "AE"',
    solution='fair = "AD"',
)  # fmt: skip
fair.wrong("AD", "A", "one more tells it. A copy is no fault of its story, and yet the text is the worse for it.")
fair.wrong("AD", "ABD", "in B each model sits another exam, and shuffled stories are harder to predict for anybody.")
fair.wrong("AD", "ACD", "in C the size and the domain differ too, and the exam belongs to one side's domain.")
fair.wrong("AD", "ADE", "in E the amount differs too. Was it the filter or the missing ninety million?")
fair.wrong("AD", "AE", "in E the amount differs too: was it the filter or the missing ninety million? And among C and D one tells it.")
fair.wrong("AD", "D", "one more tells it. Only one thing differs there, and both are judged by the same stories.")
fair.wrong("AD", "AB", "B asks each model something else; and among C to E one tells it.")
fair.wrong("AD", "DA", "in the order of the alphabet, please.")
fair.wrong("AD", "ad", "the letters are right; write them in capitals.")


@fair.expected
def _():
    differs = {"A": {"quality"}, "B": {"quality", "exam"}, "C": {"quality", "size", "domain", "amount"}, "D": {"quality"}, "E": {"quality", "amount"}}
    return "".join(letter for letter, what in differs.items() if what == {"quality"})


better_text = Exercise(
    "12.6",
    "Better, or only at home?",
    kind="implement",
    minutes=10,
    difficulty=1,
    prompt="""
        `bits[text][exam]` are the bits per byte of a model that read `text`, judged by `exam`. On most exams the model wins whose own text is most like it. So read such a table by columns: one exam, all texts. Call a text *better for all* if its model has fewer bits than each other model on *every* exam. Return the name of that text, or the empty string if there is none.
        """,
    hints=("For each text ask: does it win every exam? Two loops, or `all`.",
           "`all(bits[text][exam] < bits[other][exam] for other in bits if other != text for exam in bits[text])`."),
    verified="a text that wins all, home wins on both sides, a draw, three texts, and 8 random matrices, against the winner of each exam",
    explanation="""
        A table with the diagonal alone, each model on its own exam, can never show this; nor can a mean over exams, which is decided by which exams one has chosen. If no text is better for all, the honest sentence is "better *for this*", with the exam named.
        """,
)  # fmt: skip


@better_text.stub
def better_text(bits):
    """The text whose model has the fewest bits on every exam, or an empty string."""
    raise NotImplementedError


@better_text.solution
def better_text(bits):
    for text, mine in bits.items():
        others = [theirs for name, theirs in bits.items() if name != text]
        if all(mine[exam] < theirs[exam] for theirs in others for exam in mine):
            return text
    return ""


better_text.wrong("all(mine[exam] < theirs[exam] for theirs in others for exam in mine)", "any(mine[exam] < theirs[exam] for theirs in others for exam in mine)", "one exam that is won is not enough. It must win every one.")
better_text.wrong("all(mine[exam] < theirs[exam] for theirs in others for exam in mine)", "all(sum(mine.values()) < sum(theirs.values()) for theirs in others)", "you compare sums over the exams, so one large win outweighs a loss. It must win every exam.")
better_text.wrong("mine[exam] < theirs[exam]", "mine[exam] > theirs[exam]", "fewer bits are better.")
better_text.wrong("mine[exam] < theirs[exam]", "mine[exam] <= theirs[exam]", "a draw is not a win: fewer bits than each other model.")
better_text.wrong("for exam in mine)", "for exam in mine if exam == text)", "you look at each text's own exam alone. Look at all of them.")


@better_text.expected
def _(bits):
    winners = set()
    for exam in next(iter(bits.values())):
        ranked = sorted(bits, key=lambda text: bits[text][exam])
        winners.add(ranked[0] if len(ranked) == 1 or bits[ranked[0]][exam] < bits[ranked[1]][exam] else None)
    return (winners.pop() or "") if len(winners) == 1 else ""


@better_text.cases
def _(random: Random):
    yield ({"good": {"good": 1.0, "web": 2.0}, "poor": {"good": 1.2, "web": 2.1}},)
    yield ({"stories": {"stories": 1.0, "web": 2.4}, "web": {"stories": 1.5, "web": 2.2}},)
    yield ({"stories": {"stories": 1.5, "web": 2.2}, "web": {"stories": 1.0, "web": 2.4}},)
    yield ({"a": {"x": 1.0, "y": 2.0}, "b": {"x": 1.0, "y": 2.1}},)
    yield ({"a": {"x": 1.3, "y": 2.0}, "b": {"x": 1.2, "y": 1.9}, "c": {"x": 1.1, "y": 1.8}},)
    yield ({"a": {"x": 1.2, "y": 1.9}, "b": {"x": 1.1, "y": 2.0}, "c": {"x": 1.3, "y": 1.8}},)
    for _ in range(8):
        texts = ("a", "b", "c")[: random.randrange(2, 4)]
        best = random.choice([0.0, 0.5])
        yield ({text: {exam: random.uniform(1, 2) - best * (text == "b") for exam in ("x", "y")} for text in texts},)


QUIZ = (
    Question(
        "With equal operations a small model on good text beats a ten times larger one on poor text. What does that say about good text?",
        (
            ("Nothing by itself: the large one may have lost for want of tokens. The other two corners must say.", "Two things differ between the two. Only with all four corners can the parts be told."),
            ("That it is worth a factor of ten in size.", "With that budget the small model may have won on the *poor* text as well."),
            ("That it is better, for the models had the same operations.", "Equal operations are fair to nobody: they buy the large model few tokens."),
        ),
    ),
    Question(
        "Over three seeds one text is better by 0.03 ± 0.05 bits per byte. What may you write?",
        (
            ("That three seeds do not decide it; the difference may be anything from -0.02 to 0.08.", "And whoever needs to know can say how many seeds it would take."),
            ("That the texts are equally good.", "Not seeing a difference is not seeing that there is none: 0.08 is within the interval."),
            ("That the text is better by 0.03.", "The same trainings with other seeds might have said the reverse."),
        ),
    ),
    Question(
        "A model trained on children's stories predicts children's stories better than one trained on web pages, and web pages worse. Which text is of higher quality?",
        (
            ("The table cannot say: each is better at home. It shows a match of domains.", "Quality would have to show on exams that are no text's home, or on every exam."),
            ("The stories, since they are what we care about.", "Then say so: better *for stories*. It is a choice of exam, and a fair one, if named."),
            ("The web, since its model has to predict the harder text.", "Bits on the harder text are more for everybody; that makes no text better."),
        ),
    ),
    Question(
        "Why are all models here judged by sound stories, and none by stories like those it has read?",
        (
            ("So that all sit the same exam, and one that asks for what we want from them.", "A model of shuffled stories may be excellent at predicting shuffled stories."),
            ("Because the poor text would be too hard to score.", "Scoring it is as easy. But then each model would have its own exam."),
            ("Because a model cannot be judged by what it has read.", "True, but not the reason: held-out poor stories would not have been read either."),
        ),
    ),
    Question(
        "In every budget that was trained David is ahead, by less each time. At which budget are the two even?",
        (
            ("Beyond what was trained; where, only a forecast could say.", "A line through the differences gives a number, and chapter 10 has shown how such numbers fare."),
            ("At the budget where a line through the differences meets zero.", "That is a forecast, and should be called one, with a range, and before the training is done."),
            ("At none: David wins.", "By less each time. Nothing is known beyond the last budget."),
        ),
    ),
)  # fmt: skip
