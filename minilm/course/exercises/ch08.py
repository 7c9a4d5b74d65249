"""Exercises and quiz of chapter 08: how small can a model be? The learner reads stories blind, puts intervals on shares and forecasts, and prices repetition; SciPy, matrices and integrals are the judges."""

import math
from random import Random

import numpy as np
import scipy.integrate
import scipy.stats

from minilm.course.exercise import Exercise, Question

blind = Exercise(
    "08.1",
    "Who wrote it?",
    kind="predict and measure",
    minutes=5,
    difficulty=1,
    prompt="""
        Read the three stories for at least two of the beginnings. Which letter is d64-L8, which d128-L8, which d256-L8? The letters are the same for all beginnings. Give them as one word in capitals, from the smallest model to the largest.
        """,
    hints=("Do not judge by single odd words; a sampler may be unlucky. Follow one thing through the story, the boat, the tree or the ball: who wants what with it, and for how long?",
           "Follow the dog's ball. In one story the friends work on it nearly to the end. In one it is forgotten, and they play. In one a hat, a doll and three strangers come from nowhere. That is from the largest model to the smallest."),
    verified="against the records",
    explanation="""
        All three write English that mostly holds for a sentence. In the smallest, things come out of nowhere: a car, wings, a hat. The middle one keeps to its *words*, boat, tree and dog, but not to what happened to them. The largest keeps to a *wish* for several sentences, the beach, the climb, the ball, and then loses it too. But nine stories are an anecdote; next we count.
        """,
    stub='blind = ...  # three letters, such as "ABC"',
    solution='blind = "CAB"',
)  # fmt: skip
blind.wrong("CAB", "BAC", "that is from the largest to the smallest. Begin with the smallest.")
blind.wrong("CAB", "CBA", "you have found the smallest; the other two are exchanged. Which of them still knows at the end what the story was about?")
blind.wrong("CAB", "ACB", "you have found the largest; the other two are exchanged. Into which of them do things come from nowhere?")
blind.wrong("CAB", "BCA", "you took the largest for the smallest. Read the first three sentences of each again: do they follow from each other?")
blind.wrong("CAB", "ABC", "none is in its place. Follow one thing, the boat or the ball, through each story.")
blind.wrong("CAB", "cab", "the letters are right; write them in capitals.")


@blind.expected
def _():
    sizes = {"A": 1_902_720, "B": 6_951_168, "C": 656_448}  # parameters, as in the records
    return "".join(sorted(sizes, key=sizes.get))


