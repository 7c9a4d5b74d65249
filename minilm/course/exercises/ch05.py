"""Exercises and quiz of chapter 05: what goes between the attentions? The learner writes the norm, the feed-forward layer and the block, counts parameters and operations, and guards against shared layers."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from minilm.config import ModelConfig
from minilm.course.exercise import Exercise, Question


def _drawn(seed: int, *shapes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    """Tensors of normal numbers, always the same for a seed."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


rms_norm = Exercise(
    "05.1",
    "Bring every row to one size",
    kind="implement",
    minutes=10,
    difficulty=1,
    prompt="""
        The *root mean square* of a row of numbers is what its name says, read backwards: square them, take the mean, take the root. Divide each row of `x` by its root mean square, then multiply coordinate by coordinate by `weight`. Add `eps` to the mean
        square before the root, so that a row of zeros does no harm. A row is the *last* dimension, however many stand in front.
        """,
    hints=("For the row 3, 4: squares 9 and 16, mean 12.5, root 3.54. So 3, 4 becomes 0.85, 1.13. Which dimension must the mean run over?",
           "`x.square().mean(dim=-1, keepdim=True)` keeps a dimension of size 1, so that each row is divided by its own number."),
    verified="single rows, rows of zeros, tiny and large numbers, two and three dimensions, against `torch.nn.functional.rms_norm`",
    explanation="""
        `keepdim=True` matters most where it seems not to: with as many rows as columns PyTorch accepts the shapes without it, and divides each *column* by a number that belongs to a row. The check therefore uses square tensors.
        """,
    tolerance=1e-4,
)  # fmt: skip


@rms_norm.stub
def rms_norm(x, weight, eps=1e-5):
    """Scale each row of x (..., C) to root mean square 1, then by weight (C,)."""
    raise NotImplementedError


@rms_norm.solution
def rms_norm(x, weight, eps=1e-5):
    mean_square = x.square().mean(dim=-1, keepdim=True)
    return x / (mean_square + eps).sqrt() * weight


rms_norm.wrong("mean(dim=-1, keepdim=True)", "mean()", "you took one mean over the whole tensor. Each row has its own size: say over which dimension the mean runs.")
rms_norm.wrong("mean(dim=-1, keepdim=True)", "mean(dim=-1)", "the dimension of the mean is gone, so numbers that belong to rows divide columns. Keep it, with size 1.")
rms_norm.wrong("mean(dim=-1, keepdim=True)", "mean(dim=0, keepdim=True)", "your mean runs over the first dimension, so tokens are mixed. A row is the last dimension.")
rms_norm.wrong("mean(dim=-1, keepdim=True)", "sum(dim=-1, keepdim=True)", "you took the sum of the squares, not their mean: the rows get length 1, and their numbers are too small.")
rms_norm.wrong("x.square()", "(x - x.mean(dim=-1, keepdim=True)).square()", "you subtracted the mean before squaring: that is the variance, which LayerNorm uses. RMSNorm looks at distances from zero.")
rms_norm.wrong("x.square().mean(dim=-1, keepdim=True)\n    return x /", "x.square().mean(dim=-1, keepdim=True)\n    mean = x.mean(dim=-1, keepdim=True)\n    mean_square = mean_square - mean**2\n    return (x - mean) /",
               "this is LayerNorm: you subtracted the mean of each row. RMSNorm only divides.")  # fmt: skip
rms_norm.wrong("x.square()", "x.abs()", "you took the mean of the absolute values. Square the numbers first; the root comes at the end.")
rms_norm.wrong("(mean_square + eps).sqrt()", "(mean_square + eps)", "the root is missing: you divide by the mean square.")
rms_norm.wrong("(mean_square + eps).sqrt()", "(mean_square.sqrt() + eps)", "`eps` stands outside the root. It belongs to the mean square; for tiny numbers that makes a difference.")
rms_norm.wrong("(mean_square + eps)", "mean_square", "`eps` is missing. A row of zeros is then divided by zero.")
rms_norm.wrong("mean_square + eps)", "mean_square + 1e-5)", "you added 1e-5, whatever `eps` was given. Use the argument.")
rms_norm.wrong("(mean_square + eps).sqrt()", "x.std(dim=-1, keepdim=True)", "you divided by the standard deviation, which looks at distances from the mean. Take the root of the mean square.")
rms_norm.wrong(" * weight", "", "the weights are missing: multiply by them at the end, coordinate by coordinate.")
rms_norm.wrong(" * weight", " / weight", "you divided by the weights. Multiply by them.")


