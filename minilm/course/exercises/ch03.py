"""Exercises and quiz of chapter 03: what is a language model, and how good is a bad one? The learner writes loss, gradient and bigram; autograd and closed forms are the judges."""

from collections import Counter

import torch

from minilm.course.exercise import Exercise, Question

make_pairs = Exercise(
    "03.1",
    "What comes next",
    kind="implement",
    minutes=5,
    difficulty=1,
    prompt="""
        A language model learns from pairs: an id, and the id that came next. Make two rows from one row of ids: `inputs`, and `targets`, where `targets[i]` is what follows `inputs[i]`.
        """,
    hints=("Which id has nothing after it? Which has nothing before it?", "`ids[:-1]` are all but the last, `ids[1:]` all but the first."),
    verified="rows of two, of one and of no id, and 20 random rows, against a loop over places",
    explanation="The shift by one is the most expensive off-by-one in this field: with targets that are the inputs a model learns to copy, its loss falls to nothing, and it can write nothing.",
)


@make_pairs.stub
def make_pairs(ids):
    """Split a list of ids into inputs and targets: targets[i] comes right after inputs[i]."""
    raise NotImplementedError


@make_pairs.solution
def make_pairs(ids):
    return ids[:-1], ids[1:]


make_pairs.wrong("ids[:-1], ids[1:]", "ids, ids", "the targets are the inputs. A model would learn to copy what it sees.")
make_pairs.wrong("ids[:-1], ids[1:]", "ids[1:], ids[:-1]", "you ask for what came *before*. The target comes after its input.")
make_pairs.wrong("ids[:-1], ids[1:]", "ids, ids[1:] + ids[:1]", "the last id has nothing after it, so it is no input. You took the first id as what follows.")
make_pairs.wrong("ids[:-1], ids[1:]", "ids, ids[1:]", "the rows differ in length: the last id has nothing after it, so it is no input.")


@make_pairs.expected
def _(ids):
    places = range(len(ids) - 1)
    return [ids[i] for i in places], [ids[i + 1] for i in places]


@make_pairs.cases
def _(random):
    yield from [([1, 2, 3],), ([7, 8],), ([5],), ([],)]
    yield from (([random.randrange(50) for _ in range(random.randrange(2, 9))],) for _ in range(20))


