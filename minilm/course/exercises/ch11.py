"""Exercises and quiz of chapter 11: what would you do with this budget? The learner weighs training against use, prices hours, and spends a budget where the text runs out; algebra, SciPy's searches and published bills are the judges."""

import math
from random import Random

import scipy.optimize

from minilm.course.exercise import Exercise, Question
from minilm.scaling import Law, effective_params, effective_tokens, published_laws

break_even = Exercise(
    "11.1",
    "When does the small one pay?",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Two models are equally good. The large one has $N_1$ parameters and read $D_1$ tokens; the small one has $N_2$, and needed more tokens, $D_2$, and more operations, to get there. Training costs $6ND$; each token served costs $2N$, the forward pass alone. After how many tokens served have both cost the same? Return that number; every further token makes the small one cheaper.
        """,
    hints=("Write down what each has cost after $T$ tokens served, and set the two equal.",
           "$6N_1D_1 + 2N_1T = 6N_2D_2 + 2N_2T$. Bring the terms with $T$ to one side."),
    verified="a pair that can be done in the head, two published sizes, and 10 random ones, against a numerical search",
    explanation="""
        $T = 3\\,(N_2 D_2 - N_1 D_1)/(N_1 - N_2)$. The numerator is what the small one cost more, the denominator what it saves with each token. A model that many people use passes that point in days.
        """,
    tolerance=1e-6,
)  # fmt: skip


@break_even.stub
def break_even(n_large, d_large, n_small, d_small):
    """Tokens in use after which two equally good models have cost the same, training included."""
    raise NotImplementedError


@break_even.solution
def break_even(n_large, d_large, n_small, d_small):
    extra = 6 * n_small * d_small - 6 * n_large * d_large
    saved = 2 * (n_large - n_small)
    return extra / saved


break_even.wrong("saved = 2 * (", "saved = 6 * (", "you let a token in use cost as much as one in training. In use there is no backward pass: 2 N, and 6 N in training.")
break_even.wrong("6 * n_small * d_small - 6 * n_large * d_large", "6 * n_large * d_large - 6 * n_small * d_small", "the sign: the small one cost more to train, and the large one costs more for each token in use.")
break_even.wrong("saved = 2 * (n_large - n_small)", "saved = 2 * n_large", "the small one is not free in use: what is saved for each token is the difference.")
break_even.wrong("6 * n_small * d_small - 6 * n_large * d_large", "6 * (n_small - n_large) * d_small", "each model has read its own number of tokens.")
break_even.wrong("6 * n_small * d_small - 6 * n_large * d_large", "6 * d_small - 6 * d_large", "what was spent is parameters times tokens, for each.")
break_even.wrong("6 * n_small * d_small - 6 * n_large * d_large", "6 * n_small * d_small", "you left out what training the large one cost.")
break_even.wrong("saved = 2 * (n_large - n_small)", "saved = 2 * n_small", "what a token saves is the difference of the two sizes, twice.")
break_even.wrong("return extra / saved", "return extra", "those are operations. Return after how many tokens served they have been saved.")
break_even.wrong("return extra / saved", "return saved / extra", "the ratio stands upside down: what was spent, over what each token saves.")


@break_even.expected
def _(n_large, d_large, n_small, d_small):
    def gap(log_t):
        return math.log(6 * n_large * d_large + 2 * n_large * math.exp(log_t)) - math.log(6 * n_small * d_small + 2 * n_small * math.exp(log_t))

    return math.exp(scipy.optimize.brentq(gap, -30, 80, xtol=1e-13))


@break_even.cases
def _(random: Random):
    yield 3.0, 10.0, 1.0, 50.0
    yield 70e9, 1.4e12, 35e9, 4.2e12
    for _ in range(10):
        large, d_large, part = 10 ** random.uniform(8, 11), 10 ** random.uniform(10, 13), random.uniform(0.2, 0.8)
        yield large, d_large, large * part, d_large / part * random.uniform(1.1, 3)


cheapest = Exercise(
    "11.2",
    "The cheapest of its quality",
    kind="implement",
    minutes=15,
    difficulty=2,
    prompt="""
        A loss is wanted, and it is known how many tokens the model will serve. `law` is a `minilm.scaling.Law`: `law.tokens_for(loss, n)` says how many tokens a model of n parameters must read to get there (infinitely many, if it never does). Of the sizes given, find the one whose training *and* use cost least. Return `(size, tokens, operations)`, the operations of both together.
        """,
    hints=("Compute the bill of each size, as in 11.1, and take the least.",
           "`min((6 * n * law.tokens_for(loss, n) + 2 * n * served, n) for n in sizes)` gives the least bill and its size; mind the order that is asked for."),
    verified="nothing served, much served, a size that never gets there, and 8 random ones, against SciPy's search between the sizes",
    explanation="""
        With nothing served this finds the compute-optimal size. The more is served, the smaller is the best model, and the longer it must be trained. That is the argument of LLaMA's authors, and of Sardana et al. in this very formula.
        """,
    tolerance=1e-6,
)  # fmt: skip


@cheapest.stub
def cheapest(law, loss, sizes, served):
    """Size, tokens, operations of the cheapest model that reaches a loss and serves so many tokens."""
    raise NotImplementedError


@cheapest.solution
def cheapest(law, loss, sizes, served):
    tokens = {n: float(law.tokens_for(loss, n)) for n in sizes}
    bills = {n: 6 * n * tokens[n] + 2 * n * served for n in sizes}
    best = min(bills, key=bills.get)
    return best, tokens[best], bills[best]


cheapest.wrong("+ 2 * n * served", "", "you left out the use. Each token served costs 2 N.")
cheapest.wrong("6 * n * tokens[n] + 2 * n * served", "2 * n * served", "you left out the training, so the smallest size always seems best.")
cheapest.wrong("2 * n * served", "6 * n * served", "in use a token costs 2 N, the forward pass only.")
cheapest.wrong("6 * n * tokens[n]", "6 * tokens[n]", "training costs 6 N D: the size is missing.")
cheapest.wrong("min(bills, key=bills.get)", "max(bills, key=bills.get)", "you took the dearest.")
cheapest.wrong("min(bills, key=bills.get)", "min(bills)", "that is the smallest size, not the one with the least bill: `min` of a dictionary compares its keys.")
cheapest.wrong("best = min(bills, key=bills.get)", "best = min(sizes, key=lambda n: n * tokens[n])", "you chose by the training alone, and added the use afterwards. Choose by both together.")
cheapest.wrong("return best, tokens[best], bills[best]", "return best, tokens[best] + served, bills[best]", "the second number is the tokens that it reads in training; those served are not among them.")
cheapest.wrong("return best, tokens[best], bills[best]", "return bills[best], best, tokens[best]", "the operations come last: size, tokens, operations.")
cheapest.wrong("bills[best]", "6 * best * tokens[best]", "the last number is the operations of training and use together.")
cheapest.wrong("return best, tokens[best], bills[best]", "return best, bills[best], tokens[best]", "the order: size, tokens, operations.")


@cheapest.expected
def _(law, loss, sizes, served):
    def bill(n):
        left = loss - law.E - law.A / n**law.alpha
        return 6 * n * (law.B / left) ** (1 / law.beta) + 2 * n * served if left > 0 else math.inf

    best = sorted(sizes, key=bill)[0]
    return best, (law.B / (loss - law.E - law.A / best**law.alpha)) ** (1 / law.beta), bill(best)


@cheapest.cases
def _(random: Random):
    law = Law(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    sizes = [1e9 * 2**i for i in range(8)]
    yield law, 2.1, sizes, 0.0
    yield law, 2.1, sizes, 1e13
    yield law, 2.1, [1e7, 3e9, 2e10], 1e12
    for _ in range(8):
        yield law, random.uniform(2.05, 2.4), [1e9 * random.uniform(1, 60) for _ in range(6)] + [5e10], 10 ** random.uniform(10, 14)


overtrained = Exercise(
    "11.3",
    "What Llama 3 gave up, and got",
    kind="predict and measure",
    minutes=10,
    difficulty=2,
    prompt="""
        Llama 3 8B read 15 trillion tokens, 1,875 for each parameter, nearly a hundred times Chinchilla's twenty. Guess first: for the same loss, how large would the compute-optimal model be, and what share of Llama's operations would its training take? Then ask the law of Besiroglu et al., which is `LAW`: find the budget whose optimum, `n, d = LAW.optimum(flops)`, has the loss `LAW.loss(8e9, 15e12)`. Give `(times_larger, share_of_operations)`, the share as a fraction, to two digits.
        """,
    hints=("The loss of the optimum falls with the budget, so halve an interval of budgets, or try a fine grid: `np.geomspace(1e22, 1e24, 10_001)`.",
           "Take the grid, `n, d = LAW.optimum(grid)`, and the first budget whose `LAW.loss(n, d)` is no more than Llama's. Then n / 8e9, and the budget over 6 x 8e9 x 15e12."),
    verified="both numbers, to two per cent, against SciPy's root of the difference",
    explanation="""
        By this law a model four times as large, 34 billion, would have got there with less than a fifth of the operations. So four fifths of the training were paid for a model that costs a quarter in use, and fits on a card that people own. By 11.1 that has paid off after 11 trillion tokens served. The law was fitted to trainings of at most 341 tokens for each parameter; here it is asked far outside.
        """,
    tolerance=0.02,
    stub="overtrained = ...  # (how many times larger, share of Llama's operations)",
    solution="overtrained = (4.22, 0.181)",
)  # fmt: skip
overtrained.wrong("(4.22, 0.181)", "(0.181, 4.22)", "the two are exchanged: the size comes first.")
overtrained.wrong("(4.22, 0.181)", "(1 / 4.22, 0.181)", "the first number says how many times larger the compute-optimal model is, not how many times smaller Llama's.")
overtrained.wrong("(4.22, 0.181)", "(4.22, 5.51)", "the second number is the optimum's share of Llama's operations; you give the reverse.")
overtrained.wrong("(4.22, 0.181)", "(4.22, 18.1)", "give the share as a fraction, not in per cent.")
overtrained.wrong("(4.22, 0.181)", "(4.22, 0.819)", "that is the share that is saved. Give the share that is needed.")
overtrained.wrong("(4.22, 0.181)", "(10.13, 1.0)", "that is the optimum of the same *budget*, which has a lower loss. Find the one with the same loss.")
overtrained.wrong("(4.22, 0.181)", "(33_800_000_000.0, 0.181)", "that is the size itself. Give how many times Llama's 8 billion it is.")


@overtrained.expected
def _():
    law = published_laws()["Besiroglu et al. 2024"]
    wanted = law.loss(8e9, 15e12)
    flops = 10 ** scipy.optimize.brentq(lambda power: law.loss(*law.optimum(10**power)) - wanted, 20, 26)
    return law.optimum(flops)[0] / 8e9, flops / (6 * 8e9 * 15e12)


hours = Exercise(
    "11.4",
    "LLaMA's electricity meter",
    kind="estimate by hand",
    minutes=10,
    difficulty=1,
    prompt="""
        LLaMA-65B has 65.2 billion parameters and read 1.4 trillion tokens on A100 cards, which do at most 312 teraFLOPS ($3.12 \\cdot 10^{14}$ operations a second). Suppose they reached half of that. How many hours of one card is that? And if such a card draws 0.4 kilowatts, how many megawatt-hours, for the cards alone? Give both, `(hours, megawatt_hours)`, to two digits.
        """,
    hints=("Operations first: 6 N D. Then seconds of one card, then hours; an hour has 3,600.",
           "$6 \\cdot 65.2 \\cdot 10^9 \\cdot 1.4 \\cdot 10^{12} = 5.5 \\cdot 10^{23}$ operations, by $1.56 \\cdot 10^{14}$ a second."),
    verified="both numbers, to two per cent",
    explanation="""
        About 975 thousand hours and 390 megawatt-hours. The paper states 1,022,362 hours and 449 megawatt-hours: the cards reached 47.7 %, and for cooling and the like it adds a tenth to what they draw. A bill of this kind is seldom far off, and it can be made before anything is bought.
        """,
    tolerance=0.02,
    stub="hours = ...  # (hours of one card, megawatt-hours)",
    solution="hours = (975_000.0, 390.0)",
)  # fmt: skip
hours.wrong("(975_000.0, 390.0)", "(390.0, 975_000.0)", "the two are exchanged: hours first.")
hours.wrong("(975_000.0, 390.0)", "(487_700.0, 195.1)", "that is at the full 312 teraFLOPS. They reached half, so it takes twice as long.")
hours.wrong("(975_000.0, 390.0)", "(975_000.0, 390_000.0)", "those are kilowatt-hours. A megawatt-hour is a thousand of them.")
hours.wrong("(975_000.0, 390.0)", "(975_000.0, 390_000_000.0)", "those are watt-hours. A megawatt-hour is a million of them.")
hours.wrong("(975_000.0, 390.0)", "(975_000.0, 0.39)", "those are gigawatt-hours. A gigawatt-hour is a thousand megawatt-hours.")
hours.wrong("(975_000.0, 390.0)", "(975_000.0, 429.0)", "that is with a tenth more for the building. Count the cards alone.")
hours.wrong("(975_000.0, 390.0)", "(1_022_362.0, 449.0)", "those are the paper's. What follows from half the peak?")
hours.wrong("(975_000.0, 390.0)", "(3_511_000_000.0, 1_404_000.0)", "those are seconds, and what comes of them. An hour has 3,600.")
hours.wrong("(975_000.0, 390.0)", "(162_500.0, 65.0)", "the six is missing: six operations for each parameter and token.")
hours.wrong("(975_000.0, 390.0)", "(325_100.0, 130.0)", "that is two operations for each parameter and token, the forward pass. Training goes backward too.")


@hours.expected
def _():
    seconds = 6 * 65.2e9 * 1.4e12 / (0.5 * 312e12)
    return seconds / 3600, seconds / 3600 * 0.4 / 1000


limited = Exercise(
    "11.5",
    "When the text runs out",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        A budget of `flops` operations, but only `unique` tokens of text. What is read again is worth less: `effective_tokens(unique, readings)` says how many fresh tokens so many readings are worth (08.5). And size beyond what the text can feed is worth less too: `law.size_for(unique)` is the best size for that many tokens read once, and `effective_params(n, fed)` says how many parameters a model of n is worth if the text can feed only `fed`. Of the sizes given, find the one with the least `law.loss` of *effective* parameters and *effective* tokens. Return `(size, readings)`: the size itself, and how many times it reads the text; a part of a reading is possible.
        """,
    hints=("Each size reads flops / (6 n) tokens. How many readings are that?",
           "`readings = flops / (6 * n) / unique`, then `law.loss(effective_params(n, law.size_for(unique)), effective_tokens(unique, readings))`, and the least of these."),
    verified="text in plenty, text that is short, and 8 random ones, against adding the worth up in small steps",
    explanation="""
        This is the law of Muennighoff et al.: one form for both, with a constant of 15.4 for readings and 5.3 for size. Surplus size loses its worth faster than repeated text. So where text is short the best model is *smaller* than with plenty, and reads more often.
        """,
    tolerance=1e-6,
)  # fmt: skip