@rms_norm.expected
def _(x, weight, eps=1e-5):
    return F.rms_norm(x, weight.shape, weight, eps)


@rms_norm.cases
def _(random):
    yield torch.tensor([3.0, 4.0]), torch.ones(2)
    yield torch.tensor([3.0, 4.0]), torch.tensor([1.0, 2.0])
    yield torch.tensor([[1.0, 2.0], [30.0, 40.0]]), torch.tensor([1.0, 10.0])
    yield torch.tensor([0.001, 0.002, 0.003]), torch.tensor([1.0, 1.0, 3.0])
    yield torch.zeros(2, 2), torch.ones(2)
    for _ in range(12):
        n = random.randrange(2, 6)
        yield _drawn(random.randrange(10**6), random.choice(((n,), (n, n), (n, n, n))), (n,))
    yield *_drawn(7, (3, 3), (3,)), 0.1


swiglu = Exercise(
    "05.2",
    "A gate",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Write LLaMA's feed-forward layer, *SwiGLU*. Multiply each row of `x` by two matrices, `gate` and `up`, both of shape (d_ff, C), as `x @ gate.T`. Put the first product through `F.silu`: silu(z) is z · sigmoid(z), near zero for z far below zero, near z for z far above. It now says, coordinate by coordinate, how much of the second
        passes: multiply the two. Bring the result back to width C with `down`, of shape (C, d_ff).
        """,
    hints=("Two products of width `d_ff` come first. One of them goes through `F.silu`, the other stays as it is. What joins them, and what comes last?",
           "`F.silu(x @ gate.T) * (x @ up.T)` has width `d_ff`. `... @ down.T` has width C again."),
    verified="one number, one row, many rows, three dimensions and 12 random draws, against a loop over the hidden coordinates",
    explanation="""
        `F.silu(z)` is $z / (1 + e^{-z})$. `nn.Linear` keeps its matrix as (outputs, inputs), hence the `.T`. Beware of code that calls the three matrices w1, w2, w3: which is which has been confused more than once.
        """,
    tolerance=1e-4,
)  # fmt: skip


@swiglu.stub
def swiglu(x, gate, up, down):
    """Gated feed-forward: x (..., C), gate and up (d_ff, C), down (C, d_ff) give (..., C)."""
    raise NotImplementedError


@swiglu.solution
def swiglu(x, gate, up, down):
    opened = F.silu(x @ gate.T)
    return (opened * (x @ up.T)) @ down.T


swiglu.wrong("""F.silu(x @ gate.T)
    return (opened * (x @ up.T))""", """x @ gate.T
    return (opened * F.silu(x @ up.T))""", "the wrong one of the two went through `F.silu`. It belongs to `gate`; `up` stays as it is.")  # fmt: skip
swiglu.wrong("F.silu(x @ gate.T)", "x @ gate.T", "`F.silu` is missing. Without it the gate is never closed.")
swiglu.wrong("F.silu(", "torch.sigmoid(", "you used the sigmoid. `F.silu(z)` is z *times* the sigmoid of z.")
swiglu.wrong("F.silu(", "F.relu(", "you used `F.relu`. The S in SwiGLU is `F.silu`, which is smooth at zero.")
swiglu.wrong("F.silu(", "F.gelu(", "you used `F.gelu`, which GPT-2 has. Here it is `F.silu`.")
swiglu.wrong("opened * (", "opened + (", "you added the two. A gate multiplies: where it is near zero, nothing passes.")
swiglu.wrong(" * (x @ up.T)", "", "`up` is not used: you have built a layer without a gate.")
swiglu.wrong("""opened = F.silu(x @ gate.T)
    return (opened * (x @ up.T)) @ down.T""", """opened = x @ gate.T
    return F.silu(opened * (x @ up.T)) @ down.T""", "`F.silu` came after the product of the two. It belongs to the gate alone.")  # fmt: skip
swiglu.wrong("(x @ up.T)) @", "F.silu(x @ up.T)) @", "both products went through `F.silu`. Only the gate does; `up` stays as it is.")
swiglu.wrong("return (", "return x + (", "you added `x`. That is the block's business (05.3): this layer only says what is to be added.")
swiglu.wrong("F.silu(x @ gate.T)", "F.silu(F.silu(x @ gate.T))", "`F.silu` was applied twice.")


@swiglu.expected
def _(x, gate, up, down):
    result = torch.zeros_like(x)
    for j in range(len(gate)):  # one hidden coordinate at a time
        z = (x * gate[j]).sum(dim=-1)
        passed = z / (1 + torch.exp(-z)) * (x * up[j]).sum(dim=-1)
        result = result + passed[..., None] * down[:, j]
    return result


@swiglu.cases
def _(random):
    yield tuple(torch.tensor(rows) for rows in ([2.0], [[1.0]], [[3.0]], [[1.0]]))
    yield tuple(torch.tensor(rows) for rows in ([1.0, -2.0], [[1.0, 1.0]], [[0.0, 2.0]], [[1.0], [0.5]]))
    for shape in ((4, 3), (2, 4, 3)):
        yield _drawn(len(shape), shape, (5, 3), (5, 3), (3, 5))
    for _ in range(12):
        T, C, width = (random.randrange(2, 6) for _ in range(3))
        yield _drawn(random.randrange(10**6), (T, C), (width, C), (width, C), (C, width))


@dataclass(frozen=True)
class Part:
    """A norm or a sub-layer, with a name to show."""

    name: str
    function: Callable = field(compare=False)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)

    def __repr__(self) -> str:
        return self.name


block = Exercise(
    "05.3",
    "The block",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Put the block together. You get the stream `x` and four functions, each of which gives back as many numbers as it takes: two norms, attention, and the feed-forward layer. First attention reads the *normalised* stream, and what it says is **added** to the stream as it
        was. Then the feed-forward layer does the same with the stream as it is now.
        """,
    hints=("Two lines, one for each sub-layer. What is added to what? The norm is only for the reader: the stream itself is not normalised.",
           "The first line is `x = x + attn(attn_norm(x))`. Write it so, and not as `x += ...`: that would change the caller's tensor."),
    verified="norms and sub-layers by which each order of the steps gives another result, on numbers made by hand and on random rows",
    explanation="""
        There is a straight way from `x` to the result, through two additions and nothing else, and the gradient takes the same way back. `x += ...` gives the same numbers, but writes into a tensor that belongs to somebody else.
        """,
    tolerance=1e-4,
)  # fmt: skip


