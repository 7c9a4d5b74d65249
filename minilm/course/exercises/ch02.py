"""Exercises and quiz of chapter 02: how does text become numbers? The learner writes byte-pair encoding; tiktoken and `minilm.tokenizer` are the judges."""

from collections import Counter
from itertools import pairwise

from minilm.config import ModelConfig
from minilm.course.exercise import Exercise, Question

TALE = "Mia and Sam found a crêpe. Mia and Sam ate the crêpe! 🐟"

count_pairs = Exercise(
    "02.1",
    "Count the neighbours",
    kind="implement",
    minutes=5,
    difficulty=1,
    prompt="""
        Byte-pair encoding asks one question again and again: which two ids stand side by side most often? Write the function that counts.
        In `[1, 2, 1, 2]` there are three pairs: `(1, 2)` twice and `(2, 1)` once.
        """,
    hints=(
        "Every id but the last has a right neighbour. How do you walk along a list and see two neighbours at a time?",
        "`zip(ids, ids[1:])` gives the pairs, one after the other. A dictionary keeps a count for each.",
    ),
    verified="rows of one and no id, runs of the same id, and 30 random rows, against a count by position",
)


@count_pairs.stub
def count_pairs(ids):
    """Count each pair of neighbours in a list of ids; return {(left, right): count}."""
    raise NotImplementedError


@count_pairs.solution
def count_pairs(ids):
    counts = {}
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


count_pairs.wrong("zip(ids, ids[1:])", "zip(ids[::2], ids[1::2])",
                  "you looked at every second pair only. Pairs overlap: in a, b, c there are two, (a, b) and (b, c).")  # fmt: skip
count_pairs.wrong("zip(ids, ids[1:])", "zip(ids, ids[1:-1])", "the last pair of the row is missing.")
count_pairs.wrong("zip(ids, ids[1:])", "map(tuple, map(sorted, zip(ids, ids[1:])))",
                  "you counted (a, b) and (b, a) as the same pair. The order matters: \"on\" is not \"no\".")  # fmt: skip


@count_pairs.expected
def _(ids):
    found = list(pairwise(ids))
    return {pair: found.count(pair) for pair in found}


@count_pairs.cases
def _(random):
    yield from [([1, 2, 3],), ([1, 2, 1, 2],), ([5, 5, 5],), ([3, 1],), ([7],), ([],), (list(TALE.encode()),)]
    yield from ((random.choices(range(5), k=random.randrange(12)),) for _ in range(30))


