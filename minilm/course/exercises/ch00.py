"""Exercises and quiz of chapter 00: can a million parameters tell a story? First steps with a finished model, and three sums on giants and dwarfs."""

import csv
import math

from minilm.config import DATA, MODELS
from minilm.course.exercise import Exercise, Question


def _published(model: str) -> tuple[float, float]:
    """Parameters and training tokens of a model, from the table of published sizes."""
    with open(DATA / "published" / "model_sizes_tokens.csv", encoding="utf-8", newline="") as file:
        (row,) = (row for row in csv.DictReader(file) if row["model"] == model)
    return float(row["parameters"]), float(row["training_tokens"])


n_different = Exercise(
    "00.1",
    "The same draw?",
    kind="predict and measure",
    minutes=5,
    difficulty=1,
    prompt="""
        Every press of the button has another seed. Set the temperature to 0: how many *different* stories will three presses give? Write your guess down, check it, and then press. Then try 1.6.
        """,
    hints=("What does temperature 0 mean: how is the next token chosen?", "If the likeliest token always wins, what is left for luck, and so for the seed, to decide?"),
    verified="three seeds at temperature 0, the first 30 tokens of each",
    explanation="""
        The likeliest token always wins, so the seed has nothing to decide. At 1.6 unlikely tokens get so much weight that sooner or later one of them derails a sentence, and the model goes
        on from the wreck. Between dull and broken lies a compromise; chapter 07 looks for it.
        """,
    stub="n_different = ...  # a whole number",
    solution="n_different = 1",
)
n_different.wrong("1", "3", "three seeds are three chances of luck, but at temperature 0 nothing is left to luck.")
n_different.wrong("1", "2", "you seem to expect that luck decides now and then. Does it decide anything at all when the likeliest token always wins?")


@n_different.expected
def _():
    from minilm.checkpoint import load_model
    from minilm.generate import generate

    model = load_model(MODELS / "tinystories")
    return len({"".join(generate(*model, "Once upon a time", temperature=0, seed=seed, max_new_tokens=30)) for seed in range(3)})