@block.stub
def block(x, attn_norm, attn, mlp_norm, mlp):
    """One layer: both sub-layers read a normalised stream x (..., C) and add to x itself."""
    raise NotImplementedError


@block.solution
def block(x, attn_norm, attn, mlp_norm, mlp):
    x = x + attn(attn_norm(x))
    return x + mlp(mlp_norm(x))


_BODY = block.solution_answer.source.split("\n", 1)[1]
block.wrong(_BODY, "    x = attn(attn_norm(x))\n    return mlp(mlp_norm(x))", "nothing is added to the stream: both sub-layers *replace* it. What a layer does not say again is then lost.")
block.wrong("x = x + attn(", "x = attn(", "attention replaces the stream instead of adding to it.")
block.wrong("return x + mlp(", "return mlp(", "the feed-forward layer replaces the stream instead of adding to it.")
block.wrong(_BODY, "    x = attn_norm(x + attn(x))\n    return mlp_norm(x + mlp(x))", "you normalise after adding, as the first transformers did. Here a norm stands before each sub-layer, and the sum is left alone.")
block.wrong(_BODY, "    x = x + attn_norm(attn(x))\n    return x + mlp_norm(mlp(x))", "you normalise what the sub-layers *say*. The norm is for what they read.")
block.wrong(_BODY, "    x = attn_norm(x)\n    x = x + attn(x)\n    x = mlp_norm(x)\n    return x + mlp(x)", "you normalise the stream itself. Only the copy that a sub-layer reads is normalised; it is added to the stream as it was.")
block.wrong(_BODY, "    return x + attn(attn_norm(x)) + mlp(mlp_norm(x))", "the feed-forward layer reads the stream from before attention. It should read what attention has added too.")
block.wrong(_BODY, "    h = x + attn(attn_norm(x))\n    return x + mlp(mlp_norm(h))", "at the end you added to the *old* stream, so what attention said is lost.")
block.wrong("attn(attn_norm(x))", "attn(x)", "attention reads the stream without a norm.")
block.wrong("mlp(mlp_norm(x))", "mlp(x)", "the feed-forward layer reads the stream without a norm.")
block.wrong(_BODY, "    x = x + attn(x)\n    return x + mlp(x)", "the norms are not used.")
block.wrong("mlp(mlp_norm(x))", "mlp(attn_norm(x))", "the feed-forward layer reads through attention's norm. It has one of its own.")
block.wrong(_BODY, "    x = x + mlp(mlp_norm(x))\n    return x + attn(attn_norm(x))", "the order is turned round: attention comes first.")


