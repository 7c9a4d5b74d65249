"""Exercises and quiz of chapter 10: how big, on how many tokens? The learner counts operations, finds valleys, derives the best split of a budget, writes the error that a law is fitted by, and says how sure an exponent is; SciPy's searches and regressions are the judges."""

import math
from random import Random

import numpy as np
import scipy.optimize
import scipy.special
import scipy.stats

from minilm.course.exercise import Exercise, Question

bill = Exercise(
    "10.1",
    "Which cost more?",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        Gopher has 280 billion parameters and read 300 billion tokens. Chinchilla has 70 billion and read 1.4 trillion ($1.4 \\cdot 10^{12}$). By the rule of six operations for each parameter and token: how many times the operations of Gopher did Chinchilla take? Two digits are enough.
        """,
    hints=("The six is in both. What is left of the ratio once it has gone?",
           "70 × 1,400 over 280 × 300, all in billions."),
    verified="70 x 1400 / (280 x 300), to three per cent",
    explanation="""
        1.17: a sixth more. A model a quarter as large, that read nearly five times as much, for about the same bill. And it was better in 51 of the 57 subjects of MMLU (chapter 09). That is Chinchilla's finding in two rows of a table. (By the papers' own finer counts the two cost the same, $5.76 \\cdot 10^{23}$ operations.)
        """,
    tolerance=0.03,
    stub="bill = ...  # Chinchilla's operations over Gopher's",
    solution="bill = 70e9 * 1.4e12 / (280e9 * 300e9)",
)  # fmt: skip
bill.wrong("70e9 * 1.4e12 / (280e9 * 300e9)", "280e9 * 300e9 / (70e9 * 1.4e12)", "that is Gopher's over Chinchilla's.")
bill.wrong("1.4e12", "1.4e11", "1.4 trillion is 1,400 billion, not 140.")
bill.wrong("70e9 * 1.4e12 / (280e9 * 300e9)", "1.4e12 / 300e9", "that is the ratio of the tokens alone; the parameters count too.")
bill.wrong("70e9 * 1.4e12 / (280e9 * 300e9)", "70e9 / 280e9", "that is the ratio of the parameters alone; the tokens count too.")
bill.wrong("70e9 * 1.4e12 / (280e9 * 300e9)", "(70e9 + 1.4e12) / (280e9 + 300e9)", "parameters and tokens are multiplied, not added.")


@bill.expected
def _():
    gopher, chinchilla = 6 * 280e9 * 300e9, 6 * 70e9 * 1.4e12
    return chinchilla / gopher


lowest_point = Exercise(
    "10.2",
    "The bottom of a valley",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Some models of different sizes had the same budget. Lay a parabola through their losses over $x = \\ln N$: `np.polyfit(x, losses, 2)` returns $a, b, c$ of $a x^2 + b x + c$. Return its lowest point, `(size, loss)`, the size in parameters.
        """,
    hints=("A parabola is lowest where its slope, $2 a x + b$, is zero.",
           "`x = -b / (2 * a)`; the size is the exponential of it, and the loss is the parabola there."),
    verified="valleys that are exact parabolas, and noisy ones, of 4 to 8 sizes, against a numerical search",
    explanation="""
        A parabola is an assumption: near its lowest point any smooth curve looks like one, further up the walls it need not. We come back to what that costs.
        """,
    tolerance=1e-5,
)  # fmt: skip


@lowest_point.stub
def lowest_point(sizes, losses):
    """The best size of a budget in parameters, and its loss, by a parabola over ln N."""
    raise NotImplementedError


@lowest_point.solution
def lowest_point(sizes, losses):
    a, b, c = np.polyfit(np.log(sizes), losses, 2)
    x = -b / (2 * a)
    return float(np.exp(x)), float(a * x**2 + b * x + c)