@limited.stub
def limited(law, flops, unique, sizes):
    """The best size for a budget with only so many unique tokens, and how many times it reads them."""
    raise NotImplementedError


@limited.solution
def limited(law, flops, unique, sizes):
    readings = {n: flops / (6 * n) / unique for n in sizes}
    fed = law.size_for(unique)
    losses = {n: law.loss(effective_params(n, fed), effective_tokens(unique, readings[n])) for n in sizes}
    best = min(losses, key=losses.get)
    return best, readings[best]


limited.wrong("effective_tokens(unique, readings[n])", "unique * readings[n]", "you counted repeated tokens in full.")
limited.wrong("effective_tokens(unique, readings[n])", "unique", "in yours the text is worth the same however often it is read. Give `effective_tokens` the number of *readings*, not of tokens.")
limited.wrong("effective_params(n, fed)", "n", "you counted size beyond what the text can feed in full.")
limited.wrong("effective_params(n, fed)", "effective_params(fed, n)", "`effective_params` takes the size first, then what the text can feed.")
limited.wrong("fed = law.size_for(unique)", "fed = law.optimum(flops)[0]", "that is the best size for the budget. What the text can feed is `law.size_for(unique)`.")
limited.wrong("flops / (6 * n) / unique", "flops / n / unique", "the six is missing: a size reads flops / (6 n) tokens.")
limited.wrong("flops / (6 * n) / unique", "flops / (2 * n) / unique", "training takes six operations for each parameter and token; two are those of the forward pass.")
limited.wrong("flops / (6 * n) / unique", "max(1, flops / (6 * n) / unique)", "a size that cannot read the whole text reads a part of it: less than one reading is possible.")
limited.wrong("min(losses, key=losses.get)", "min(losses)", "that is the smallest size: `min` of a dictionary compares its keys.")
limited.wrong("min(losses, key=losses.get)", "max(losses, key=losses.get)", "you took the worst.")
limited.wrong("return best, readings[best]", "return readings[best], best", "the order: first the size, then the readings.")
limited.wrong("return best, readings[best]", "return best, losses[best]", "the second number is how many times it reads the text, not its loss.")
limited.wrong("return best, readings[best]", "return best, readings[best] * unique", "those are the tokens read. Return how many times it reads the text.")