merge_pair = Exercise(
    "02.2",
    "Merge a pair",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Now replace a pair by its new id, everywhere in the row, from left to right: merging `(1, 2)` into 9 turns `[1, 2, 3, 1, 2]` into `[9, 3, 9]`.
        **Predict** first: what should become of `[5, 5, 5]` when `(5, 5)` is merged into 9?
        """,
    hints=(
        "Walk along the row with an index and build a new list. At each place there are two cases. How far do you move on in each?",
        "`tuple(ids[i : i + 2]) == pair` asks whether the pair begins at place i; at the last place that slice has one id, and is never equal. "
        "After a merge move on by two, else by one.",
    ),
    verified="pairs at the beginning, at the end, in runs, nowhere, and 40 random rows, against the replacement of letters in a str",
    explanation="""
        `[5, 5, 5]` becomes `[9, 5]`: from left to right the first two fives are used up, and the third has no partner left. Every tokenizer must
        agree on this direction, or the same text would get other ids.
        """,
)


@merge_pair.stub
def merge_pair(ids, pair, new_id):
    """Return a new list with the pair replaced by new_id everywhere, from left to right."""
    raise NotImplementedError


@merge_pair.solution
def merge_pair(ids, pair, new_id):
    merged, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


merge_pair.wrong("i += 2", "i += 1", "after a merge you moved on by one place, so the right half of the pair is still there.")
merge_pair.wrong("i < len(ids)", "i < len(ids) - 1", "the last id can get lost: a row may end with an id that belongs to no pair.")
merge_pair.wrong("            i += 2", "            return merged + list(ids[i + 2 :])", "you replaced the first occurrence and stopped. Go on to the end.")


@merge_pair.expected
def _(ids, pair, new_id):
    return [ord(letter) for letter in "".join(map(chr, ids)).replace("".join(map(chr, pair)), chr(new_id))]


@merge_pair.cases
def _(random):
    yield from [([1, 2, 3], (1, 2), 9), ([1, 2, 3, 1, 2], (1, 2), 9), ([3, 1, 2, 3], (1, 2), 9), ([5, 5, 5], (5, 5), 9), ([1], (1, 2), 9)]
    yield from [([], (1, 2), 9), ([2, 1], (1, 2), 9), (list(TALE.encode()), (97, 110), 256)]
    for _ in range(40):
        yield random.choices(range(3), k=random.randrange(12)), tuple(random.choices(range(3), k=2)), 9


learn = Exercise(
    "02.3",
    "Learn the merges",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        Put the two together. You are given the pre-tokens of a text and how often each occurs. Count the pairs, take the most frequent, merge it everywhere, and begin again.
        When two pairs are equally frequent, take the one whose bytes are greater: `(vocab[left], vocab[right])`, compared as Python compares tuples. Any fixed rule would do; this
        one is `minilm`'s, so that your merges can be compared with its own. Stop early if no pair is left.
        """,
    hints=(
        "A pair counts once for each place where it stands in a word, times the number of times the word occurs. Which two functions do you have already?",
        "`max(pairs, key=lambda pair: (pairs[pair], vocab[pair[0]], vocab[pair[1]]))` is the pair to merge. Then make a new `words` with `merge_pair`, and remember "
        "`vocab[new_id] = vocab[left] + vocab[right]`.",
    ),
    verified="frequent words, ties, words that run out of pairs, bytes beyond ASCII, and 25 random sets of words, against `minilm.tokenizer.learn_merges`",
    explanation="""
        That is all there is to learning a tokenizer. It is also slow: every merge looks at every word again.
        """,
)


@learn.stub
def learn(counts, n_merges):
    """Learn merges from {pre-token: how often}; return the merged pairs of ids, in order."""
    words = [(list(word.encode()), n) for word, n in counts.items()]
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    for new_id in range(256, 256 + n_merges):
        # 1. count the pairs of all words, each as often as its word occurs; stop if there are none
        # 2. take the most frequent; break ties by the greater bytes
        # 3. merge it in every word; keep it in vocab and merges
        raise NotImplementedError
    return merges


@learn.solution
def learn(counts, n_merges):
    words = [(list(word.encode()), n) for word, n in counts.items()]
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    for new_id in range(256, 256 + n_merges):
        pairs = Counter()
        for ids, n in words:
            for pair, count in count_pairs(ids).items():
                pairs[pair] += count * n
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], vocab[pair[0]], vocab[pair[1]]))
        words = [(merge_pair(ids, best, new_id), n) for ids, n in words]
        vocab[new_id] = vocab[best[0]] + vocab[best[1]]
        merges.append(best)
    return merges


learn.wrong("count * n", "count", "a word that occurs a hundred times counted as one that occurs once.")
learn.wrong("(pairs[pair], vocab[pair[0]], vocab[pair[1]])", "pairs[pair]",
            "of pairs that are equally frequent you took the first one found. The rule is: the one with the greater bytes.")  # fmt: skip
learn.wrong("(pairs[pair], vocab[pair[0]], vocab[pair[1]])", "(pairs[pair], pair)",
            "of pairs that are equally frequent you took the one with the greater ids. Compare their bytes, `vocab[left]` and `vocab[right]`.")  # fmt: skip
learn.wrong("(pairs[pair], vocab[pair[0]], vocab[pair[1]])", "(pairs[pair], vocab[pair[0]] + vocab[pair[1]])",
            "of pairs that are equally frequent you compared the joined bytes. Compare the left parts first, then the right ones, as a tuple does.")  # fmt: skip
learn.wrong("merges.append(best)", "merges.append((vocab[best[0]], vocab[best[1]]))", "the pairs that you return are of bytes. Return their ids.")
learn.wrong("(merge_pair(ids, best, new_id), n)", "(ids, n)", "the words stay as they were, so the same pair wins every time. Merge it in every word.")