gopher_gigabytes = Exercise(
    "00.2",
    "Gopher in a file",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        The file of our model keeps two bytes for each parameter; check that against the size printed near the top. How large would Gopher's file be, in GB (10⁹ bytes)? Gopher has 280 billion parameters.
        """,
    hints=("How many bytes is that, with two for each parameter?", "A billion is 10⁹, so billions of bytes are gigabytes already."),
    verified="against the published number of parameters",
    explanation="No laptop's memory holds that. Size also decides who can take part.",
    tolerance=0.01,
    stub="gopher_gigabytes = ...",
    solution="gopher_gigabytes = 2 * 280",
)
gopher_gigabytes.wrong("2 * 280", "280", "that is one byte for each parameter.")
gopher_gigabytes.wrong("2 * 280", "4 * 280", "that is four bytes for each parameter.")
gopher_gigabytes.wrong("2 * 280", "280 / 2", "you divided where each parameter *needs* two bytes.")
gopher_gigabytes.wrong("2 * 280", "2 * 280e9", "that is in bytes. A gigabyte is 10⁹ of them.")
gopher_gigabytes.wrong("2 * 280", "2 * 280 / 1000", "that is in terabytes, thousands of gigabytes.")


@gopher_gigabytes.expected
def _():
    n_params, _ = _published("Gopher")
    return n_params * 2 / 1e9


times_gopher = Exercise(
    "00.3",
    "What did it cost?",
    kind="estimate by hand",
    minutes=10,
    difficulty=2,
    prompt="""
        Training takes about 6 operations for each parameter and each token. From the table: how many times Gopher's computation did Chinchilla take?
        """,
    hints=("The computation is 6 × parameters × tokens, once for each model. In the quotient the 6 is gone.",
           "Chinchilla: 70 billion parameters, 1.4 trillion tokens. Gopher: 280 billion, 300 billion. A trillion is a thousand billions."),
    verified="against the published sizes and tokens",
    explanation="""
        Gopher: 6 × 280 × 10⁹ × 300 × 10⁹ = 5.04 × 10²³. Chinchilla: 6 × 70 × 10⁹ × 1.4 × 10¹² = 5.88 × 10²³: a little more, spent on another shape. (In the paper the two budgets
        are called the same.) LLaMA-7B took 4.02 × 10²², about an eighth of GPT-3's 3.15 × 10²³.
        """,
    tolerance=0.03,
    stub="times_gopher = ...",
    solution="times_gopher = (70 * 1400) / (280 * 300)",
)  # fmt: skip
times_gopher.wrong("(70 * 1400) / (280 * 300)", "70 / 280", "you compared the parameters alone. Each token costs something too.")
times_gopher.wrong("(70 * 1400) / (280 * 300)", "1400 / 300", "you compared the tokens alone. A token costs more in a larger model.")
times_gopher.wrong("(70 * 1400) / (280 * 300)", "(280 * 300) / (70 * 1400)", "that is Gopher's computation in units of Chinchilla's.")
times_gopher.wrong("(70 * 1400) / (280 * 300)", "(70 * 1.4) / (280 * 300)", "the units do not agree: 1.4 *trillion* tokens beside 300 *billion*.")


@times_gopher.expected
def _():
    return math.prod(_published("Chinchilla")) / math.prod(_published("Gopher"))


STORY = (
    "With a great big yawn, into this story came a bright-eyed boy called Dev.",
    "Dev owned a perfect paper plane.",
    '"This is the way to the zoo," he said, and was soon there.',
    '"Shhhoo!" went the wind, and he saw his paper plane sail away through the air.',
    "Who could be happier than Dev, with his perfect paper plane to hold?",
    "Where could it be, the boy wondered.",
    "Dev looked for the perfect paper plane under a mushroom, but it was not there.",
    "The boy counted slowly to ten and thought.",
    '"There is a way," he said, and gave a happy little skip.',
    "Who would have thought that he would find his paper plane behind the old oak?",
    "Everything was quiet inside him now.",
    "And ever since, the mornings have seemed a little brighter to Dev.",
)
NUMBERED = ("\n" + 8 * " ").join(f"{place}. {sentence}" for place, sentence in enumerate(STORY, start=1))  # indented as the prompt is

slip = Exercise(
    "00.4",
    "Find the slip",
    kind="find the line",
    minutes=5,
    difficulty=1,
    prompt=f"""
        This story is from `storyworld`, our own generator of stories (chapter 01), and somebody has planted one sentence that cannot be true at its place. Which one is it?

        {NUMBERED}
        """,
    hints=("Keep a list as you read: who is where, who has what.", "Where is the paper plane after each sentence? Look for the one that needs it somewhere else."),
    verified="against the reader of `storyworld`, which keeps track of the little world",
    explanation="""
        In sentence 4 the wind takes the plane, and in sentence 5 Dev holds it. You have just done by hand what a model must do to tell a good story. Let the model at the top
        tell five stories, and look for their first slips: chapter 09 makes an exam of that.
        """,
    stub="slip = ...  # the number of a sentence",
    solution="slip = 5",
)
slip.wrong("5", "4", "this sentence can be true: Dev has a plane, and then the wind takes it. What follows from it?")
slip.wrong("5", "10", "a surprise is not a contradiction: what was lost may be found. Read from the start, and stop earlier.")
slip.wrong("5", "6", "this one is fine: the plane is gone, so he wonders. Which sentence does not fit with that?")


@slip.expected
def _():
    from minilm.storyworld import grade

    return grade(" ".join(STORY)).faults[0][0] + 1


bits_per_byte = Exercise(
    "00.5",
    "Bits by hand",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        A text was cut into tokens, and `probs` holds the probability that a model gave to each. Compute its bits per byte. Example: the probabilities ½, ¼ and ⅛, for 6 bytes of text. The surprises are 1, 2 and 3 bits, together 6, so it is
        1 bit per byte.
        """,
    hints=("One token at a time: how many bits of surprise has a token with probability p? Then add up.", "`-math.log2(p)` for each p, the sum of these, and one division by the number of bytes."),
    verified="certain, even and unlikely tokens, and 30 random texts, against `minilm.evaluate.bits_per_byte`",
    explanation="The number of tokens does not appear. That is the point: another tokenizer makes more or fewer of them from the same bytes.",
)