lowest_point.wrong("np.polyfit(np.log(sizes), losses, 2)", "np.polyfit(sizes, losses, 2)", "the parabola lies over the sizes themselves. Take their logarithm: a valley is as wide for small models as for large ones only there.")
lowest_point.wrong("np.polyfit(np.log(sizes), losses, 2)\n    x = -b / (2 * a)\n    return float(np.exp(x)), float", "np.polyfit(sizes, losses, 2)\n    x = -b / (2 * a)\n    return float(x), float", "the parabola lies over the sizes. Lay it over their logarithms, `np.log(sizes)`, and undo that at the end with `np.exp`.")
lowest_point.wrong("float(np.exp(x)), float", "float(x), float", "you return the logarithm of the size. Undo it with `np.exp`.")
lowest_point.wrong("-b / (2 * a)", "-b / a", "the slope of a x² + b x is 2 a x + b.")
lowest_point.wrong("-b / (2 * a)", "b / (2 * a)", "check the sign: 2 a x + b = 0.")
lowest_point.wrong("a, b, c =", "c, b, a =", "a and c are exchanged: `polyfit` gives the highest power first.")
lowest_point.wrong("np.log(sizes)", "np.log10(sizes)", "with `np.log10` the exponential that undoes it is `10 ** x`. Take `np.log`.")
lowest_point.wrong("float(np.exp(x)), float(a * x**2 + b * x + c)", "float(a * x**2 + b * x + c), float(np.exp(x))", "the two are exchanged: first the size, then the loss.")
lowest_point.wrong("float(a * x**2 + b * x + c)", "float(min(losses))", "that is the lowest of the losses; the lowest point of the parabola lies between the sizes, and noise in one loss counts less there.")
lowest_point.wrong("float(a * x**2 + b * x + c)", "float(c)", "c is the height at x = 0, a model of a single parameter. Ask the parabola at x.")
lowest_point.wrong("a, b, c = np.polyfit(np.log(sizes), losses, 2)\n    x = -b / (2 * a)\n    return float(np.exp(x)), float(a * x**2 + b * x + c)", "best = int(np.argmin(losses))\n    return float(sizes[best]), float(losses[best])", "you took the best of the sizes that were tried. The parabola tells where between them the best lies.")


@lowest_point.expected
def _(sizes, losses):
    x = np.log(np.asarray(sizes, float))
    design = np.stack([x**2, x, np.ones_like(x)], axis=1)
    curve = np.poly1d(np.linalg.lstsq(design, np.asarray(losses, float), rcond=None)[0])
    found = scipy.optimize.minimize_scalar(curve, bracket=(x.min(), x.mean(), x.max()) if curve(x.mean()) < min(curve(x.min()), curve(x.max())) else None)
    return float(np.exp(found.x)), float(found.fun)


@lowest_point.cases
def _(random: Random):
    sizes = [1e6, 2e6, 4e6, 8e6]
    yield sizes, [3 + 0.1 * (math.log(n) - math.log(3e6)) ** 2 for n in sizes]
    for _ in range(10):
        best, count = 10 ** random.uniform(5.3, 6.3), random.randrange(4, 9)
        sizes = [best * 2 ** (i - random.uniform(1.2, 1.8)) for i in range(count)]
        yield sizes, [2.5 + 0.08 * (math.log(n) - math.log(best)) ** 2 + random.gauss(0, 0.004) for n in sizes]


