"""Exercises and quiz of chapter 13: where can it run? The learner reads a file of weights, reorders rows for C, rounds to few bits, and says how fast a phone and how many GPUs can be; safetensors, loops and SciPy's root are the judges."""

import json
from random import Random

import numpy as np
import scipy.optimize
from safetensors.numpy import save

from minilm.course.exercise import Exercise, Question
from minilm.numpy_model import neighbours


def _normal(random: Random, *shape: int) -> np.ndarray:
    """Normal numbers, always the same for a seed."""
    return np.random.default_rng(random.randrange(10**6)).normal(size=shape)


read_tensor = Exercise(
    "13.1",
    "A weight, by hand",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Read one tensor from the bytes of a safetensors file, without its library. The first 8 bytes are a whole number, the smallest byte first: how many bytes the header has. The header follows, as JSON: for each name a `dtype` ("F32" or "F16" here), a `shape`, and two `data_offsets`, where the tensor's numbers begin and end, *counted from the end of the header*. Return an array of that shape.
        """,
    hints=('`int.from_bytes(data[:8], "little")` gives the length; `json.loads` reads the slice of bytes that follows.',
           '`np.frombuffer(some_bytes, "<f4")` makes float32 of bytes, `"<f2"` float16. Cut the bytes out first, and mind that 8 bytes and the header stand before them.'),
    verified="tensors of one to three dimensions, both types, and 10 random files, against the safetensors library",
    explanation="""
        Five lines, and no library that could do anything else. The order of the numbers is by rows: the last index moves fastest.
        """,
)  # fmt: skip


@read_tensor.stub
def read_tensor(data, name):
    """One tensor, as an array, from the bytes of a safetensors file."""
    # 1. how long is the header?
    # 2. what does it say about this name?
    # 3. cut out its bytes, make numbers of them, give them their shape
    raise NotImplementedError


@read_tensor.solution
def read_tensor(data, name):
    start = 8 + int.from_bytes(data[:8], "little")
    entry = json.loads(data[8:start])[name]
    begin, end = entry["data_offsets"]
    kind = {"F32": "<f4", "F16": "<f2"}[entry["dtype"]]
    return np.frombuffer(data[start + begin : start + end], kind).reshape(entry["shape"])


read_tensor.wrong("data[start + begin : start + end]", "data[begin:end]", "you counted from the beginning of the file, so you read the header as numbers. The offsets count from its end.")
read_tensor.wrong("data[start + begin : start + end]", "data[start + begin - 8 : start + end - 8]", "you are eight bytes too early: the length of the header stands before it, and takes 8.")
read_tensor.wrong('.reshape(entry["shape"])', "", "the numbers are right, but they lie in one long row. Give them their shape.")
read_tensor.wrong('{"F32": "<f4", "F16": "<f2"}', '{"F32": ">f4", "F16": ">f2"}', 'the bytes of each number are in the wrong order: the smallest comes first, "<".')
read_tensor.wrong('reshape(entry["shape"])', 'reshape(entry["shape"][::-1]).T', "you filled the array by columns. The last index moves fastest: by rows.")


@read_tensor.expected
def _(data, name):
    from safetensors.numpy import load

    return load(data)[name]


@read_tensor.cases
def _(random: Random):
    small = {"a": np.array([[1, 2, 3], [4, 5, 6]], np.float32), "b": np.array([0.5, -0.25], np.float32)}
    yield save(small), "a"
    yield save(small), "b"
    yield save({f"layer{i}": np.full((2, 2), i, np.float32) for i in range(8)}), "layer5"
    yield save({"half": np.array([[1, 2.5], [-3, 4]], np.float16), "cube": np.arange(12, dtype=np.float32).reshape(2, 3, 2)}), "half"
    yield save({"cube": np.arange(12, dtype=np.float32).reshape(2, 3, 2), "half": np.array([[1, 2.5], [-3, 4]], np.float16)}), "cube"
    for _ in range(10):
        kinds = {name: random.choice((np.float32, np.float16)) for name in "xyz"}
        data = save({name: _normal(random, random.randrange(1, 5), random.randrange(2, 6)).astype(kind) for name, kind in kinds.items()})
        yield data, random.choice("xyz")


to_neighbours = Exercise(
    "13.2",
    "Who turns with whom",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        A query matrix has a row for each coordinate of each head, shape (heads · D, C). In each head our RoPE turns row i together with row i + D/2; llama2.c turns rows 2i and 2i + 1. Within *each head*, put row i at place 2i and row i + D/2 at place 2i + 1. Return a new array.
        """,
    hints=("Write the order for one head of 6: partners are 0 and 3, 1 and 4, 2 and 5. Which row comes first, second, third?",
           "0, 3, 1, 4, 2, 5. `w.reshape(-1, head_dim, C)` gives the heads one by one; `heads[:, order]` reorders the rows in all of them."),
    verified="one head of 4, of 6 and of 8, several heads, and 10 random matrices, against `minilm.numpy_model`",
    explanation="""
        With D = 4 the order is 0, 2, 1, 3, and doing it twice brings everything back. That is chance: with 6 it takes 0, 3, 1, 4, 2, 5 one way and 0, 2, 4, 1, 3, 5 the other. Whoever tries a converter on heads of 4 only will not notice that it goes the wrong way.
        """,
)  # fmt: skip