@limited.expected
def _(law, flops, unique, sizes):
    def worth(times, constant):  # in small steps: after r repetitions another one is worth exp(-r / constant)
        steps, again = 20_000, max(0.0, times - 1)
        step = again / steps
        return min(times, 1.0) + sum(step * math.exp(-(i + 0.5) * step / constant) for i in range(steps))

    fed = scipy.optimize.brentq(lambda log_n: math.log(law.optimum(6 * math.exp(log_n) * unique)[0]) - log_n, 0, 60)

    def loss(n):
        n_worth, d_worth = math.exp(fed) * worth(n / math.exp(fed), 5.309743), unique * worth(flops / (6 * n) / unique, 15.387756)
        return law.E + law.A / n_worth**law.alpha + law.B / d_worth**law.beta

    best = sorted(sizes, key=loss)[0]
    return best, flops / (6 * best) / unique


@limited.cases
def _(random: Random):
    law = Law(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    sizes = [1e8 * 2**i for i in range(9)]
    yield law, 1e20, 1e12, sizes
    yield law, 1e20, 2e8, sizes
    yield law, 1e20, 1e9, [2e8, 1e9, 6e9, 4e10]
    for _ in range(4):
        yield law, 10 ** random.uniform(19, 21), 10 ** random.uniform(8, 10), [1e8 * random.uniform(1, 300) for _ in range(5)]


QUIZ = (
    Question(
        "LLaMA's authors trained 7 billion parameters on a trillion tokens, seven times what Hoffmann et al. advise. Had they not read that paper?",
        (
            ("They had: the advice is for the least cost of training, and they counted the cost of use as well.", "For a wanted loss the smaller model costs more to train and less for every token in use."),
            ("They had, and showed that its law is wrong for models below ten billion parameters.", "A 7B that goes on improving after a trillion tokens is just what the law says. It says only that a larger one would have got there for less."),
            ("They had no larger cards, so that 7 billion was all that fitted.", "They trained 65 billion parameters in the same project."),
        ),
    ),
    Question(
        "Two models have the same loss. The small one cost twice as much to train. When is it the better buy?",
        (
            ("When enough tokens are served: beyond the break-even every token saves.", "Both bills are straight lines over the tokens served. The small one begins higher and rises more slowly."),
            ("Always, since use goes on for ever and training ends.", "Most models are used little. Before the break-even the large one is cheaper."),
            ("Never, since it wasted operations in training.", "Wasted is what buys nothing. These bought cheaper use."),
        ),
    ),
    Question(
        "You have a tenth of the text that Chinchilla's rule asks for with your budget. What does the law of Muennighoff et al. advise?",
        (
            ("A smaller model than that rule's, which reads the text more than ten times.", "In their law surplus size loses its worth faster than repeated text."),
            ("The size that the rule gives for the budget, and ten readings.", "The rule counts every token in full, the tenth reading as the first."),
            ("A larger model than that rule's, since repeated tokens are worth less.", "So it would be if only tokens lost their worth; in their law surplus size does too, and faster. (A later study, with another form, does advise larger ones beyond some point. It is not settled.)"),
        ),
    ),
    Question(
        "Somebody states what a training cost in money. Which of these is *not* needed to check it?",
        (
            ("The loss that was reached.", "It tells what the money bought, not how much it was."),
            ("The share of the cards' peak that was reached.", "Needed: half the share, twice the hours."),
            ("Parameters and tokens.", "Needed: six times their product are the operations."),
        ),
    ),
    Question(
        "Which step from a law to a decision rests on the least evidence?",
        (
            ("Asking the law for 1,875 tokens per parameter, where no training it was fitted to had more than 341.", "Within its points a law sums up what was seen. So far outside it is a guess."),
            ("Splitting a budget within the range of the fitted trainings.", "That is what the points are for."),
            ("Counting six operations for each parameter and token.", "Good to a few per cent for the largest models, and easy to count exactly (chapter 05)."),
        ),
    ),
    Question(
        "A law fitted to web text says that 34 billion parameters are best. You want a model for children's stories. What does the law tell you?",
        (
            ("Little about the size: its numbers belong to its text, its vocabulary and its recipe.", "Our sweep on TinyStories gave another law than Chinchilla's points. The *method* carries over."),
            ("The size, since exponents are universal.", "Exponents of the loss differ between texts and countings; what is nearly shared is that size and tokens grow alike."),
            ("Nothing: laws of scaling hold for web text only.", "Valleys have been found in other texts as well, in code for example, at other places."),
        ),
    ),
)  # fmt: skip