sampled_exponents = Exercise(
    "10.3",
    "How sure is an exponent?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Had other trainings been run, another exponent would have come out. The *bootstrap* (chapter 09) imitates this with the trainings at hand: draw as many of them as there are, some twice and some not at all, fit again, and do so many times. Each row of `draws` holds the numbers of the points of one such sample. For each row, fit the straight line through the logarithms of these points, and return the slopes as an array. A sample may happen to hold a single budget; a line needs two, so leave such rows out.
        """,
    hints=("`x[row]` takes the points with the numbers in row. What makes a row useless, and how do you see it in `x[row]`?",
           "`[np.polyfit(np.log(x[row]), np.log(y[row]), 1)[0] for row in draws if len(set(x[row])) > 1]`, as an array."),
    verified="exact power laws, samples of a single budget, and 6 noisy ones, against SciPy's `linregress`",
    explanation="""
        The 2.5th and the 97.5th percentile of these slopes are the ends of an interval of 95 %. It knows of chance among trainings only. If the method itself is bent, or the trainings all share a fault, so does every sample.
        """,
    tolerance=1e-6,
)  # fmt: skip


@sampled_exponents.stub
def sampled_exponents(x, y, draws):
    """The exponents of the power laws through samples of points, one for each useful row of draws."""
    raise NotImplementedError


@sampled_exponents.solution
def sampled_exponents(x, y, draws):
    rows = [row for row in draws if len(set(x[row])) > 1]
    return np.array([np.polyfit(np.log(x[row]), np.log(y[row]), 1)[0] for row in rows])


sampled_exponents.wrong("np.log(x[row]), np.log(y[row])", "x[row], y[row]", "the line goes through the logarithms of both.")
sampled_exponents.wrong("np.log(x[row]), np.log(y[row])", "np.log(x[row]), y[row]", "y is not in logarithms: a power law is a line only on two logarithmic axes.")
sampled_exponents.wrong("np.log(x[row]), np.log(y[row])", "np.log(y[row]), np.log(x[row])", "the axes are exchanged: y is a power of x.")
sampled_exponents.wrong(", 1)[0] for", ", 1)[1] for", "that is the intercept: `polyfit` gives the highest power first.")
sampled_exponents.wrong("np.log(y[row])", "np.log(y)[: len(row)]", "x and y must be taken with the same row: a point is drawn whole.")
sampled_exponents.wrong("[row for row in draws if len(set(x[row])) > 1]", "[sorted(set(row)) for row in draws if len(set(x[row])) > 1]", "a point that was drawn twice must count twice: that is how a sample differs from the points.")
sampled_exponents.wrong("if len(set(x[row])) > 1]", "if len(set(row)) > 1]", "two different points may still have the same budget. Ask how many different `x[row]` there are.")
sampled_exponents.wrong("if len(set(x[row])) > 1]", "if len(row) > 1]", "samples that hold a single budget are still among yours; no line goes through one x.")
sampled_exponents.wrong("if len(set(x[row])) > 1]", "if len(set(x[row])) == len(set(x))]", "you leave out too many: two different budgets are enough for a line.")
sampled_exponents.wrong("np.array([np.polyfit(np.log(x[row]), np.log(y[row]), 1)[0] for row in rows])", "np.array([np.polyfit(np.log(x), np.log(y), 1)[0] for row in rows])", "you fit all points each time. Fit those of the row.")


@sampled_exponents.expected
def _(x, y, draws):
    found = [scipy.stats.linregress(np.log(x[row]), np.log(y[row])).slope for row in draws if np.ptp(x[row]) > 0]
    return np.array(found)


@sampled_exponents.cases
def _(random: Random):
    x = np.array([1e12, 1e12, 1e13, 1e14])
    yield x, 3.0 * x**0.5, np.array([[0, 1, 2, 3], [0, 0, 2, 2], [0, 1, 1, 0], [3, 3, 3, 3]])
    for _ in range(6):
        x = np.repeat(10.0 ** np.arange(11, 15), 2)
        y = np.array([n**0.5 * math.exp(random.gauss(0, 0.2)) for n in x])
        yield x, y, np.array([[random.randrange(len(x)) for _ in x] for _ in range(12)] + [[0, 1] * 4])


best_split = Exercise(
    "10.4",
    "The best split of a budget",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        Suppose the loss is $L = E + A/N^\\alpha + B/D^\\beta$. For a budget of $C = 6 N D$ operations, which $N$ and $D$ give the least loss? Put $D = C/(6N)$ into the law, take the derivative by $N$, set it to zero. Paper helps. Return `(n_params, n_tokens)`.
        """,
    hints=("With $D = C/(6N)$ the third term is $B\\,(6N/C)^\\beta$. The derivatives of the two terms must cancel: $\\alpha A N^{-\\alpha-1} = \\beta B\\,(6/C)^\\beta N^{\\beta-1}$. Solve for $N$.",
           "$N^{\\alpha+\\beta} = \\frac{\\alpha A}{\\beta B} (C/6)^\\beta$. So `n_params = (alpha * A / (beta * B) * (flops / 6) ** beta) ** (1 / (alpha + beta))`, and `n_tokens` is what is left of flops / 6."),
    verified="Chinchilla's budget with the printed numbers, one of ten operations, and 10 random laws and budgets, against a numerical search",
    explanation="""
        $E$ has gone: what no model can know does not change the split. And $N$ grows as $C$ to the power $\\beta/(\\alpha+\\beta)$. If $\\alpha$ and $\\beta$ are equal, that is a half: a hundred times the budget, ten times the model, ten times the tokens.
        """,
    tolerance=1e-4,
)  # fmt: skip