@learn.expected
def _(counts, n_merges):
    from minilm.tokenizer import learn_merges

    ids = {bytes([i]): i for i in range(256)}
    merges = []
    for merge, _ in zip(learn_merges(counts), range(n_merges)):
        ids[merge.token] = merge.id
        merges.append((ids[merge.pair[0]], ids[merge.pair[1]]))
    return merges


@learn.cases
def _(random):
    yield from [({"low": 5, "lot": 2}, 1), ({"low": 2, "lower": 3}, 3), ({"aaaa": 1}, 3), ({"ab": 1, "cd": 1}, 2), ({" crêpe": 3, " fête": 2}, 6)]
    yield Counter(TALE.split()), 12
    for _ in range(25):
        words = ("".join(random.choices("abc ", k=random.randrange(1, 7))) for _ in range(6))
        yield {word: random.randrange(1, 4) for word in words}, random.randrange(1, 12)


def _tiktoken(merges):
    """The same merges as an encoding of tiktoken that takes a whole text for one pre-token."""
    import tiktoken

    vocab = [bytes([i]) for i in range(256)]
    for left, right in merges:
        vocab.append(vocab[left] + vocab[right])
    ranks = {token: i for i, token in enumerate(vocab)}
    return tiktoken.Encoding("exercise", pat_str=r"(?s).+", mergeable_ranks=ranks, special_tokens={})


# bc, ab, de, cd, abd, cde, ê, " ab". So "abcd" is a|bc|d, while from the left or by length it would be ab|cd; and "cde" is one token, but from the left cd|e.
MERGES = [(98, 99), (97, 98), (100, 101), (99, 100), (257, 100), (99, 258), (195, 170), (32, 257)]