@to_neighbours.stub
def to_neighbours(w, head_dim):
    """Rows (heads * D, C) in the order of llama2.c: those that RoPE turns together side by side."""
    raise NotImplementedError


@to_neighbours.solution
def to_neighbours(w, head_dim):
    half = head_dim // 2
    order = [i + k for i in range(half) for k in (0, half)]
    heads = w.reshape(-1, head_dim, w.shape[1])
    return heads[:, order].reshape(w.shape)


to_neighbours.wrong("[i + k for i in range(half) for k in (0, half)]", "[2 * i + k for k in (0, 1) for i in range(half)]", "that is the way back: from neighbours to halves. With heads of 4 both ways are the same, so they do not show it.")
to_neighbours.wrong("return heads[:, order].reshape(w.shape)", "return w.reshape(2, -1, w.shape[1]).swapaxes(0, 1).reshape(w.shape)", "you mixed the heads: partners stand half a *head* apart, not half a matrix.")
to_neighbours.wrong("(0, half)", "(half, 0)", "the pairs are together, but in each the later one stands first, so it is turned the other way.")
to_neighbours.wrong("[i + k for i in range(half) for k in (0, half)]", "[j for i in range(half) for j in (i, head_dim - 1 - i)]", "you paired the first with the last. The partner of row i is row i + D/2.")
to_neighbours.wrong("heads[:, order]", "heads", "every row is where it was.")
to_neighbours.wrong("return heads[:, order].reshape(w.shape)", "return w.reshape(len(w), -1, head_dim)[:, :, order].reshape(w.shape)", "you reordered the columns. Those are what comes in; what RoPE turns are the rows.")

to_neighbours.wrong("return heads[:, order].reshape(w.shape)", "return np.concatenate([heads[0][order], *heads[1:]])", "you reordered the first head only.")


@to_neighbours.expected
def _(w, head_dim):
    return neighbours(w, head_dim)


@to_neighbours.cases
def _(random: Random):
    yield np.arange(4.0)[:, None] * np.ones((1, 4)), 4
    yield np.arange(24.0).reshape(6, 4)[:, [0, 1, 2, 3, 0, 1]], 6
    yield np.arange(96.0).reshape(12, 8)[:, :6], 6
    yield np.arange(128.0).reshape(16, 8), 8
    for _ in range(10):
        head_dim = random.choice((4, 6, 8))
        yield _normal(random, head_dim * random.randrange(1, 5), head_dim * random.randrange(1, 3)), head_dim


rounded = Exercise(
    "13.3",
    "Fewer bits",
    kind="implement",
    minutes=15,
    difficulty=2,
    prompt="""
        Send weights through a few bits and back. The weights, in their order, fall into groups of `group_size`. In each group the largest absolute value becomes the largest whole number of so many bits, one of them for the sign: 127 of 8 bits, 7 of 4. What one step of whole numbers is worth is the group's *scale*. Divide by it, round, and multiply by it again. Return floats, in the shape that came. A group of zeros must stay zeros.
        """,
    hints=("The largest whole number is `2 ** (bits - 1) - 1`. `w.reshape(-1, group_size)` makes each group a row.",
           "`scales = np.abs(groups).max(axis=1, keepdims=True) / top`, then `np.round(groups / scales) * scales`; put 1 where a scale is 0."),
    verified="2 to 8 bits, one group and several, matrices, negative largest values, zeros, and 10 random ones, against a loop over Python's numbers",
    explanation="""
        No weight moves by more than half a scale, and the largest of each group comes back exactly. Only the whole numbers (`codes` in `minilm.quantise`) and a scale for each group are kept.
        """,
)  # fmt: skip