@block.expected
def _(x, attn_norm, attn, mlp_norm, mlp):
    from_attention = attn(attn_norm(x))
    from_mlp = mlp(mlp_norm(torch.add(x, from_attention)))
    return torch.stack([x, from_attention, from_mlp]).sum(dim=0)


@block.cases
def _(random):
    halve, ten_more = Part("halve", lambda x: x / 2), Part("add_10", lambda x: x + 10)
    yield torch.tensor([4.0, 8.0]), halve, ten_more, Part("third", lambda x: x / 3), Part("square", lambda x: x * x)
    yield torch.tensor([1.0, 2.0]), halve, Part("square", lambda x: x * x), Part("double", lambda x: 2 * x), ten_more
    rms, layer = Part("rms", lambda x: F.rms_norm(x, x.shape[-1:])), Part("layer_norm", lambda x: F.layer_norm(x, x.shape[-1:]))
    for _ in range(4):
        x, first, second = _drawn(random.randrange(10**6), (3, 4), (4, 4), (4, 4))
        yield x, rms, Part("mix_A", lambda x, m=first: torch.tanh(x @ m)), layer, Part("mix_B", lambda x, m=second: F.silu(x @ m))


@dataclass(frozen=True)
class Stack:
    """A model that is nothing but its blocks, with a name to show."""

    name: str
    blocks: nn.ModuleList = field(compare=False)

    def __repr__(self) -> str:
        return f"<model: {self.name}>"


def _tiny() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))