@best_split.stub
def best_split(A, B, alpha, beta, flops):
    """The parameters and tokens that cost 6 N D = flops and have the least loss by the law."""
    raise NotImplementedError


@best_split.solution
def best_split(A, B, alpha, beta, flops):
    ratio = alpha * A / (beta * B)
    n_params = (ratio * (flops / 6) ** beta) ** (1 / (alpha + beta))
    n_tokens = flops / 6 / n_params
    return n_params, n_tokens


best_split.wrong("(flops / 6) ** beta", "(flops / 6) ** alpha", "the exponent of C/6 is β: it comes from the term of the tokens.")
best_split.wrong("alpha * A / (beta * B)", "A / B", "taking the derivative brings the exponents down: α A and β B.")
best_split.wrong("alpha * A / (beta * B)", "beta * B / (alpha * A)", "the ratio stands upside down.")
best_split.wrong("(ratio * (flops / 6) ** beta) ** (1 / (alpha + beta))\n    n_tokens = flops / 6 / n_params", "(ratio * flops**beta) ** (1 / (alpha + beta))\n    n_tokens = flops / n_params", "the six is missing, in the size and in the tokens: N D is C/6.")
best_split.wrong("(flops / 6) ** beta", "flops**beta", "the six is missing: N D is C/6.")
best_split.wrong("flops / 6 / n_params", "flops / n_params", "the tokens: D = C / (6 N). The six is missing.")
best_split.wrong("1 / (alpha + beta)", "alpha + beta", "the root is the other way round: N to the power of α + β is what you have, so take the power 1/(α + β).")
best_split.wrong("1 / (alpha + beta)", "1 / (alpha * beta)", "the exponents of N add up: α + β.")
best_split.wrong("return n_params, n_tokens", "return n_tokens, n_params", "parameters come first, then tokens.")
best_split.wrong("n_tokens = flops / 6 / n_params", "n_tokens = 20 * n_params", "twenty tokens for each parameter is a rule of thumb. Here the law says how many, and the two must cost the budget.")
best_split.wrong("(ratio * (flops / 6) ** beta) ** (1 / (alpha + beta))", "(flops / 6) ** 0.5", "that is half and half on a logarithmic scale: it is right only if A and B, and α and β, are equal.")


@best_split.expected
def _(A, B, alpha, beta, flops):
    def loss(log_n):
        n = math.exp(log_n)
        return A / n**alpha + B / (flops / 6 / n) ** beta

    middle = math.log(flops / 6) / 2
    found = scipy.optimize.minimize_scalar(loss, bounds=(middle - 40, middle + 40), method="bounded", options={"xatol": 1e-9})
    edges = (found.x - 2e-3, found.x + 2e-3)  # where the loss is flat a search stops early, so ask its slope, which is not

    def slope(log_n):
        n = math.exp(log_n)
        return -alpha * A / n**alpha + beta * B / (flops / 6 / n) ** beta

    n = math.exp(scipy.optimize.brentq(slope, edges[0] - 1, edges[1] + 1, xtol=1e-12))
    return n, flops / 6 / n