@rounded.stub
def rounded(w, bits, group_size):
    """Weights after a way through few bits: a scale for each group, whole numbers, and back."""
    # 1. groups, and the largest whole number there is
    # 2. a scale for each group
    # 3. divide, round, multiply
    raise NotImplementedError


@rounded.solution
def rounded(w, bits, group_size):
    top = 2 ** (bits - 1) - 1
    groups = w.reshape(-1, group_size)
    scales = np.abs(groups).max(axis=1, keepdims=True) / top
    scales = np.where(scales == 0, 1, scales)  # in a group of zeros any scale will do
    return (np.round(groups / scales) * scales).reshape(w.shape)


rounded.wrong("2 ** (bits - 1) - 1", "2 ** (bits - 1)", "your largest whole number is one too large: of 8 bits, one of them the sign, 128 does not fit.")
rounded.wrong("2 ** (bits - 1) - 1", "2**bits - 1", "one bit is for the sign: 8 bits reach from -127 to 127, not to 255.")
rounded.wrong("np.abs(groups).max(axis=1, keepdims=True)", "np.abs(groups).max()", "you gave all groups the same scale. Each has its own, by its own largest value.")
rounded.wrong("np.abs(groups).max(axis=1, keepdims=True)", "groups.max(axis=1, keepdims=True)", "the largest *absolute* value decides: -3 is larger than 2.")
rounded.wrong("np.round(groups / scales)", "np.trunc(groups / scales)", "you cut off instead of rounding, so a weight can move by a whole step.")
rounded.wrong("np.round(groups / scales)", "np.floor(groups / scales)", "you rounded down, negative numbers too. To the nearest is half as far.")
rounded.wrong("(np.round(groups / scales) * scales)", "np.round(groups / scales)", "those are the whole numbers. Multiply by the scale to have weights again.")
rounded.wrong("scales = np.where(scales == 0, 1, scales)", "scales = scales + 1e-3", "a number added to every scale moves every weight. Only a scale of 0 needs another.")
rounded.wrong("np.round(groups / scales) * scales", "np.round(groups / scales / 2) * scales * 2", "you used every second step only. Is the scale the worth of *one* step?")

rounded.wrong("np.where(scales == 0, 1, scales)", "np.where(scales == 0, np.nan, scales)", "a group of zeros has scale 0, and 0/0 is not a number. Give such a group any other scale.")


@rounded.expected
def _(w, bits, group_size):
    flat, found = w.ravel().tolist(), []
    for start in range(0, len(flat), group_size):
        group = flat[start : start + group_size]
        step = max(map(abs, group)) / (2 ** (bits - 1) - 1)
        found += [round(value / step) * step if step else 0.0 for value in group]
    return np.array(found).reshape(w.shape)


@rounded.cases
def _(random: Random):
    yield np.array([0.18, -0.7, 0.33, 0.02]), 4, 4
    yield np.array([0.9, 0.26, -0.35, 0.14, -8.0, 5.3, 2.2, 1.1]), 4, 4
    yield np.array([[-3.0, 1.24, 2.0, -0.77], [0.11, -0.02, 0.07, 0.05]]), 8, 4
    yield np.array([0.0, 0.0, 0.4, -0.13]), 3, 2
    for _ in range(10):
        group_size = random.choice((4, 8, 16))
        yield _normal(random, random.randrange(2, 5), 2 * group_size) * np.array([[random.choice((0.05, 1, 9))]]), random.choice((2, 3, 4, 6, 8)), group_size