def _stacks() -> dict[str, list[nn.Module]]:
    """Stacks of blocks, some of which share parameters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        own, one, copied = [_tiny() for _ in range(3)], _tiny(), _tiny()
        ends, part, bias, alternating, wrapped, entrance = [[_tiny() for _ in range(4)] for _ in range(6)]
        layered = [_tiny() for _ in range(3)]
        crossed = [nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(3)]
    ends[3] = ends[0]
    part[2][1].weight = part[1][1].weight
    bias[3][0].bias = bias[0][0].bias
    alternating[2:] = alternating[:2]
    wrapped[2] = nn.Sequential(*wrapped[1])  # another block, made of the same layers
    entrance[3][0].weight = entrance[1][0].weight
    crossed[2][1].weight = crossed[0][0].weight
    layered[2][1] = layered[0][1]
    return {"every block its own": own, "one block three times": [one] * 3, "copies with equal numbers": [copied, deepcopy(copied), deepcopy(copied)],
            "first and last the same": ends, "blocks 1 and 2 made of the same layers": wrapped, "blocks 1 and 3 share their first matrix": entrance, "blocks 1 and 2 share their last matrix": part, "blocks 0 and 3 share a bias": bias,
            "the first matrix of block 0 is the last of block 2": crossed, "blocks 0 and 2 share their last layer": layered, "two blocks, each twice": alternating, "a single block": [own[0]]}  # fmt: skip


shared_blocks = Exercise(
    "05.4",
    "An alarm for shared layers",
    kind="break it",
    minutes=10,
    difficulty=2,
    prompt="""
        Write the check that finds layers which are secretly one. Given a `model` with a list `model.blocks`, return the pairs `(i, j)`, i < j, of blocks that have at least one parameter in common, in order: (0, 1), (0, 2), (1, 2). In common means: the *same tensor*, so that training one trains the other. Two
        tensors that merely hold equal numbers are not the same.
        """,
    hints=("`block.parameters()` gives the tensors of a block. In Python, `a is b` tells whether two names mean one object; `id(a)` is its number.",
           "Two loops give all pairs with i < j. For each, collect the `id`s of the parameters of block i in a set, and see whether `any` parameter of block j is in it."),
    verified="twelve stacks: own blocks, one block repeated, copies with equal numbers, shared layers, a shared matrix, a shared bias; against changing one block and watching the others",
    explanation="""
        Comparing the blocks themselves (`first is second`) finds `[Block()] * 4`, but not two blocks that share one matrix. Comparing numbers (`torch.equal`) raises false alarms right after a copy, and at first all norms are equal: they are ones.
        """,
)  # fmt: skip


@shared_blocks.stub
def shared_blocks(model):
    """List the pairs (i, j), i < j, of model.blocks that share at least one parameter."""
    raise NotImplementedError


@shared_blocks.solution
def shared_blocks(model):
    pairs = []
    for i in range(len(model.blocks)):
        own = {id(parameter) for parameter in model.blocks[i].parameters()}
        for j in range(i + 1, len(model.blocks)):
            if any(id(parameter) in own for parameter in model.blocks[j].parameters()):
                pairs.append((i, j))
    return pairs


shared_blocks.wrong("if any(id(parameter) in own for parameter in model.blocks[j].parameters()):", "if model.blocks[i] is model.blocks[j]:", "you compared the blocks as wholes. Two different blocks may share a single matrix: compare their parameters.")
shared_blocks.wrong("if any(", "if all(", "you asked for *all* parameters to be shared. One is enough.")
shared_blocks.wrong("if any(id(parameter) in own for parameter in model.blocks[j].parameters()):",
                    "if all(torch.equal(a, b) for a, b in zip(model.blocks[i].parameters(), model.blocks[j].parameters())):", "you compared the *numbers* of whole blocks. A copy has equal numbers and yet learns by itself: compare which tensors they are.")  # fmt: skip
shared_blocks.wrong("if any(id(parameter) in own for parameter in model.blocks[j].parameters()):",
                    "if any(torch.equal(a, b) for a, b in zip(model.blocks[i].parameters(), model.blocks[j].parameters())):", "you compared *numbers*, parameter by parameter. Equal numbers do not make one tensor: compare with `is`, or by `id`.")  # fmt: skip
shared_blocks.wrong("any(id(parameter) in own for parameter in model.blocks[j].parameters())", "any(a is b for a, b in zip(model.blocks[i].parameters(), model.blocks[j].parameters()))",
                    "you compared first with first, second with second. A matrix of one block may stand at another place in the other: compare each with each.")  # fmt: skip
shared_blocks.wrong("any(id(parameter) in own for parameter in model.blocks[j].parameters())", "set(map(id, model.blocks[i].modules())) & set(map(id, model.blocks[j].modules()))",
                    "you compared layers. Two different layers may share one matrix: compare parameters.")  # fmt: skip
shared_blocks.wrong("range(i + 1, len(model.blocks))", "range(i + 1, min(i + 2, len(model.blocks)))", "you compared neighbours only. The first and the last may be one, too.")
shared_blocks.wrong("range(i + 1, len(model.blocks))", "range(i + 1, len(model.blocks) - 1)", "the last block is never looked at. `range` already stops before its end.")
shared_blocks.wrong("range(i + 1, len(model.blocks))", "range(i, len(model.blocks))", "each block is paired with itself. j must be larger than i.")
shared_blocks.wrong("range(i + 1, len(model.blocks))", "[j for j in range(len(model.blocks)) if j != i]", "each pair comes twice, as (i, j) and (j, i). Only i < j was asked for.")
shared_blocks.wrong("in own for parameter in model.blocks[j].parameters()", "in own for parameter in list(model.blocks[j].parameters())[:1]", "you looked at the first parameter of a block only. Any of them may be shared.")
shared_blocks.wrong("pairs.append((i, j))", "pairs.append((i + 1, j + 1))", "your numbers are too large by one: blocks are counted from 0.")
shared_blocks.wrong("model.blocks[j].parameters()):", "model.blocks[j].parameters()) and not any(i in pair for pair in pairs):", "each block shows up in one pair at most. With one block three times there are three pairs.")


@shared_blocks.expected
def _(model):
    def numbers(one: nn.Module) -> torch.Tensor:
        return torch.cat([parameter.detach().flatten() for parameter in one.parameters()])

    pairs, n = [], len(model.blocks)
    for i in range(n):
        before = [numbers(one).clone() for one in model.blocks]
        with torch.no_grad():
            for parameter in model.blocks[i].parameters():
                parameter.add_(1)
        pairs += [(i, j) for j in range(i + 1, n) if not torch.equal(numbers(model.blocks[j]), before[j])]
    return pairs


@shared_blocks.cases
def _(random):
    yield from ((Stack(name, nn.ModuleList(blocks)),) for name, blocks in _stacks().items())


count_params = Exercise(
    "05.5",
    "Count the parameters",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Count the parameters of a model from its shape alone. `config` has `vocab_size`, `d_model`, `n_layers`, `n_kv_heads`, `head_dim`, `d_ff` and `tie_embeddings`. The query matrix and the output matrix of attention are `d_model` by `d_model`; those of keys and values are
        narrower where heads are shared (chapter 04). There are no biases. With `tie_embeddings` the head *is* the embedding table, and counts once.
        """,
    hints=("Write down one block first: four matrices of attention, three of the feed-forward layer, two norms. What is outside the blocks?",
           "Keys and values: `d_model * n_kv_heads * head_dim` each. Outside: the table `vocab_size * d_model`, once or twice, and one more norm at the end."),
    verified="the shipped shape, tied and untied, shared and unshared heads, and 10 random shapes, against models that were built and counted",
    explanation="""
        With all heads their own and `d_ff` at 8/3 of `d_model`, a block has $4C^2 + 3 \\cdot \\tfrac{8}{3} C^2 = 12C^2$ parameters and a few norms. So $12 L C^2$ is a good estimate for the blocks of most models.
        """,
)  # fmt: skip