share_interval = Exercise(
    "08.2",
    "How sure is 3 of 40?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Forty stories, and 3 are sound. The model's true share could just as well be 0.03 or 0.19. In general: $k$ of $n$ stories. If the true share is $p$, such counts scatter around it, and the variance of $k/n$, its mean squared distance from $p$, is $p(1-p)/n$; its root is the standard deviation. Wilson's interval holds all shares $p$ from which $k/n$ is at most $z$ standard deviations away: $(p - k/n)^2 \\le z^2\\, p(1-p)/n$. That is a quadratic in $p$, and the interval ends at its two roots, which have the centre and the half-width

        $$\\frac{k + z^2/2}{n + z^2} \\qquad\\text{and}\\qquad \\frac{z}{n + z^2}\\sqrt{\\frac{k\\,(n-k)}{n} + \\frac{z^2}{4}}.$$

        Return the two ends, `(low, high)`. With $z = 1.96$ nineteen of twenty such intervals hold the true share.
        """,
    hints=("Compute the centre and the half-width by themselves; the ends are the centre minus and plus the half-width.",
           "`centre = (k + z**2 / 2) / (n + z**2)` and `half = z / (n + z**2) * (k * (n - k) / n + z**2 / 4) ** 0.5`."),
    verified="none of n, all of n, half, and 12 random counts, against SciPy's `proportion_ci`",
    explanation="""
        For 3 of 40 it goes from 0.026 to 0.199. The interval most books begin with, $k/n \\pm 1.96\\sqrt{k(n-k)/n^3}$, would begin below zero here; and for 0 of 40 it would be a single point, as if forty stories had proved that the model never succeeds. Wilson's says: at most 0.088.
        """,
    tolerance=1e-6,
)  # fmt: skip


@share_interval.stub
def share_interval(k, n, z=1.96):
    """Wilson's interval (low, high) for the share behind k successes in n tries."""
    raise NotImplementedError


@share_interval.solution
def share_interval(k, n, z=1.96):
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * (k * (n - k) / n + z**2 / 4) ** 0.5
    return centre - half, centre + half


share_interval.wrong("centre = (k + z**2 / 2) / (n + z**2)\n    half = z / (n + z**2) * (k * (n - k) / n + z**2 / 4) ** 0.5", "centre = k / n\n    half = z * (k * (n - k) / n**3) ** 0.5", "that is the interval of most books. For 3 of 40 it begins below zero, and for 0 of 40 it has no width.")
share_interval.wrong("(k + z**2 / 2) / (n + z**2)", "k / n", "your interval lies around k/n. Its centre is pulled towards a half, more so when n is small.")
share_interval.wrong(" ** 0.5", "", "the root is missing in the half-width.")
share_interval.wrong("+ z**2 / 4", "+ z**2 / 2", "under the root it is z²/4, not z²/2.")
share_interval.wrong("(k + z**2 / 2)", "(k + z**2 / 4)", "in the centre it is z²/2, not z²/4.")
share_interval.wrong("half = z / (n + z**2)", "half = z / n", "the half-width, too, is divided by n + z².")
share_interval.wrong("z / (n + z**2) * (k * (n - k) / n + z**2 / 4) ** 0.5", "z / (n + z**2) * (k * (n - k) + z**2 / 4) ** 0.5", "under the root, k (n - k) is divided by n.")
share_interval.wrong("return centre - half, centre + half", "return centre, half", "you return centre and half-width. Return the two ends.")
share_interval.wrong("return centre - half, centre + half", "return centre + half, centre - half", "the ends are exchanged: the lower comes first.")
share_interval.wrong("z**2 / 2) / (n + z**2)", "z / 2) / (n + z)", "in the centre z is squared, above and below the line of the fraction.")


@share_interval.expected
def _(k, n, z=1.96):
    found = scipy.stats.binomtest(k, n).proportion_ci(2 * scipy.stats.norm.cdf(z) - 1, method="wilson")
    return float(found.low), float(found.high)


@share_interval.cases
def _(random: Random):
    yield 3, 40
    yield 0, 40
    yield 40, 40
    yield 10, 20, 1.0
    for _ in range(12):
        n = random.randrange(5, 200)
        yield random.randrange(n + 1), n, random.choice((1.96, 1.0, 2.58))


line_through_logs = Exercise(
    "08.3",
    "A line through logarithms",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Recorded runs of one size read `tokens[i]` tokens and came to `bits[i]` bits per byte. Where such points lie on a line once *both* axes are logarithmic, the loss is a power of the tokens. Fit that line by least squares, the line with the smallest sum of squared distances in height (`np.polyfit(x, y, 1)` returns its slope and intercept), and return what it says, in bits per byte, for a run of `n_tokens`.
        """,
    hints=("Which numbers go into `polyfit`? And what must be done with what comes out, so that it is bits again?",
           "`slope, intercept = np.polyfit(np.log(tokens), np.log(bits), 1)`; then the exponential of `slope * np.log(n_tokens) + intercept`."),
    verified="points exactly on a power law, noisy ones, between and beyond them, against SciPy's `linregress`",
    explanation="""
        Between the points it hardly matters what curve one lays through them. Far beyond them it is all that matters: a power law falls to zero, and no text can be predicted with zero bits. Chapter 10 adds the floor. Here we shall ask only for what lies between recorded runs.
        """,
    tolerance=1e-6,
)  # fmt: skip


@line_through_logs.stub
def line_through_logs(tokens, bits, n_tokens):
    """Bits per byte of a run of n_tokens, by the line through the logarithms of recorded runs."""
    raise NotImplementedError


@line_through_logs.solution
def line_through_logs(tokens, bits, n_tokens):
    slope, intercept = np.polyfit(np.log(tokens), np.log(bits), 1)
    return float(np.exp(slope * np.log(n_tokens) + intercept))


line_through_logs.wrong("np.polyfit(np.log(tokens), np.log(bits), 1)", "np.polyfit(tokens, np.log(bits), 1)", "the tokens are not in logarithms: that would be an exponential, not a power.")
line_through_logs.wrong("np.log(bits), 1)\n    return float(np.exp(slope * np.log(n_tokens) + intercept))", "bits, 1)\n    return float(slope * np.log(n_tokens) + intercept)", "the bits are not in logarithms: only the axis of tokens is.")
line_through_logs.wrong("np.polyfit(np.log(tokens), np.log(bits), 1)\n    return float(np.exp(slope * np.log(n_tokens) + intercept))", "np.polyfit(tokens, bits, 1)\n    return float(slope * n_tokens + intercept)", "you fitted a line on plain axes. Take logarithms of both.")
line_through_logs.wrong("float(np.exp(slope * np.log(n_tokens) + intercept))", "float(slope * np.log(n_tokens) + intercept)", "you return the logarithm of the bits. Undo it with `np.exp`.")
line_through_logs.wrong("slope, intercept =", "intercept, slope =", "slope and intercept are exchanged: `polyfit` gives the highest power first.")
line_through_logs.wrong("slope * np.log(n_tokens)", "slope * n_tokens", "the line must be asked at the logarithm of n_tokens.")
line_through_logs.wrong("np.polyfit(np.log(tokens), np.log(bits), 1)", "np.polyfit(np.log(bits), np.log(tokens), 1)", "the axes are exchanged: tokens go along, bits go up.")
line_through_logs.wrong("float(np.exp(slope * np.log(n_tokens) + intercept))", "float(2 ** (slope * np.log(n_tokens) + intercept))", "`np.log` is undone by `np.exp`, not by a power of 2.")
line_through_logs.wrong("slope, intercept = np.polyfit(np.log(tokens), np.log(bits), 1)\n    return float(np.exp(slope * np.log(n_tokens) + intercept))", "order = np.argsort(tokens)\n    return float(np.exp(np.interp(np.log(n_tokens), np.log(tokens)[order], np.log(bits)[order])))", "you go from point to point. Noise in two neighbours then is noise in the forecast; one line through all points averages it out.")


@line_through_logs.expected
def _(tokens, bits, n_tokens):
    found = scipy.stats.linregress(np.log(tokens), np.log(bits))
    return float(np.exp(found.intercept) * n_tokens**found.slope)


def _runs(random: Random, noise: float) -> tuple[list[float], list[float]]:
    """Five budgets, twice each, near a power law."""
    tokens = [50_000.0 * 2**i for i in range(5) for _ in range(2)]
    return tokens, [9 * n**-0.16 * math.exp(noise * random.gauss(0, 1)) for n in tokens]


@line_through_logs.cases
def _(random: Random):
    yield [100.0, 10_000.0], [4.0, 1.0], 1000.0
    yield [100.0, 1000.0, 10_000.0], [4.0, 2.5, 1.0], 1000.0
    for _ in range(10):
        yield *_runs(random, 0.05), random.choice((70_000.0, 300_000.0, 2e6))


forecast_range = Exercise(
    "08.4",
    "And how sure?",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        A forecast without a range is worth little. Write $x$ for the logarithms of the tokens, $\\bar x$ for their mean, $y$ for the logarithms of the bits, $\\hat y$ for what the line says, $n$ for the number of runs. The runs scatter around the line with $s = \\sqrt{\\sum (y-\\hat y)^2 / (n-2)}$ (minus 2, since the line was fitted to these very points with two numbers). A *new* run scatters as much, and the line itself is uncertain, more so the further out one asks. Together

        $$h = t\\, s\\, \\sqrt{1 + \\frac1n + \\frac{(x_0-\\bar x)^2}{\\sum (x-\\bar x)^2}},$$

        where $x_0$ is the logarithm of `n_tokens` and $t$ = `scipy.stats.t.ppf(0.975, n - 2)`, which leaves 2.5 % on either side. *If* the points lie on a line and all scatter alike, the new run's *logarithm* lies within $h$ of the line at $x_0$ in 95 of 100 cases. Add and subtract $h$ first, and undo the logarithm last: return the two ends in bits per byte.
        """,
    hints=("Begin with x, y, the line, and the differences y minus line. Which of the three terms under the root would vanish if you had infinitely many runs?",
           "`x, y = np.log(tokens), np.log(bits)`, `slope, intercept = np.polyfit(x, y, 1)`, `s = (((y - slope * x - intercept) ** 2).sum() / (n - 2)) ** 0.5`; compute h, and return the exponentials of `centre - h` and `centre + h`."),
    verified="few and many runs, between and beyond them, against the general formula with matrices",
    explanation="""
        The 1 under the root is the new run's own luck, and does not go away with more runs; the two others are what we do not know about the line. Many forecasts leave out the 1. They tell where the *mean* of many runs would lie, and a single run often falls outside.
        """,
    tolerance=1e-5,
)  # fmt: skip


@forecast_range.stub
def forecast_range(tokens, bits, n_tokens):
    """The range (low, high) in bits per byte that should hold a new run of n_tokens, 95 times in 100."""
    x, y, n = np.log(tokens), np.log(bits), len(tokens)
    # 1. the line, and what it says at np.log(n_tokens)
    # 2. s, from the differences
    # 3. h, from s, t and the root
    raise NotImplementedError


@forecast_range.solution
def forecast_range(tokens, bits, n_tokens):
    x, y, n = np.log(tokens), np.log(bits), len(tokens)
    slope, intercept = np.polyfit(x, y, 1)
    centre = slope * np.log(n_tokens) + intercept
    s = (((y - slope * x - intercept) ** 2).sum() / (n - 2)) ** 0.5
    distance = (np.log(n_tokens) - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    h = scipy.stats.t.ppf(0.975, n - 2) * s * (1 + 1 / n + distance) ** 0.5
    return float(np.exp(centre - h)), float(np.exp(centre + h))


forecast_range.wrong("(1 + 1 / n + distance)", "(1 / n + distance)", "you left out the 1, the new run's own luck. That is the range of the line, not of a run.")
forecast_range.wrong("(1 + 1 / n + distance)", "(1 + 1 / n)", "the distance from the middle of the runs is missing: further out, the line is less sure.")
forecast_range.wrong("(1 + 1 / n + distance)", "1", "only the scatter counts in yours. The line itself is uncertain too: 1/n, and the distance.")
forecast_range.wrong("/ (n - 2)) ** 0.5", "/ n) ** 0.5", "divide the sum of squares by n - 2: the line was fitted to the same points, with two numbers.")
forecast_range.wrong("/ (n - 2)) ** 0.5", "/ (n - 1)) ** 0.5", "two numbers were fitted, slope and intercept, so it is n - 2.")
forecast_range.wrong("scipy.stats.t.ppf(0.975, n - 2)", "scipy.stats.t.ppf(0.95, n - 2)", "0.95 leaves 5 % on each side. For 95 % between the ends it is 0.975.")
forecast_range.wrong("scipy.stats.t.ppf(0.975, n - 2)", "1.96", "1.96 is for infinitely many runs. With few, t is larger.")
forecast_range.wrong("scipy.stats.t.ppf(0.975, n - 2) * s", "s", "t is missing: one s on each side holds only about two thirds.")
forecast_range.wrong("float(np.exp(centre - h)), float(np.exp(centre + h))", "float(centre - h), float(centre + h)", "these are logarithms. Return bits per byte.")
forecast_range.wrong("float(np.exp(centre - h)), float(np.exp(centre + h))", "float(np.exp(centre) - h), float(np.exp(centre) + h)", "h belongs to the logarithm: add it before you undo that.")
forecast_range.wrong("float(np.exp(centre - h)), float(np.exp(centre + h))", "float(np.exp(centre + h)), float(np.exp(centre - h))", "the ends are exchanged: the lower comes first.")
forecast_range.wrong("(np.log(n_tokens) - x.mean()) ** 2 /", "abs(np.log(n_tokens) - x.mean()) /", "the distance is squared in the formula.")
forecast_range.wrong("/ ((x - x.mean()) ** 2).sum()", "/ ((x - x.mean()) ** 2).mean()", "divide the squared distance by the *sum* of the squared distances of all runs, not by their mean.")
forecast_range.wrong("(((y - slope * x - intercept) ** 2).sum() / (n - 2)) ** 0.5", "(((y - y.mean()) ** 2).sum() / (n - 2)) ** 0.5", "you measured the scatter around the mean. What counts is the scatter around the line.")


@forecast_range.expected
def _(tokens, bits, n_tokens):
    design = np.column_stack([np.ones(len(tokens)), np.log(tokens)])
    asked = np.array([1.0, np.log(n_tokens)])
    found, squares, _, _ = np.linalg.lstsq(design, np.log(bits), rcond=None)
    free = len(tokens) - 2
    variance = squares[0] / free * (1 + asked @ np.linalg.inv(design.T @ design) @ asked)
    low, high = scipy.stats.t.interval(0.95, free, loc=asked @ found, scale=math.sqrt(variance))
    return float(np.exp(low)), float(np.exp(high))


@forecast_range.cases
def _(random: Random):
    yield [100.0, 1000.0, 10_000.0], [4.0, 2.5, 1.0], 1000.0
    yield [100.0, 1000.0, 10_000.0, 10_000.0], [4.0, 2.5, 1.0, 1.2], 1e6
    for _ in range(10):
        yield *_runs(random, 0.05), random.choice((70_000.0, 300_000.0, 2e6))


worth_of_repeats = Exercise(
    "08.5",
    "What is a second reading worth?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Muennighoff et al. put it in a formula: a token read again counts less each time. What is read after $r$ repetitions counts $e^{-r/R}$, with $R = 15.4$, measured on models of up to nine billion parameters. (After $R$ repetitions one more counts 37 %.) Here $r$ grows smoothly, within a reading too, so all of it is added up by an integral: $U$ unique tokens read `epochs` times are worth

        $$U + U\\,R\\,\\big(1 - e^{-(\\text{epochs}-1)/R}\\big)$$

        fresh ones. Write it. (One reading has no repetition.)
        """,
    hints=("How many *repetitions* are in 4 readings?",
           "`unique * (1 + half_life * (1 - math.exp(-(epochs - 1) / half_life)))`, where half_life is R (it is no half-life, but a name it needs)."),
    verified="one reading, four, sixteen and endless many, other R, and 10 random ones, against adding it up by an integral",
    explanation="""
        An *epoch* is one reading. Four are worth 3.7 fresh ones: hence the authors' rule that up to four epochs are nearly free. Sixteen are worth 10.6, and infinitely many 16.4: the text is used up. R is no constant of nature. It was fitted to large models on web text, and the figure below asks whether it holds for ours.
        """,
    tolerance=1e-6,
)  # fmt: skip


@worth_of_repeats.stub
def worth_of_repeats(unique, epochs, R=15.4):
    """How many fresh tokens `unique` tokens, read `epochs` times, are worth."""
    raise NotImplementedError


@worth_of_repeats.solution
def worth_of_repeats(unique, epochs, R=15.4):
    return unique * (1 + R * (1 - math.exp(-(epochs - 1) / R)))


worth_of_repeats.wrong("(epochs - 1)", "epochs", "one reading has no repetition: count epochs - 1.")
worth_of_repeats.wrong("(1 + R * (1 - math.exp(-(epochs - 1) / R)))", "R * (1 - math.exp(-(epochs - 1) / R))", "the first reading is missing. It counts in full.")
worth_of_repeats.wrong("R * (1 - math.exp", "(1 - math.exp", "the factor R before the bracket is missing: all repetitions together would be worth less than one reading.")
worth_of_repeats.wrong("-(epochs - 1) / R", "-(epochs - 1) * R", "in the exponent the repetitions are divided by R.")
worth_of_repeats.wrong("math.exp(-(epochs - 1) / R)", "math.exp((epochs - 1) / R)", "the exponent is negative: what was read often counts less and less.")
worth_of_repeats.wrong("unique * (1 + R", "(1 + R", "multiply by the unique tokens.")
worth_of_repeats.wrong("unique * (1 + R * (1 - math.exp(-(epochs - 1) / R)))", "unique * (1 + (epochs - 1) * math.exp(-(epochs - 1) / R))", "you count all repetitions at the worth of the last. Each has its own; the formula has added them up.")
worth_of_repeats.wrong("unique * (1 + R * (1 - math.exp(-(epochs - 1) / R)))", "unique * epochs", "that is what they would be worth if repetitions counted in full.")
worth_of_repeats.wrong("math.exp(", "2 ** (", "the base is e, not 2.")


@worth_of_repeats.expected
def _(unique, epochs, R=15.4):
    repeated, _ = scipy.integrate.quad(lambda r: math.exp(-r / R), 0, min(epochs - 1, 200 * R), limit=200)
    return unique * (1 + repeated)


@worth_of_repeats.cases
def _(random: Random):
    yield 1000.0, 1
    yield 1000.0, 4
    yield 1000.0, 16
    yield 1000.0, 2000
    yield 500.0, 3, 5.0
    for _ in range(10):
        yield random.uniform(1e5, 1e6), random.randrange(2, 40), random.choice((15.4, 5.0, 30.0))


QUIZ = (
    Question(
        "llama2.c's model of 260 thousand parameters is published with a loss of 1.297, its model of 15 million with 1.072, both in nats per token. Is the small one nearly as good?",
        (
            ("No. Their tokens differ in length; per byte the small one needs more than twice the bits.", "A token is 2.06 bytes long in one and 3.77 in the other: 0.91 and 0.41 bits per byte. The first chops its text into short tokens, which are easy to guess, and has more of them to guess. Never compare losses per token of two vocabularies."),
            ("Yes. The losses are 20 % apart, so the small one is about 20 % worse at guessing.", "These nats are for different tokens: the small model guesses 2.06 bytes at a time, the large one 3.77."),
            ("No. A nat is a logarithm, so 0.2 nats more is a fifth less probability for each byte.", "For each *token*, and the tokens of the two models are not the same. Divide by bytes first."),
        ),
    ),
    Question(
        "You read forty stories of a model, and every one has a contradiction. What do you know about the share of its stories without one?",
        (
            ("It is likely below about 9 %; that it is zero you do not know.", "Wilson's interval for 0 of 40 goes up to 8.8 %. To say less than 1 % you would need some four hundred stories without a success."),
            ("It is zero, since none of forty independent stories was sound.", "A model that succeeds one time in fifty has no success in forty tries nearly every second time."),
            ("Nothing: with no success there is no spread, so no interval can be given.", "The interval of most books fails here, but others do not. Many shares would have shown *something* in forty tries."),
        ),
    ),
    Question(
        "In the ladder d256-L8 reached fewer bits than d64-L8 on the same text. Does this show that a larger model is the better use of a given amount of computation?",
        (
            ("No. With as many tokens it also used about ten times the operations; the small one could have read more text for them.", "Equal tokens and equal computation are two comparisons. Chapters 10 and 12 make the second one."),
            ("Yes. It read the same text with the same recipe, and came out ahead by a fifth.", "At the same *tokens*. It did ten times the computation; for the same bill the small one could have read ten times the text."),
            ("No. The two losses are of different vocabularies, so they cannot be compared.", "All sizes share one vocabulary, and bits per byte could be compared even if they did not."),
        ),
    ),
    Question(
        "The loss of your run falls smoothly, but since step 60 it lies above the band of recorded runs. What do you do?",
        (
            ("Stop, and compare every setting with the recorded runs: something differs.", "A falling loss proves little; nearly every fault of chapter 06 lets it fall. The band says how fast it should."),
            ("Let it run: the loss is still falling, and it may come back to the band.", "One point in twenty may lie outside. Point after point outside, on one side, is seldom chance, and a learning rate that is wrong stays wrong."),
            ("Compute the band anew with this run among the recorded ones, so that there are six.", "Then it says that such runs happen, which is what you were asking. A run under suspicion is no witness."),
        ),
    ),
    Question(
        "Short runs of three lengths lie on a line in logarithms, and a forecast between them was right to one per cent. May you ask the same line for a run ten times as long?",
        (
            ("Only where runs of about that length have confirmed it: beyond the known runs the line itself must be right.", "Between them any smooth curve would do. In this chapter the curve bent, and the longer runs fell outside the range."),
            ("Yes, if you give the range of 08.4: it grows with the distance, so it covers the risk.", "It covers the uncertainty of slope and height *if* the points lie on a line. It knows nothing of a bend."),
            ("Yes: a loss is a power of the tokens, as these three lengths have shown.", "A power falls to zero, and no text can be guessed with zero bits, so at the latest near that floor it fails. And our shortest runs are a different world: they learn which words there are."),
        ),
    ),
    Question(
        "You have a million tokens, and may train on sixteen million. What can you expect of sixteen readings?",
        (
            ("Less than of sixteen million fresh tokens; whether more than of eight readings, unseen text must tell.", "By the formula of 08.5 sixteen readings are worth 10.6 fresh ones. For our small model they were worth 3.5, and eight were better: look at unseen text, and stop in time."),
            ("As much as of a single reading: what a text can teach, it has taught by then.", "It has *seen* it. One step from each window is far too little to learn it all; second readings go on lowering the loss on unseen text."),
            ("As much as of sixteen million fresh tokens: a model cannot tell old ones from new.", "It can: it gets them by heart. The loss on the text that it reads goes on falling, that on unseen text stops."),
        ),
    ),
)  # fmt: skip