phone = Exercise(
    "13.4",
    "Eight billion in a pocket",
    kind="estimate by hand",
    minutes=10,
    difficulty=1,
    prompt="""
        For each token all weights must be fetched from memory once (chapter 07). Take a model of 8.0 billion weights in 4 bits, with a 16-bit scale for every 32 of them, on a phone whose memory hands out 51.2 gigabytes a second (64 lines, 6,400 million bits a second on each). How many gigabytes are its weights, and how many tokens a second can it write *at most*? Give both, `(gigabytes, tokens_per_second)`, to two digits; a gigabyte is $10^9$ bytes.
        """,
    hints=("How many bits does a weight take with its share of the scale? 16 bits are shared by 32 weights.",
           "4.5 bits a weight; 8 bits are a byte. Then: how many times a second can so many gigabytes be fetched?"),
    verified="both numbers, to four per cent",
    explanation="""
        4.5 bits are 0.5625 bytes, so 4.5 gigabytes; 51.2 / 4.5 is 11 tokens a second, about as fast as one reads. With 16 bits a weight it would be 3, and 16 gigabytes would not fit. A phone that reaches less than this bound waits for something else; no program that fetches all weights for each token can beat it.
        """,
    tolerance=0.04,
    stub="phone = ...  # (gigabytes, tokens per second)",
    solution="phone = (4.5, 11.4)",
)  # fmt: skip
phone.wrong("(4.5, 11.4)", "(11.4, 4.5)", "the two are exchanged: gigabytes first.")
phone.wrong("(4.5, 11.4)", "(4.0, 12.8)", "you left out the scales: 16 bits for every 32 weights are half a bit more for each.")
phone.wrong("(4.5, 11.4)", "(36.0, 1.42)", "those are gigabits. A byte has 8 bits.")
phone.wrong("(4.5, 11.4)", "(16.0, 3.2)", "that is with 16 bits a weight. Only the scales have 16.")
phone.wrong("(4.5, 11.4)", "(20.0, 2.56)", "you gave every weight a scale of its own. 32 of them share one.")
phone.wrong("(4.5, 11.4)", "(5.0, 10.24)", "that is with a scale of 32 bits. Here it has 16.")
phone.wrong("(4.5, 11.4)", "(4.5, 0.088)", "the second is seconds for a token. Give tokens for a second.")
phone.wrong("(4.5, 11.4)", "(4.5, 5.69)", "you fetched each weight twice. It is used for a multiplication and an addition, but fetched once.")
phone.wrong("(4.5, 11.4)", "(4.5, 91.0)", "you made bits of the memory's bytes. Both are in bytes already.")


@phone.expected
def _():
    n_bytes = 8.0e9 * (4 + 16 / 32) / 8
    return n_bytes / 1e9, 64 * 6_400e6 / 8 / n_bytes


network_limit = Exercise(
    "13.5",
    "When the wire is the limit",
    kind="predict and measure",
    minutes=10,
    difficulty=2,
    prompt="""
        n GPUs share each batch of `tokens`: each computes $6N \\cdot$ tokens / n operations, `rate` of them a second. Then each sends $2(n-1)/n$ times the bytes of all gradients, `bytes_each` for each of the N parameters, over a wire that takes `bandwidth` bytes a second. At which n does sending take as long as computing? Return n as it comes out, not rounded: 4.9 is an answer. Guess first: what becomes of n if the model is ten times as large? Then call your function and see.
        """,
    hints=("Set the two times equal, with n in both. What can be cancelled?",
           "$6N \\cdot$ tokens / (n · rate) $= 2(n-1)/n \\cdot N \\cdot$ bytes / bandwidth. Multiply by n; N stands on both sides."),
    verified="round numbers, a slow and a fast wire, and 10 random settings, against a numerical search",
    explanation="""
        n = 1 + 3 · tokens · bandwidth / (bytes · rate). The size of the model does not matter: ten times the parameters are ten times the work, and ten times the bytes. What matters is how many tokens are worked through before the GPUs must talk.
        """,
)  # fmt: skip


@network_limit.stub
def network_limit(n_params, tokens, rate, bandwidth, bytes_each):
    """Number of GPUs at which a step spends as long on sending gradients as on computing them."""
    raise NotImplementedError


@network_limit.solution
def network_limit(n_params, tokens, rate, bandwidth, bytes_each):
    computing = 6 * n_params * tokens / rate  # seconds, all on one GPU
    sending = 2 * n_params * bytes_each / bandwidth  # seconds, with very many
    return 1 + computing / sending


network_limit.wrong("1 + computing / sending", "computing / sending", "one is missing: a single GPU sends nothing, so the bytes grow with n - 1.")
network_limit.wrong("1 + computing / sending", "1 + sending / computing", "the ratio stands upside down: the longer the computing, the more GPUs.")
network_limit.wrong("sending = 2 * n_params", "sending = n_params", "all that is sent goes round twice: once to add up, once to tell the sum.")
network_limit.wrong("6 * n_params", "2 * n_params", "two operations are those of the forward pass alone. Gradients need the backward pass too: six.")
network_limit.wrong("sending = 2 * n_params * bytes_each", "sending = 2 * bytes_each", "a gradient is sent for every parameter.")
network_limit.wrong("sending = 2 * n_params * bytes_each", "sending = 2 * n_params", "you counted numbers. Each takes `bytes_each` bytes.")
network_limit.wrong("/ bandwidth", "/ bandwidth * 8", "you made bits of the bytes. The bandwidth is in bytes a second already.")
network_limit.wrong("6 * n_params * tokens", "6 * n_params", "in yours the batch has no effect. The work grows with its tokens; the gradients are as many as the parameters, however many tokens they come from.")