@count_params.stub
def count_params(config):
    """The number of parameters of a LLaMA-style model of this shape."""
    C = config.d_model
    # 1. one block: attention, feed-forward layer, norms
    # 2. outside the blocks: table or tables, and what comes after the last block
    raise NotImplementedError


@count_params.solution
def count_params(config):
    C = config.d_model
    attention = 2 * C * C + 2 * C * config.n_kv_heads * config.head_dim
    feed_forward = 3 * C * config.d_ff
    block_norms = 2 * C
    tables = config.vocab_size * C * (1 if config.tie_embeddings else 2)
    return config.n_layers * (attention + feed_forward + block_norms) + tables + C


count_params.wrong("2 * C * C + 2 * C * config.n_kv_heads * config.head_dim", "4 * C * C", "you gave keys and values full width. With fewer `n_kv_heads` their matrices are narrower.")
count_params.wrong("2 * C * C + 2 * C * config.n_kv_heads * config.head_dim", "C * C + 3 * C * config.n_kv_heads * config.head_dim", "one of the matrices of queries and output is too narrow: both have full width.")
count_params.wrong("2 * C * C + 2", "C * C + 2", "attention has one matrix of full width too few. Besides queries, keys and values there is the output matrix.")
count_params.wrong("2 * C * config.n_kv_heads * config.head_dim", "2 * C * config.n_kv_heads", "the width of keys is wrong: it is the number of their heads *times* the width of a head.")
count_params.wrong("3 * C * config.d_ff", "2 * C * config.d_ff", "the feed-forward layer has three matrices, not two: gate, up and down.")
count_params.wrong("block_norms = 2 * C", "block_norms = C", "you gave each block one norm. It has two: one before attention, one before the feed-forward layer.")
count_params.wrong("block_norms = 2 * C", "block_norms = 0", "the norms of the blocks are missing. They are small, but they are parameters.")
count_params.wrong("block_norms = 2 * C", "block_norms = 4 * C", "your norms have too many parameters. RMSNorm has C weights and no biases.")
count_params.wrong("+ block_norms) + tables + C", ") + tables", "the norms are missing, those of the blocks and the last one. They are small, but they are parameters.")
count_params.wrong("config.n_layers * (", "(", "you counted one block. There are `n_layers` of them.")
count_params.wrong(" + tables + C", " + tables", "the norm after the last block is missing.")
count_params.wrong("+ block_norms) + tables + C", "+ block_norms + C) + tables", "the last norm is counted in every block. It stands once, after all blocks.")
count_params.wrong("(1 if config.tie_embeddings else 2)", "(2 if config.tie_embeddings else 1)", "the tables are counted the wrong way round: tied means that there is one.")
count_params.wrong("(1 if config.tie_embeddings else 2)", "2", "you always counted two tables. With `tie_embeddings` they are one and the same.")
count_params.wrong(" * (1 if config.tie_embeddings else 2)", "", "you always counted one table. Without `tie_embeddings` the head has a table of its own.")