encode_word = Exercise(
    "02.4",
    "Encode a word",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        You have the list of merges; a new word arrives. Turn it into ids: start from its bytes and repeat what the training would have done to it. `merges[k]` made
        id 256 + k.
        """,
    hints=(
        "The text's own frequencies do not matter any more. What decides is the order in which the merges were learned.",
        "Go through `enumerate(merges, start=256)`, and let `merge_pair` do each merge in turn, whether the pair is there or not.",
    ),
    verified="words where the order of the merges matters, letters of several bytes, the empty word, and 60 random words, against tiktoken",
    explanation="""
        Going through thousands of merges for every word is slow. `minilm.tokenizer` looks only at the pairs that are there and takes the earliest learned; the ids are the same.
        """,
)


@encode_word.stub
def encode_word(word, merges):
    """Turn one pre-token into ids, given the merges in the order in which they were learned."""
    raise NotImplementedError


@encode_word.solution
def encode_word(word, merges):
    ids = list(word.encode())
    for new_id, pair in enumerate(merges, start=256):
        ids = merge_pair(ids, pair, new_id)
    return ids


encode_word.wrong("enumerate(merges, start=256)", "reversed(list(enumerate(merges, start=256)))",
                  "you began with the merge that was learned last. Begin with the first: later merges are made of earlier ones.")  # fmt: skip
encode_word.wrong("list(word.encode())", "[ord(letter) for letter in word]",
                  "you began from letters, not from bytes. The letter ê has the number 234, but in a text it is two bytes, 195 and 170.")  # fmt: skip
encode_word.wrong("start=256", "start=0", "the new ids begin at 0. Ids 0 to 255 belong to the bytes; merge number k makes id 256 + k.")
encode_word.wrong("list(word.encode())", "list(word)", "you began from letters, not from bytes: ids are numbers. What does `word.encode()` give?")
encode_word.wrong("""    for new_id, pair in enumerate(merges, start=256):
        ids = merge_pair(ids, pair, new_id)
    return ids""", """    vocab = [bytes([i]) for i in range(256)]
    for left, right in merges:
        vocab.append(vocab[left] + vocab[right])
    rest, ids = bytes(ids), []
    while rest:
        ids.append(vocab.index(max(filter(rest.startswith, vocab), key=len)))
        rest = rest[len(vocab[ids[-1]]) :]
    return ids""", "you took the longest token that fits, from the left. Not length decides, but which merge was learned first.")  # fmt: skip
encode_word.wrong("""    for new_id, pair in enumerate(merges, start=256):
        ids = merge_pair(ids, pair, new_id)
    return ids""", """    i = 0
    while i < len(ids) - 1:
        pair = (ids[i], ids[i + 1])
        if pair in merges:
            ids[i : i + 2] = [256 + merges.index(pair)]
            i = 0
        else:
            i += 1
    return ids""", "you merged the first pair from the left that can be merged. Of all pairs that are there, the one that was learned first goes first.")  # fmt: skip


@encode_word.expected
def _(word, merges):
    return _tiktoken(merges).encode_ordinary(word)


@encode_word.cases
def _(random):
    yield from [("a", MERGES), ("ab", MERGES), ("abc", MERGES), ("abd", MERGES), ("abcd", MERGES), ("cde", MERGES), (" ab", MERGES), ("ê", MERGES), ("", MERGES)]
    yield from ((word, learn(Counter(TALE.split()), 12)) for word in ("Mia", "crêpe.", "🐟", "and"))
    for _ in range(60):
        yield "".join(random.choices("abcdeê ", k=random.randrange(1, 12))), MERGES


decode = Exercise(
    "02.5",
    "And back",
    kind="implement",
    minutes=5,
    difficulty=2,
    prompt="""
        Turn ids back into text. A model may write any row of ids, even one whose bytes are not a valid text: then `�` should stand in for what cannot be read, and nothing should
        crash. **Predict:** what is `[195]` as text, what is `[170]`, and what is `[195, 170]`?
        """,
    hints=(
        "Build the bytes of every token first: those of a merge are those of its two parts, joined. Then join the tokens. When do bytes become letters?",
        "`vocab.append(vocab[left] + vocab[right])` for each merge. Join *all* bytes before you call `.decode(errors=\"replace\")`.",
    ),
    verified="words, letters spread over several tokens, bytes that are no text, the empty row, and 40 random rows, against tiktoken",
    explanation="""
        `[195]` and `[170]` alone are no text: each becomes `�`. Together they are `ê`. That is why a program that prints a model's answer token by token must wait until
        a letter is whole.
        """,
)


@decode.stub
def decode(ids, merges):
    """Turn ids into text; bytes that are not valid UTF-8 become the replacement character."""
    raise NotImplementedError


@decode.solution
def decode(ids, merges):
    vocab = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        vocab.append(vocab[left] + vocab[right])
    return b"".join(vocab[i] for i in ids).decode(errors="replace")


decode.wrong('b"".join(vocab[i] for i in ids).decode(errors="replace")', '"".join(vocab[i].decode(errors="replace") for i in ids)',
             "you turned each token into letters by itself. A letter such as ê may be spread over two tokens: join the bytes first.")  # fmt: skip
decode.wrong('errors="replace"', 'errors="ignore"', "bytes that are no text vanish without a trace. Put the replacement character there.")
decode.wrong('decode(errors="replace")', 'decode("latin-1")', "every byte became a letter of its own (that is what Latin-1 does). The bytes are UTF-8.")


@decode.expected
def _(ids, merges):
    return _tiktoken(merges).decode(ids)


@decode.cases
def _(random):
    yield from [([104, 105], MERGES), ([259, 256], MERGES), ([195, 170], MERGES), ([260], MERGES), ([195], MERGES), ([97, 195, 98], MERGES), ([], MERGES)]
    yield from ((encode_word(word, MERGES), MERGES) for word in TALE.split())
    for _ in range(40):
        yield random.choices([97, 98, 195, 170, *range(256, 264)], k=random.randrange(8)), MERGES


table_share = Exercise(
    "02.6",
    "The price of words",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        A model keeps a row of `d_model` numbers for every token, its *embedding table*. The default model of this course has `d_model` = 128, and 787,584 parameters besides the
        table. Suppose that its vocabulary has 8,192 tokens, and that one table serves both for reading and for predicting. What share of all its parameters does the table hold?
        """,
    hints=("How many numbers does the table hold: how many rows, of how many numbers?", "A share is the part over the whole, and the whole includes the table."),
    verified="the model itself, counted",
    explanation="""
        8,192 × 128 = 1,048,576 numbers; 1,048,576 / (1,048,576 + 787,584) = 0.57. More than half of this small model would be the table. With 512 tokens it is 8 %.
        """,
    tolerance=0.06,
    stub="table_share = ...  # a number between 0 and 1",
    solution="table_share = 8192 * 128 / (8192 * 128 + 787_584)",
)
table_share.wrong("8192 * 128 / ", "100 * 8192 * 128 / ", "that is in per cent. A share lies between 0 and 1.")
table_share.wrong("(8192 * 128 + 787_584)", "787_584", "you divided by the rest. The whole is the rest and the table together.")
table_share.wrong("8192 * 128 / (8192 * 128 + 787_584)", "2 * 8192 * 128 / (2 * 8192 * 128 + 787_584)",
                  "you counted two tables. Here one table serves for both ends; it is *tied*.")  # fmt: skip