@best_split.cases
def _(random: Random):
    yield 406.4, 410.7, 0.34, 0.28, 5.76e23
    yield 2.0, 3.0, 0.5, 0.4, 10.0
    for _ in range(10):
        yield random.uniform(10, 500), random.uniform(10, 3000), random.uniform(0.2, 0.6), random.uniform(0.2, 0.6), 10 ** random.uniform(12, 24)


law_error = Exercise(
    "10.5",
    "How badly does a law fit?",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        To find the five numbers, one needs an error to make small. Hoffmann et al. took the difference between the *logarithms* of the predicted and the measured loss, and summed Huber's function of it:

        $$h(r) = r^2/2 \\text{ if } |r| \\le \\delta, \\text{ else } \\delta\\,(|r| - \\delta/2), \\qquad \\delta = 0.001.$$

        Small differences count by their square, large ones only by their size, so that one odd training does not bend the law. `sizes`, `tokens` and `losses` are NumPy arrays. Return the sum.
        """,
    hints=("Predicted losses, then r, then the two cases: `np.where(condition, a, b)` takes from a where the condition holds, else from b.",
           "`r = np.log(E + A / sizes**alpha + B / tokens**beta) - np.log(losses)`; then `np.where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2)).sum()`."),
    verified="differences below and above delta, a law that fits exactly, and 8 random ones, against SciPy's `huber`",
    explanation="""
        Nearly all differences of real trainings are larger than 0.001, a tenth of a per cent. So this error is nearly the sum of the absolute differences, and it is least for a law that has about half of the points above it.
        """,
    tolerance=1e-6,
)  # fmt: skip


@law_error.stub
def law_error(sizes, tokens, losses, E, A, B, alpha, beta, delta=1e-3):
    """The summed Huber error of a law, in the logarithm of the loss."""
    raise NotImplementedError


@law_error.solution
def law_error(sizes, tokens, losses, E, A, B, alpha, beta, delta=1e-3):
    predicted = E + A / sizes**alpha + B / tokens**beta
    r = np.log(predicted) - np.log(losses)
    return float(np.where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2)).sum())


law_error.wrong("np.where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))", "(r**2 / 2)", "you square all differences. Beyond delta they count by their size only.")
law_error.wrong("r = np.log(predicted) - np.log(losses)", "r = predicted - losses", "the difference is of the losses; it should be of their logarithms, so that 1 % counts alike everywhere.")
law_error.wrong("np.log(predicted) - np.log(losses)", "np.log10(predicted) - np.log10(losses)", "the logarithm is the natural one, `np.log`.")
law_error.wrong(".sum()", ".mean()", "the error is summed over the trainings, not averaged.")
law_error.wrong("(abs(r) - delta / 2)", "(abs(r) - delta)", "beyond delta it is δ (|r| - δ/2): half of δ, or the two parts would not meet.")
law_error.wrong("    r = np.log", "    delta = 1e-3\n    r = np.log", "your delta is always 0.001. Take the one that is given.")
law_error.wrong("(abs(r) - delta / 2)", "abs(r)", "beyond delta it is δ (|r| - δ/2): without the second part the function would jump there.")
law_error.wrong("(abs(r) - delta / 2)", "(r - delta / 2)", "a measured loss above the law gives a negative r: take its absolute value.")
law_error.wrong("abs(r) <= delta", "r <= delta", "a negative difference is large too: compare its absolute value with delta.")
law_error.wrong("r**2 / 2,", "r**2,", "the square is halved, so that the two parts meet at delta.")
law_error.wrong("A / sizes**alpha + B / tokens**beta", "A / sizes**beta + B / tokens**alpha", "α belongs to the parameters, β to the tokens.")
law_error.wrong("E + A / sizes**alpha", "A / sizes**alpha", "E is missing, what no model can know.")
law_error.wrong("A / sizes**alpha + B / tokens**beta", "A * sizes**alpha + B * tokens**beta", "the loss falls with size and tokens: divide by the powers.")
law_error.wrong("abs(r) <= delta", "abs(r) > delta", "the two cases are exchanged.")


@law_error.expected
def _(sizes, tokens, losses, E, A, B, alpha, beta, delta=1e-3):
    terms = np.stack([math.log(A) - alpha * np.log(sizes), math.log(B) - beta * np.log(tokens), np.full(len(sizes), math.log(E))])
    return float(scipy.special.huber(delta, scipy.special.logsumexp(terms, axis=0) - np.log(losses)).sum())


@law_error.cases
def _(random: Random):
    sizes, tokens = np.array([1e6, 1e7, 1e8]), np.array([1e8, 1e9, 1e9])
    law = (1.7, 400.0, 400.0, 0.34, 0.28)
    right = 1.7 + 400 / sizes**0.34 + 400 / tokens**0.28
    yield sizes, tokens, right * np.array([1.0005, 1.2, 0.8]), *law
    yield sizes, tokens, right * np.array([1, 1.0002, 0.9998]), *law
    yield sizes, tokens, right * np.array([1.1, 0.97, 1.01]), *law, 0.05
    for _ in range(8):
        count = random.randrange(3, 9)
        sizes, tokens = (np.array([10 ** random.uniform(5, 9) for _ in range(count)]) for _ in range(2))
        losses = np.array([random.uniform(2, 4) for _ in range(count)])
        yield sizes, tokens, losses, random.uniform(1, 2), random.uniform(50, 500), random.uniform(50, 500), random.uniform(0.2, 0.5), random.uniform(0.2, 0.5)


rounding = Exercise(
    "10.6",
    "What two digits cost",
    kind="predict and measure",
    minutes=5,
    difficulty=1,
    prompt="""
        Hoffmann et al. print $\\alpha = 0.34$ and $\\beta = 0.28$, with $A = 406.4$ and $B = 410.7$. The file that the paper was set from has more digits: 0.33917084 and 0.2849083. Guess first: how much will the best number of tokens for each parameter change? Then compute it with `best_split` for $5.76 \\cdot 10^{23}$ operations, the budget of Chinchilla, and give both: as printed, and with all digits.
        """,
    hints=("Call `best_split` twice. What is asked for is tokens over parameters.",
           "`n, d = best_split(406.4, 410.7, 0.34, 0.28, 5.76e23)`, and the first number is `d / n`."),
    verified="both ratios, to one per cent, against those of `minilm.scaling`",
    explanation="""
        92.6 as printed, 58.9 with all digits: rounding in the third digit moves the advice by half. In the exponent $\\beta/(\\alpha+\\beta)$ the change is small, from 0.452 to 0.457, but it is the exponent of a number of 24 digits. Neither gives the 20 that the paper became famous for: that came from its other two methods.
        """,
    tolerance=0.01,
    stub="rounding = ...  # tokens per parameter as printed, and with all digits: (first, second)",
    solution="rounding = (92.65, 58.92)",
)  # fmt: skip
rounding.wrong("(92.65, 58.92)", "(58.92, 92.65)", "the two are exchanged: first as printed, then with all digits.")
rounding.wrong("(92.65, 58.92)", "(1 / 92.65, 1 / 58.92)", "that is parameters for each token. Give tokens over parameters.")
rounding.wrong("(92.65, 58.92)", "(0.01, 0.02)", "α and β are exchanged: α belongs to A and the parameters.")
rounding.wrong("(92.65, 58.92)", "(20.0, 20.0)", "twenty is what the paper is known for. What do these numbers say?")
rounding.wrong("(92.65, 58.92)", "(0.4516, 0.4565)", "those are the exponents of N. Give how many tokens go with each parameter.")


@rounding.expected
def _():
    from minilm.scaling import published_laws

    laws = published_laws()
    n, d = zip(*(laws[name].optimum(5.76e23) for name in ("Hoffmann rounded", "Hoffmann unrounded")))
    return d[0] / n[0], d[1] / n[1]


QUIZ = (
    Question(
        "Why can the losses of models of different sizes be compared at all in this chapter, after all the warnings about nats per token?",
        (
            ("All of them share one vocabulary and one validation text, so that a token means the same to each.", "Within one sweep nats per token are fine. Between our sweep and Chinchilla's points they are not: vocabularies of 512 and of 32,000."),
            ("Because losses are compared by their logarithms, in which the vocabulary cancels.", "A logarithm cancels a factor; but other tokens are not guessed with a loss that is larger by one factor."),
            ("Because each of them had the same number of operations, which makes losses comparable.", "Equal operations make it *fair* to compare sizes. That the numbers mean the same comes from the shared vocabulary and text."),
        ),
    ),
    Question(
        "The parabola of a budget has its lowest point at the edge of the sizes that were trained. What do you do?",
        (
            ("Train a size beyond the edge: outside the trained sizes the lowest point is a guess.", "A valley is known only when both walls have been seen."),
            ("Take the lowest point: that is what parabolas are for.", "Within the sizes, yes. Beyond them the parabola is what we assumed, not what we saw."),
            ("Leave the budget out, since its trainings must have gone wrong.", "Nothing need be wrong with them. The grid was in the wrong place."),
        ),
    ),
    Question(
        "With ten times the budget the best model of a law has three times the parameters. How many times the tokens does it read?",
        (
            ("About 3.3 times: parameters times tokens must give ten times as much.", "C = 6 N D. What does not go into the size goes into the tokens."),
            ("Ten times, since the budget was spent on ten times the tokens.", "Then the operations would be thirty times as many."),
            ("Three times, too: by the rule of twenty a model three times larger needs three times the text.", "That would be nine times the operations, not ten. The rule of twenty is what comes out when both grow alike, with the root of ten, 3.16."),
        ),
    ),
    Question(
        "Kaplan et al. found that the best size grows as C to the power 0.73, Hoffmann et al. 0.5. Both trained many models with care. What is the best explanation that you have met?",
        (
            ("Counting and tuning: the last layer was not counted, small models were warmed up too long, and rates and batches were not chosen by size.", "Porian et al. changed these three things one after the other, on the same texts, and arrived at Hoffmann's exponent."),
            ("Schedules that were cut off: the small budgets were read off long trainings.", "Hoffmann et al. thought so, and such trainings do look worse. But with three other causes put right the exponents agreed, and a careful decay of the rate was not needed for it."),
            ("Text differs: on Kaplan's text larger models pay more.", "It could matter; but the two were brought together on one and the same text."),
        ),
    ),
    Question(
        "A bootstrap interval of an exponent is 0.48 to 0.52. What does it tell you?",
        (
            ("How far the exponent would move with other trainings of the same kind, if the method is right.", "Chance among the points. The bend of a parabola, a badly tuned rate, a schedule cut off are in every sample alike."),
            ("That the true exponent lies in it with 95 % certainty, whatever the method.", "No sample of the trainings can show a fault that all of them share."),
            ("That 95 % of all models have an exponent in that range.", "An exponent belongs to a set of trainings, not to one model."),
        ),
    ),
    Question(
        "Your fit of a law ends with SciPy's message that it has converged, at an error of 0.0012. A colleague finds 0.00102 with the same points. How can that be?",
        (
            ("Your search stopped early, or in another valley: the error is tiny, and SciPy's tolerances are meant for numbers near one.", "\"Converged\" means that steps became small beside the tolerance. Tighten it, and begin from many places."),
            ("It cannot: a search that has converged has found the least error there is.", "It has found a place where it sees no way down that is steep enough for it."),
            ("The colleague's law is overfitted: a smaller error on the same points is suspicious.", "Both laws have five numbers. The smaller error is simply the better minimum of the same function."),
        ),
    ),
)  # fmt: skip