@count_params.expected
def _(config):
    from minilm.model import Transformer

    return Transformer(config).n_params


@count_params.cases
def _(random):
    yield (ModelConfig(vocab_size=10, d_model=8, n_layers=1, n_heads=2, n_kv_heads=2, d_ff=16),)
    yield (ModelConfig(vocab_size=10, d_model=8, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=24, tie_embeddings=False),)
    yield (ModelConfig(vocab_size=4096, d_model=192, n_layers=5, n_heads=6, n_kv_heads=3, d_ff=512),)
    for _ in range(10):
        n_kv_heads, group, head_dim = random.randrange(1, 4), random.randrange(1, 4), random.choice((2, 4, 6))
        yield (ModelConfig(vocab_size=random.randrange(5, 50), d_model=n_kv_heads * group * head_dim, n_layers=random.randrange(1, 5), n_heads=n_kv_heads * group,
                           n_kv_heads=n_kv_heads, d_ff=random.randrange(3, 40), tie_embeddings=random.random() < 0.5),)  # fmt: skip


training_flops = Exercise(
    "05.6",
    "Operations by hand",
    kind="estimate by hand",
    minutes=5,
    difficulty=2,
    prompt="""
        How many floating-point operations does it take to train the shipped model on *one token*? It has N = 2,816,064 parameters (its one table is the head too), L = 5 layers of width C = 192, and reads T = 512 tokens at a time. In the forward pass a parameter of a matrix costs one multiplication and one addition for each token, so 2;
        the backward pass costs twice the forward pass. Attention adds, forward and in each layer, $2TC$ for the scores and $2TC$ for the averages, computed for all T places, past and future. One per cent is near enough, so you may treat all parameters alike.
        """,
    hints=("Forward: 2N for the matrices, 4TC for each layer's attention. Then what is the factor for forward and backward together?",
           "3 · (2N + 4LTC) = 6N + 12LTC."),
    verified="against a sum over every matrix product of the model, each counted by its shape",
    explanation="""
        6 · 2,816,064 + 12 · 5 · 512 · 192 = 16,896,384 + 5,898,240 ≈ 22.8 million. The backward pass costs twice as much as the forward one because behind each matrix product stand two: one gives the slopes of what
        came in, to be handed on, the other those of the weights. Attention is a quarter of it, since the model is narrow and reads many tokens. In wide models the share is smaller, hence the rule of thumb 6N.
        """,
    tolerance=0.01,
    stub="training_flops = ...  # operations for one token",
    solution="training_flops = 6 * 2_816_064 + 12 * 5 * 512 * 192",
)  # fmt: skip
training_flops.wrong(" + 12 * 5 * 512 * 192", "", "you left out attention: the scores and averages cost work, although they have no parameters.")
training_flops.wrong("6 * 2_816_064 + 12 *", "2 * 2_816_064 + 4 *", "that is the forward pass alone. Training goes backward too, at twice the cost.")
training_flops.wrong("6 * 2_816_064", "3 * 2_816_064", "you counted one operation for each parameter forward. A multiplication and an addition are two.")
training_flops.wrong("12 * 5 * 512 * 192", "4 * 5 * 512 * 192", "attention is counted forward only. It has a backward pass, too.")
training_flops.wrong("12 * 5 * 512 * 192", "6 * 5 * 512 * 192", "attention is half of what it should be. There are scores *and* averages, and all T places are computed, those that are then masked too.")
training_flops.wrong("2_816_064", "2_029_632", "you left out the table: as an embedding it costs nothing, but it is the head too, a full matrix product. (Or you counted attention in one layer of the five; by chance that gives the same number.)")
training_flops.wrong("6 * 2_816_064 + 12 * 5 * 512 * 192", "512 * (6 * 2_816_064 + 12 * 5 * 512 * 192)", "that is the cost of all 512 tokens. The question is about one.")
training_flops.wrong("6 * 2_816_064 + 12 * 5 * 512 * 192", "(6 * 2_816_064 + 12 * 5 * 512 * 192) / 1e6", "that is right in millions. The question is about operations: give them all.")
training_flops.wrong("6 * 2_816_064 + 12 *", "4 * 2_816_064 + 8 *", "that is the backward pass alone, or forward twice. Forward is one part, backward two: three in all.")