cross_entropy = Exercise(
    "03.2",
    "The loss",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        `logits` is a tensor of shape (N, V): for each of N places a score for each of V ids. `targets`, of shape (N,), holds the ids that really came. Compute the mean over the places of $-\\ln p$(target), where $p$ is the
        softmax of the scores: $p_i = e^{z_i} / \\sum_j e^{z_j}$. Scores may be as large as a thousand, and $e^{1000}$ does not fit into a number.
        """,
    hints=("Take the logarithm of the softmax by hand: what becomes of the fraction?",
           "The loss at a place is `logsumexp(scores) - score of the target`. `logits[torch.arange(N), targets]` picks the scores of the targets."),
    verified="certain, even and wrong guesses, scores of a thousand, and 15 random tensors, against `torch.nn.functional.cross_entropy`",
    explanation="`logsumexp`, the logarithm of the sum of the powers, takes the greatest score out first, so that $e^{1000}$ is never computed; the plain formula would give infinity over infinity.",
    tolerance=1e-4,
)  # fmt: skip


@cross_entropy.stub
def cross_entropy(logits, targets):
    """Mean cross-entropy in nats of logits (N, V) and targets (N,), as a tensor with one number."""
    raise NotImplementedError


@cross_entropy.solution
def cross_entropy(logits, targets):
    of_targets = logits[torch.arange(len(targets)), targets]
    return (torch.logsumexp(logits, dim=-1) - of_targets).mean()


cross_entropy.wrong(".mean()", ".sum()", "you added up the places. The loss is their mean, so that it does not depend on how many there are.")
cross_entropy.wrong("(torch.logsumexp(logits, dim=-1) - of_targets)", "(of_targets - torch.logsumexp(logits, dim=-1))", "that is ln p, which is negative. The loss is minus that.")
cross_entropy.wrong("torch.logsumexp(logits, dim=-1)", "torch.logsumexp(logits, dim=0)", "you summed over the places. The softmax runs over the ids, the last dimension.")
cross_entropy.wrong("(torch.logsumexp(logits, dim=-1) - of_targets)", "-torch.nan_to_num(torch.softmax(logits, dim=-1)[torch.arange(len(targets)), targets].log(), neginf=-torch.inf)",
                    "a probability can be so small that it becomes 0, and its logarithm minus infinity. Take the logarithm of the softmax on paper first, and use `torch.logsumexp`.")  # fmt: skip
cross_entropy.wrong("(torch.logsumexp(logits, dim=-1) - of_targets)", "-(torch.softmax(logits, dim=-1)[torch.arange(len(targets)), targets] + 1e-9).log()",
                    "the small number that you added hides how wrong a guess is. Stay with logarithms: take the logarithm of the softmax on paper first.")  # fmt: skip
cross_entropy.wrong("(torch.logsumexp(logits, dim=-1) - of_targets)", "-(logits.exp() / logits.exp().sum(dim=-1, keepdim=True))[torch.arange(len(targets)), targets].log()",
                    "e to the power of a thousand is infinite, and infinity over infinity is no number. Take the logarithm of the softmax on paper first, and use `torch.logsumexp`.")  # fmt: skip
cross_entropy.wrong("torch.logsumexp(logits, dim=-1)", "torch.logsumexp(logits.flatten(), dim=0)", "your softmax runs over the whole table. Each place has one of its own: sum over the last dimension.")
cross_entropy.wrong(".mean()", ".mean() / 0.6931", "that is in bits. With the natural logarithm the loss is in nats.")
cross_entropy.wrong("torch.logsumexp(logits, dim=-1)", "logits.exp().sum(dim=-1).log()", "true on paper, but e to the power of a thousand overflows. Use `torch.logsumexp`, which takes the greatest score out first.")


@cross_entropy.expected
def _(logits, targets):
    return torch.nn.functional.cross_entropy(logits, targets)


@cross_entropy.cases
def _(random):
    yield torch.zeros(3, 3), torch.tensor([0, 1, 0])
    yield torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 5.0], [1.0, 1.0, 0.0]]), torch.tensor([0, 1, 1])
    for _ in range(15):
        generator = torch.Generator().manual_seed(random.randrange(10**6))
        yield torch.randn(4, 4, generator=generator) * 3, torch.randint(4, (4,), generator=generator)
    yield torch.tensor([[1000.0, 0.0], [0.0, 1000.0]]), torch.tensor([0, 1])
    yield torch.tensor([[1000.0, 0.0, 999.0], [1000.0, 1000.0, 0.0], [0.0, 0.0, 1000.0]]), torch.tensor([2, 0, 1])


loss_gradient = Exercise(
    "03.3",
    "The gradient of the loss",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        One place only: `logits` of shape (V,) and one target id. How does the loss $-\\ln p$(target) change when a score changes a little? Work the derivative out on paper, for the target's score and for any other; then write it down for all scores.
        """,
    hints=("The loss is $\\ln \\sum_j e^{z_j} - z_t$. What is the derivative of the first part by $z_i$? You have seen that fraction.",
           "The first part gives the softmax, the second takes 1 away at the target."),
    verified="against PyTorch's autograd, on even and lopsided scores and 15 random ones",
    explanation="""
        The softmax minus a row that is 1 at the target and 0 elsewhere (others write: $p$ minus *one-hot*). A model that is sure and right learns nothing more; one that is sure and wrong is moved most.
        """,
    tolerance=1e-4,
)  # fmt: skip


@loss_gradient.stub
def loss_gradient(logits, target):
    """Gradient of -ln softmax(logits)[target] by the logits: a tensor of shape (V,)."""
    raise NotImplementedError


@loss_gradient.solution
def loss_gradient(logits, target):
    gradient = torch.softmax(logits, dim=0)
    gradient[target] -= 1
    return gradient


loss_gradient.wrong("    gradient[target] -= 1\n", "", "the part of the target is missing: its own score stands in the loss with a minus.")
loss_gradient.wrong("    return gradient", "    return -gradient", "the sign is turned round: that is the direction in which the loss *falls*. The gradient points where it grows.")
loss_gradient.wrong("gradient[target] -= 1", "gradient[target] = 1 - gradient[target]", "at the target you have one minus its probability. It is the other way round.")
loss_gradient.wrong("    gradient[target] -= 1\n", "    gradient = torch.where(torch.arange(len(logits)) == target, gradient - 1, 0)\n", "you moved the target's score only. All other scores stand in the sum below the fraction, so they have a slope too.")
loss_gradient.wrong("torch.softmax(logits, dim=0)", "logits.exp() / logits.exp().sum()", "e to the power of a thousand is too large. `torch.softmax` takes the greatest score out first.")
loss_gradient.wrong("gradient[target] -= 1", "gradient[target] = -1", "at the target both parts meet: its probability, minus one.")