@bits_per_byte.stub
def bits_per_byte(probs, n_bytes):
    """Bits per byte of a text, from the probabilities of its tokens and its length in bytes."""
    raise NotImplementedError


@bits_per_byte.solution
def bits_per_byte(probs, n_bytes):
    return sum(-math.log2(p) for p in probs) / n_bytes


bits_per_byte.wrong("math.log2(p)", "math.log(p)", "the natural logarithm counts in nats. A bit is a factor of two.")
bits_per_byte.wrong("/ n_bytes", "/ len(probs)", "you divided by the number of tokens: bits per *token*, which depend on the tokenizer.")
bits_per_byte.wrong("/ n_bytes", "/ len(probs) / n_bytes", "you divided twice, by the tokens and by the bytes. The surprise of a text is the sum of its tokens', not their mean.")
bits_per_byte.wrong("-math.log2(p)", "math.log2(p)", "the logarithm of a probability is negative. A surprise is not.")
bits_per_byte.wrong("sum(-math.log2(p) for p in probs)", "-math.log2(sum(probs) / len(probs))",
                    "you took the surprise of the mean probability. Take the surprise of every token, then add.")  # fmt: skip


@bits_per_byte.expected
def _(probs, n_bytes):
    from minilm.evaluate import bits_per_byte as from_nats

    return from_nats(-math.log(math.prod(probs)), n_bytes)


@bits_per_byte.cases
def _(random):
    yield from [([0.5, 0.25, 0.125], 6), ([0.5], 1), ([1.0, 1.0], 9), ([0.001, 0.9], 4)]
    for _ in range(30):
        probs = [random.uniform(0.01, 1) for _ in range(random.randrange(1, 9))]
        yield probs, 4 * len(probs) + random.randrange(5)


QUIZ = (
    Question(
        "What does a language model compute?",
        (
            ("A probability for every token that might come next.", "That is all. To write a story is to draw from these probabilities, again and again."),
            ("The most fitting sentence from those it has read.", "It keeps parameters, not sentences. What it writes is drawn token by token; how much of that is new, chapter 09 measures."),
            ("Whether the text so far is true.", "It knows what is likely to follow. A likely word may be false, as the six openings showed."),
        ),
    ),
    Question(
        "Two models were scored on the same file: one in bits per byte, 0.67; the other in nats per token, 1.9. What do you need to compare them?",
        (
            ("How many bytes a token of the second model carries.", "Divide by ln 2, which turns nats into bits, and by the bytes in a token: then both are in bits per byte."),
            ("The sizes of the two models.", "The sizes may explain a difference; they do not turn one unit into the other."),
            ("Nothing: the smaller number is better.", "They are in different units, as metres and miles are."),
        ),
    ),
    Question(
        "What did Chinchilla show, beside Gopher?",
        (
            ("That for about the same computation a smaller model that reads more can be better.", "A quarter of the parameters, nearly five times the tokens, and a higher score."),
            ("That good data beat size.", "Its data were much like Gopher's. What changed was the balance of size and reading."),
            ("That small models are always better.", "Compare the members of the LLaMA family: there the larger ones are better."),
        ),
    ),
    Question(
        "The 28-million model of TinyStories got better grades for its stories than a GPT-2 of 774 million. What keeps this from proving that good data beat size?",
        (
            ("More than the data differ, and the test was on the story model's home ground.", "Domain, tokenizer, training, even the judge's taste: chapter 12 changes one thing at a time."),
            ("GPT-4 cannot read stories.", "It can; whether it grades as people do is another question (chapter 09). But even a perfect judge would leave this comparison unfair."),
            ("28 million is not a small number.", "It is 28 times less than 774 million. The sizes are not the trouble."),
        ),
    ),
    Question(
        "Why did the first two stories stay the same when you ran their cells again?",
        (
            ("The seed fixes the draw, so the same seed gives the same story.", "Change the seed, and luck changes; change the opening, and everything does."),
            ("The model remembers what it wrote.", "It remembers nothing from one run to the next: training is over."),
            ("At temperature 0.8 there is no luck.", "There is: only at 0 is there none."),
        ),
    ),
)  # fmt: skip