table_share.wrong("8192 * 128 / (8192 * 128 + 787_584)", "8192 / (8192 + 787_584)",
                  "you counted the rows of the table, not the numbers in it. Each row holds `d_model` numbers.")  # fmt: skip


@table_share.expected
def _():
    from minilm.model import Transformer

    model = Transformer(ModelConfig(vocab_size=8192))
    return 1 - model.n_params_without_embeddings / model.n_params


QUIZ = (
    Question(
        "A tokenizer was trained on English stories only. What happens to a Japanese sentence?",
        (
            ("It becomes many tokens, about one for each byte.", "The 256 bytes are always in the vocabulary, so every text can be written; without merges for it, it just takes more tokens."),
            ("It becomes the token for unknown words, again and again.", "A byte-level tokenizer needs no such token: there is nothing that it cannot write."),
            ("Encoding stops with an error at the first strange letter.", "That happens to tokenizers of letters or words. Bytes cover every text."),
        ),
    ),
    Question(
        "Why may no token cross from one pre-token into the next?",
        (
            ("So that frequent phrases and punctuation do not take places from words.", "Without the cut, \"dog.\", \"dog,\" and \"dog!\" would compete for tokens, and \"Once upon a time\" might be one token."),
            ("Because the bytes of two different words cannot be joined into one token.", "Bytes can always be joined. The cut is a choice, made for better tokens."),
            ("So that decoding gives back the text exactly, with every blank and mark.", "Encoding is exact with or without pre-tokens: decoding gives back the text either way."),
        ),
    ),
    Question(
        "You double the vocabulary of a small model and change nothing else. What is sure to happen?",
        (
            ("Its embedding table doubles.", "A row for each token: twice the tokens, twice the table. In a small model that may be most of it."),
            ("Its tokens carry twice as many bytes.", "Far from it: the frequent words are tokens already, and each further merge is rarer than the one before."),
            ("Its bits per byte fall.", "Sometimes, and only up to a point: figure 4 shows the turn."),
        ),
    ),
    Question(
        "Your prompt ends with a blank: \"Once upon a \". Why does the model stumble?",
        (
            ("It has rarely seen a lone blank before a word.", "\" time\" is one token, blank included. After \"a\" and a separate blank the next token would have to be \"time\" without its blank, which hardly ever happened in training."),
            ("Blanks are special tokens, which only the training program may put into a text.", "They are ordinary bytes. The trouble is where the pattern cuts."),
            ("The blank makes the text too long by one token, so its beginning is cut off.", "The length is no problem; the cut is."),
        ),
    ),
    Question(
        "How does a byte-pair tokenizer encode a word that it has never seen?",
        (
            ("It applies its merges in the order in which they were learned.", "And so it gets the same pieces that training would have made of that word."),
            ("It searches for the longest token that fits, from the left.", "That often gives the same, and sometimes other ids, which the model has never seen in that place."),
            ("It counts the pairs in the new word and merges the most frequent.", "Counting is for training. The merges are fixed from then on."),
        ),
    ),
    Question(
        "One model has a loss of 2.1 nats per token, and tokens of 4 bytes; another has 1.4 nats, and tokens of 2 bytes. Which predicts the text better?",
        (
            ("The first: per byte it is less surprised.", "2.1 × 1.44 ÷ 4 = 0.76 bits per byte against 1.4 × 1.44 ÷ 2 = 1.01. Its guesses are harder, but there are half as many."),
            ("The second: its loss is lower.", "Per token, yes. But its tokens are half as long, so it has twice as many guesses to make."),
            ("Neither: longer tokens just have higher losses.", "They do, but not in proportion. Divide by the bytes, and a difference is left."),
        ),
    ),
)  # fmt: skip