@training_flops.expected
def _():
    V, C, L, H, D, width, T = 4096, 192, 5, 6, 32, 512, 512
    in_block = [(C, H * D), (C, 3 * D), (C, 3 * D), (H * D, C), (C, width), (C, width), (width, C)]
    products = [(T, *shape) for shape in in_block * L + [(C, V)]] + [(T, D, T), (T, T, D)] * (H * L)
    forward = sum(2 * rows * inner * columns for rows, inner, columns in products)
    return 3 * forward / T


QUIZ = (
    Question(
        "You take the additions out of the blocks of a deep model, so that each sub-layer's result replaces the stream. What did this chapter see happen?",
        (
            ("The rows of different tokens became nearly alike, well before the top.", "Attention averages, and averages of averages are all the same. With the additions each token keeps what it was, and the others' news comes on top."),
            ("The rows of all tokens became smaller with every layer, down to zero.", "The weights of figure 1 were drawn so that sizes are kept. It is the differences between tokens that got lost."),
            ("The program stopped, since a sub-layer's result had the wrong shape.", "It fits: each sub-layer gives back as many numbers as it takes. That is why nothing warns you."),
        ),
    ),
    Question(
        "A model with a vocabulary of 4,096 shows a loss of 60 at the first step. ln 4096 is 8.3. What do you suspect?",
        (
            ("The first weights are far too large, so it is sure of itself, and wrong.", "Large weights make large logits. A blind guess costs ln V; to do much worse one must be confident without reason."),
            ("The learning rate is far too large, so the first step went too far.", "The first loss is computed before the first step. The learning rate cannot have had a part in it."),
            ("The text is far too hard, so a model of this size cannot follow it.", "However hard the text is, even guesses cost ln V. Whether it is hard can only show once something has been learned."),
        ),
    ),
    Question(
        "A model has twelve blocks, made as `nn.ModuleList([Block(config)] * 12)`. How does it show?",
        (
            ("Its blocks together have as many parameters as one block should have.", "The list holds one object twelve times. It runs twelve times, and learns, but twelve layers share one set of weights: count, and compare with a formula."),
            ("It stops with an error, since a module may stand in a list only once.", "PyTorch allows it; sharing layers is sometimes wanted. That is why you need a check of your own."),
            ("It runs as fast as one block, since equal blocks are computed once.", "It is computed twelve times, on twelve different inputs, so it takes as long as it should."),
        ),
    ),
    Question(
        "Two models have equally many parameters. One has a vocabulary of 32,000, the other of 4,096; the width is the same. What follows?",
        (
            ("The second has more of its parameters in blocks, so more layers, or wider feed-forward layers.", "The table takes vocabulary times width. What it does not take is left for the blocks."),
            ("The first needs more operations for a token, since it has a larger table to read.", "To look up a row costs the same in any table. And the head of the first costs more, but its smaller blocks cost less."),
            ("The first is the better model, since it can tell apart eight times as many words.", "Nothing follows about quality. Chapter 02 compared vocabularies, and it took a measurement."),
        ),
    ),
    Question(
        "You read the stream after each layer through the last norm and the head. After layer 3 the best guess is already the right word. What has been shown?",
        (
            ("That the word can be read off there with the tools of the last layer.", "No more. Whether the later layers need it in that form, or whether another reader would have found it earlier, takes other experiments."),
            ("That the layers after the third could be taken away without harm.", "For this word perhaps. Elsewhere they may be needed, and only leaving them out can tell."),
            ("That the model decided in layer 3, and later layers only confirmed it.", "A model has no moment of decision. A word that can be read off may still change, and may have been there earlier, written otherwise."),
        ),
    ),
)  # fmt: skip