@loss_gradient.expected
def _(logits, target):
    logits = logits.clone().requires_grad_()
    (-torch.log_softmax(logits, dim=0)[target]).backward()
    return logits.grad


@loss_gradient.cases
def _(random):
    yield from [(torch.tensor([0.6931, 0.0, 0.0]), 0), (torch.tensor([3.0, 0.0, -1.0]), 1), (torch.zeros(4), 3)]
    for _ in range(15):
        yield torch.randn(5, generator=torch.Generator().manual_seed(random.randrange(10**6))), random.randrange(5)
    yield torch.tensor([1000.0, 999.0, 0.0]), 1


bigram = Exercise(
    "03.4",
    "Learn by counting",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        The simplest model with a memory: after id a, how often did id b come? Count the pairs, and turn the counts into probabilities. Give every pair a tenth of a count for free, so that nothing is impossible only because it was not seen. (The notebook will call it with 769,000 ids; a plain loop takes some seconds.)
        """,
    hints=("A table of V rows and V columns, 0.1 everywhere at first. Each pair of neighbours adds one in its row and column.",
           "Each *row* must add up to one: divide it by its own sum, `counts.sum(dim=1, keepdim=True)`."),
    verified="repeated pairs, ids that never come, and 10 random rows, against a loop over pairs",
    explanation="The row of an id that never came is even: where the data say nothing, every id is as likely as any other.",
    tolerance=1e-5,
)  # fmt: skip


@bigram.stub
def bigram(ids, vocab_size):
    """Probabilities of the next id: a tensor (V, V) whose row a belongs to what comes after id a."""
    raise NotImplementedError


@bigram.solution
def bigram(ids, vocab_size):
    counts = torch.full((vocab_size, vocab_size), 0.1)
    for left, right in zip(ids, ids[1:]):
        counts[left, right] += 1
    return counts / counts.sum(dim=1, keepdim=True)


bigram.wrong("counts.sum(dim=1, keepdim=True)", "counts.sum(dim=0, keepdim=True)", "the columns add up to one. A row holds the chances of what comes after one id, so each row must.")
bigram.wrong("counts.sum(dim=1, keepdim=True)", "counts.sum()", "the whole table adds up to one: those are the chances of a pair, not of what follows a given id.")
bigram.wrong("counts[left, right]", "counts[right, left]", "row and column are exchanged: the row is what came first.")
bigram.wrong("torch.full((vocab_size, vocab_size), 0.1)", "torch.full((vocab_size, vocab_size), 1e-9)", "the free count is missing: what was not seen has next to no chance, and one surprise would cost more than all else.")


bigram.wrong("    for left, right in zip(ids, ids[1:]):\n        counts[left, right] += 1\n", "    counts[ids[:-1], ids[1:]] += 1\n",
             "a pair that comes twice was counted once: with lists of ids, `counts[a, b] += 1` writes each place a single time. Loop, or use `index_put_` with `accumulate=True`.")  # fmt: skip
bigram.wrong("counts.sum(dim=1, keepdim=True)", "counts.sum(dim=1)", "without `keepdim=True` the sums are a row, and broadcasting divides every *column* by them. Look at the trap at the beginning of the chapter.")
bigram.wrong("counts / counts.sum(dim=1, keepdim=True)", "counts", "those are the counts. Divide each row by its sum.")
bigram.wrong("0.1", "1", "the free count is a whole one. With hundreds of ids that were never seen a row would give them too much; a tenth was asked for.")


@bigram.expected
def _(ids, vocab_size):
    pairs = list(zip(ids, ids[1:]))
    rows = [[0.1 + pairs.count((a, b)) for b in range(vocab_size)] for a in range(vocab_size)]
    return torch.tensor([[count / sum(row) for count in row] for row in rows])


@bigram.cases
def _(random):
    yield from [([0, 1, 0, 1, 0, 1, 1], 2), ([0, 0, 2], 3), ([1, 2], 4)]
    yield from (([random.randrange(5) for _ in range(30)], 5) for _ in range(10))


bits = Exercise(
    "03.5",
    "From nats to bits per byte",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="A model has a loss of 2.0 nats per token on a text whose tokens carry 4 bytes on average. How many bits per byte is that, to two digits? (ln 2 is 0.693.)",
    hints=("Two changes of unit, one after the other: nats to bits, then a token to a byte.", "A nat is 1/ln 2 bits, so there are more bits than nats. A token's bits are shared by its bytes."),
    verified="against `minilm.evaluate.bits_per_byte`",
    explanation="2 / 0.693 = 2.885 bits per token, / 4 = 0.72 bits per byte.",
    tolerance=0.02,
    stub="bits = ...",
    solution="bits = 2.0 / 0.693 / 4",
)
bits.wrong("/ 0.693", "* 0.693", "a bit is less than a nat, so it takes more of them: divide by ln 2.")
bits.wrong("/ 0.693", "", "those are nats per byte. A nat is more than a bit.")
bits.wrong(" / 4", "", "those are bits per token. A token of this text has four bytes.")
bits.wrong("2.0 / 0.693 / 4", "2.718 ** 2.0 / 4", "you took the perplexity, e to the loss. Bits are counted on a logarithmic scale, as the loss is.")


@bits.expected
def _():
    from minilm.evaluate import bits_per_byte

    return bits_per_byte(2.0 * 1000, 4 * 1000)


mixed_probability = Exercise(
    "03.6",
    "Mix long and short",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        `counts` maps a context, a tuple of ids, to a `Counter` of the ids that followed it; there are contexts of every length from 0, `()`, up. Start with an even guess, $p = 1/V$. Then go from the shortest context to the longest, each made of the *last* ids before
        the token. If the context was seen, make $p = 0.2 \\, p + 0.8 \\, f$, where $f$ is the share of `token` among what followed it. If it was not, leave $p$ as it is.
        """,
    hints=("For the context (7, 3, 9) the contexts to ask are (), (9,), (3, 9) and (7, 3, 9), in this order. How do you cut them out?",
           "`context[len(context) - n :]` for n from 0 to `len(context)`; beware of `context[-0:]`, which is everything. `seen.total()` is the sum of a counter; `counts.get(part)` gives `None` for a context that was never seen."),
    verified="seen and unseen contexts, contexts of no id, ids that never came, and 30 random texts, against a recursion from the longest context down",
    explanation="""
        The weights 0.2 and 0.8 are the same everywhere. Better ones depend on how often a context was seen: once is hearsay, a thousand times is knowledge. The best rules know that; one is on the ladder below.
        """,
)  # fmt: skip