@network_limit.expected
def _(n_params, tokens, rate, bandwidth, bytes_each):
    def gap(n):
        return 6 * n_params * tokens / n / rate - 2 * (n - 1) / n * n_params * bytes_each / bandwidth

    return scipy.optimize.brentq(gap, 1, 1e12, xtol=1e-12, rtol=1e-14)


@network_limit.cases
def _(random: Random):
    yield 1e6, 1000.0, 6e9, 2e6, 1
    yield 1e8, 524_288.0, 1.25e14, 1.25e9, 4
    yield 1e9, 524_288.0, 1.25e14, 1.25e9, 4
    yield 1e8, 524_288.0, 1.25e14, 3e11, 2
    for _ in range(10):
        yield 10 ** random.uniform(6, 10), 10 ** random.uniform(4, 6.5), 10 ** random.uniform(11, 15), 10 ** random.uniform(8, 11.5), random.choice((2, 4))


QUIZ = (
    Question(
        "Somebody sends you weights in a pickle, and the same weights as safetensors. Why load the second?",
        (
            ("Loading a pickle can run code of its author's; the other holds numbers and names only.", "A pickle is a list of instructions for rebuilding objects, and one of them may call any function."),
            ("A pickle rounds the weights to fewer bits, and safetensors keeps all of them.", "Both keep every bit. What differs is what else they can hold."),
            ("The safetensors file is encrypted, so that nobody on the way can change its numbers.", "It is plain: you read it by hand. Whether it was changed is told by a checksum, if somebody publishes one."),
        ),
    ),
    Question(
        "A converted model writes whole words, but senseless sentences. Nothing crashed, and all shapes fit. What do you check first?",
        (
            ("The order of the rows of queries and keys, by comparing logits on one text.", "A wrong order has the right shape. Logits are off from the second token on, long before one can see it in the words. (Ids in a wrong order look alike; the logits of the first token tell the two apart, for there nothing is turned.)"),
            ("The number of layers and heads in the new file, since some of them must have been lost on the way.", "Then shapes would not fit, and a good reader would say so."),
            ("The temperature, for a high one makes senseless sentences as well.", "It does, and it is easily ruled out: compare greedy texts, or better the logits. They have no temperature."),
        ),
    ),
    Question(
        "Why does 4-bit rounding keep a scale for every few weights and not one for the whole matrix?",
        (
            ("The largest weight sets the step, so it should spoil its neighbours only.", "With one scale the smallest weights of the matrix fall on zero. Here that added eighty times the bits per byte that groups of 16 did."),
            ("Groups take fewer bytes, because small groups need fewer bits for each weight.", "They take more: every group brings a scale of its own."),
            ("Processors can only multiply a few whole numbers at once, as many as a group has.", "That decides which group sizes are convenient, not why there are groups."),
        ),
    ),
    Question(
        "In 4 bits a model can write up to three and a half times as fast on a phone as in 16. Why?",
        (
            ("Fewer bytes must be fetched from memory for each token, and that is what takes the time.", "4.5 bits instead of 16. The multiplications are as many as before, and a little work of unpacking comes on top."),
            ("It has fewer weights than before, so it needs fewer multiplications for each token that it writes.", "It has as many as before; each is only stored less exactly."),
            ("Whole numbers are multiplied faster than fractions, and that is where the time goes.", "For one text the processor waits for the memory, whatever it multiplies. With many texts at once this begins to matter."),
        ),
    ),
    Question(
        "Eight GPUs take the step that one would take, on the same batch of 64 rows. What must be the same, and why?",
        (
            ("The mean gradient of all rows: each takes its share, and all average before the update.", "Equal shares, so the mean of the means is the mean. With unequal shares it is not, unless each is weighted by its rows."),
            ("The rows that each of them reads, or else their copies of the model would drift further apart with every step.", "They read different rows; that is the point. Copies stay alike since all apply the same averaged gradient."),
            ("The loss that each of them sees, since it is what they average before the update.", "Each sees the loss of its own rows. What is averaged is the gradients; an average of losses alone would tell nobody which way to go."),
        ),
    ),
)  # fmt: skip