@mixed_probability.stub
def mixed_probability(counts, context, token, vocab_size):
    """Probability of token after a context (a tuple of ids), mixed from counts of all lengths."""
    p = 1 / vocab_size
    # from the shortest context, (), to the longest: 0.2 p + 0.8 times the share of token after it
    raise NotImplementedError


@mixed_probability.solution
def mixed_probability(counts, context, token, vocab_size):
    p = 1 / vocab_size
    for n in range(len(context) + 1):
        seen = counts.get(context[len(context) - n :])
        if seen:
            p = 0.2 * p + 0.8 * seen[token] / seen.total()
    return p


mixed_probability.wrong("context[len(context) - n :]", "context[:n]", "your shorter contexts are the *first* ids. The nearest ones matter: take the last.")
mixed_probability.wrong("context[len(context) - n :]", "context[-n:]", "for n = 0 `context[-0:]` is the whole context, not the empty one.")
mixed_probability.wrong("range(len(context) + 1)", "range(len(context), -1, -1)", "you began with the longest context, so that the shortest had the last word.")
mixed_probability.wrong("range(len(context) + 1)", "range(1, len(context) + 1)", "the empty context is missing: how often an id comes at all.")
mixed_probability.wrong("range(len(context) + 1)", "range(len(context))", "the longest context is missing.")
mixed_probability.wrong("        if seen:\n            p = 0.2 * p + 0.8 * seen[token] / seen.total()", "        p = 0.2 * p + 0.8 * (seen[token] / seen.total() if seen else 0)",
                        "a context that was never seen says nothing. You took its silence for \"never\": leave p as it is.")  # fmt: skip
mixed_probability.wrong("if seen:", "if seen and seen[token]:", "the context was seen, and this token never came after it. That is knowledge: its share is 0.")
mixed_probability.wrong("seen.total()", "len(seen)", "`len` of a counter is how many *different* ids followed. The share needs how many there were in all: `total()`.")
mixed_probability.wrong("0.2 * p + 0.8 *", "0.8 * p + 0.2 *", "the weights are exchanged: the longer context gets 0.8.")
mixed_probability.wrong("0.2 * p + 0.8 *", "", "you let one context decide alone, and forgot all shorter ones. What it has never met gets probability 0.")


@mixed_probability.expected
def _(counts, context, token, vocab_size):
    def mixed(part):
        shorter = 1 / vocab_size if part is None else mixed(part[1:] if part else None)
        if part is None or part not in counts:
            return shorter
        followed = list(counts[part].elements())
        return (shorter + 4 * followed.count(token) / len(followed)) / 5

    return mixed(context)


def _counted(ids, longest):
    counts = {}
    for n in range(longest + 1):
        for i in range(n, len(ids)):
            counts.setdefault(tuple(ids[i - n : i]), Counter())[ids[i]] += 1
    return counts


@mixed_probability.cases
def _(random):
    yield from [({(): Counter({0: 3, 1: 1})}, (), 0, 4), (_counted([0, 1, 0, 1, 2], 1), (0,), 1, 4), (_counted([0, 1, 2, 0, 1, 3], 2), (0, 1), 2, 5)]
    yield from [(_counted([0, 1, 2, 0, 2], 2), (2, 1), 2, 4), (_counted([0, 1], 1), (3,), 0, 4), (_counted([0, 1, 2, 3, 1, 2], 3), (0, 1, 2), 3, 9)]
    for _ in range(30):
        ids = [random.randrange(4) for _ in range(20)]
        yield _counted(ids, 3), tuple(random.choices(range(4), k=random.randrange(4))), random.randrange(5), 5


QUIZ = (
    Question(
        "Before any training a model with 4,096 ids guesses evenly. What is its loss?",
        (
            ("About 8.3 nats per token, ln 4096.", "Every id has probability 1/4096, and the loss is minus the logarithm of that. A first loss far from it means a mistake."),
            ("About 4096, one nat for every id.", "The loss is the logarithm of the number of choices, not the number."),
            ("That depends on the text that it is given.", "Even guesses are as surprised by one text as by any other."),
        ),
    ),
    Question(
        "Your model's training loss on 40 MB of text drops to 0.01 within a hundred steps. What is likeliest?",
        (
            ("The target can be seen in the input.", "Targets that were not shifted, or a mask that leaks: both let a model copy. Text has surprises that no model can remove."),
            ("The learning rate is perfect.", "No learning rate takes the surprise out of a text that can be continued in many ways."),
            ("The model is too large for the text.", "A large model can learn a small text by heart, but hardly in a hundred steps."),
        ),
    ),
    Question(
        "The bigram by counting and the one by gradient descent end at nearly the same loss. Why?",
        (
            ("Both look for one and the same table.", "The loss of a table of probabilities has one minimum, the relative frequencies. Counting finds it at once, descent comes as near as you let it."),
            ("Gradient descent counts the pairs as it goes along.", "It never counts: it only follows the slope of the loss."),
            ("They started from the same numbers.", "The start does not matter here: there is only one valley."),
        ),
    ),
    Question(
        "A 5-gram beats a bigram on unseen stories. Why not take a 50-gram?",
        (
            ("New text holds hardly any run of fifty that was met before.", "There is nothing to look up, so it could only recite. A model must see that different runs are alike; the next two chapters build one that can."),
            ("Counting runs of fifty tokens takes too much time and memory.", "It is a matter of seconds. There is just nothing to find."),
            ("It would need a much larger vocabulary than the bigram does.", "The vocabulary is the same; the runs are longer."),
        ),
    ),
    Question(
        "What does a perplexity of 20 mean?",
        (
            ("It is as unsure as with 20 equal choices.", "It is e to the loss in nats. Like the loss it counts tokens, so it cannot be compared across tokenizers."),
            ("It guesses right in one of 20 cases, on average.", "It may be right far more often: perplexity speaks of the probabilities, not of the first choice."),
            ("The model has learned to use only 20 different ids.", "It knows them all; some are likelier than others."),
        ),
    ),
)  # fmt: skip
