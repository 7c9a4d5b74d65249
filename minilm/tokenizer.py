r"""How does text become numbers, and back? Byte-level byte-pair encoding (BPE): learned, applied and saved.

The ideas in order: any text is a row of UTF-8 bytes, so 256 tokens suffice to write everything; a pattern cuts text into *pre-tokens*, about
a word each, that no token may cross; again and again the most frequent pair of neighbouring tokens becomes a token of its own
(`learn_merges`), and the list of these merges is all there is to a tokenizer (`Tokenizer`). Encoding merges in the order of learning.

What makes plain Python fast here: every different word is looked at once, however often it occurs (`_words`, `count_pre_tokens`); after a
merge only the words that hold the pair are touched; a heap knows the next pair.

Built by hand in: chapter 02. Left out on purpose: normalisation, unigram models, byte fallback, training on more than one machine.
"""

import codecs
import hashlib
import heapq
import json
import os
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from itertools import chain, islice
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import regex

from minilm.files import read_json, whole_file
from minilm.processes import BATCH, batches_of, map_in_order

if TYPE_CHECKING:
    import tiktoken

END_OF_TEXT = "<|endoftext|>"

# As published in tiktoken (openai_public.py: r50k_base and cl100k_base): contractions, letters with the blank before them, numbers,
# everything else, and white space, of which the last blank is left to the word that follows.
GPT2_PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
GPT4_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)

# With both patterns a lone space, one between two non-blanks, always begins a pre-token, and neither side matters to the other:
# text may be cut there first, which is much cheaper than the pattern. `str.split` is cheaper still, where every space is a lone one.
LONE_SPACE = re.compile(r" (?<=\S )(?=\S)")
OTHER_SPACE = re.compile(r" \s|\s ")
SLICE = BATCH  # characters looked at together, which bounds the memory for a very long text
CACHED = 1 << 18  # different words whose ids are remembered

Pair = tuple[bytes, bytes]
Progress = Callable[[str, int], None]


class Merge(NamedTuple):
    """One step of learning: which two neighbouring tokens become one, and how often they stood side by side."""

    pair: Pair
    id: int
    count: int

    @property
    def token(self) -> bytes:
        return self.pair[0] + self.pair[1]


def train_tokenizer(
    texts: Iterable[str],
    vocab_size: int,
    *,
    special_tokens: Iterable[str] = (END_OF_TEXT,),
    pattern: str = GPT4_PATTERN,
    n_processes: int | None = None,
    progress: Progress | None = None,
) -> "Tokenizer":
    """Learn a tokenizer from texts, which are read once and not kept.

    vocab_size: 256 bytes, merges and special tokens together; a text too short for that many gives fewer. n_processes, progress: as for
    `count_pre_tokens`; progress is also called as progress("merges", 1). Special tokens in the texts are ordinary text.
    Raises ValueError for a vocabulary that cannot be, and for text that is not valid Unicode. Source: docs/SOURCES.md#bpe

    >>> train_tokenizer(["low lower lowest"], 259).merges
    [(b'o', b'w'), (b'l', b'ow')]
    """
    base = Tokenizer([], special_tokens, pattern)
    if isinstance(vocab_size, bool) or not isinstance(vocab_size, int):
        raise TypeError(f"vocab_size is {vocab_size!r}; it must be an int")
    n_merges = vocab_size - base.vocab_size
    if n_merges < 0:
        raise ValueError(f"vocab_size is {vocab_size}; the 256 bytes and the special tokens alone are {base.vocab_size}")
    if vocab_size > 0x110000:
        raise ValueError(f"vocab_size is {vocab_size}; at most {0x110000:,} are possible")
    merges = []
    for merge in islice(learn_merges(count_pre_tokens(texts, pattern, n_processes, progress)), n_merges):
        merges.append(merge.pair)
        if progress:
            progress("merges", 1)
    return Tokenizer(merges, base.special_tokens, pattern)


def count_pre_tokens(
    texts: Iterable[str], pattern: str = GPT4_PATTERN, n_processes: int | None = None, progress: Progress | None = None
) -> Counter[str]:
    """Count the pre-tokens of texts, in several processes when there is enough text to be worth it.

    n_processes: as for `minilm.processes.map_in_order`, but 2 if not given. progress: called as progress("characters", n) as texts are read.

    >>> sorted(count_pre_tokens(["low lower", "so low"]).items())
    [(' low', 1), (' lower', 1), ('low', 1), ('so', 1)]
    """
    if isinstance(texts, str):
        raise TypeError("texts is one str; give an iterable of texts, such as [text]")
    n_processes = min(2, os.cpu_count() or 1) if n_processes is None else n_processes
    counts: Counter[str] = Counter()
    for counted in map_in_order(partial(_count, pattern=pattern), batches_of(_parts(texts, pattern, progress), SLICE), n_processes):
        counts.update(counted)
    return counts


def learn_merges(counts: Mapping[str, int]) -> Iterator[Merge]:
    """Yield merge after merge: always the most frequent pair, of equals the greater pair of byte strings, until no pair is left.

    counts: pre-tokens and how often each occurs. Overlapping pairs all count, so "aaa" holds (a, a) twice. No two merges yield the same bytes:
    a stretch that ends up as one token was merged in the same way wherever it stood. Source: docs/SOURCES.md#bpe

    >>> [(merge.token, merge.id, merge.count) for merge in learn_merges({"low": 2, "lot": 1})]
    [(b'lo', 256, 3), (b'low', 257, 2), (b'lot', 258, 1)]
    """
    # A word is a str whose characters stand for tokens: character number i is the token with id i. One str.replace is one merge.
    # (Some of these characters are surrogates, which a str may hold as long as nobody wants to encode it.)
    words = [_utf8(pre_token).decode("latin-1") for pre_token in counts]
    frequencies = list(counts.values())
    del counts  # not needed any more, and as large as the words
    pair_counts: dict[str, int] = defaultdict(int)
    where: dict[str, list[int]] = defaultdict(list)  # pair -> words that hold it, or once held it
    for i, word in enumerate(words):
        for pair in map(add, word, word[1:]):
            pair_counts[pair] += frequencies[i]
            where[pair].append(i)

    vocab = [bytes([byte]) for byte in range(256)]
    ranking = [_descending(token) for token in vocab]

    def candidate(pair: str) -> tuple[int, str, str]:
        return -pair_counts[pair], ranking[ord(pair[0])] + ranking[ord(pair[1])], pair

    heap = [candidate(pair) for pair in pair_counts]
    heapq.heapify(heap)
    while heap:
        count, _, pair = heapq.heappop(heap)
        if -count != pair_counts[pair]:  # the count has fallen since this was pushed
            if pair_counts[pair]:
                heapq.heappush(heap, candidate(pair))
            continue
        left, right = vocab[ord(pair[0])], vocab[ord(pair[1])]
        new_id = len(vocab)
        vocab.append(left + right)
        ranking.append(_descending(left + right))
        yield Merge((left, right), new_id, -count)
        for grown in _apply(pair, chr(new_id), words, frequencies, pair_counts, where):
            heapq.heappush(heap, candidate(grown))


def _apply(pair: str, token: str, words: list[str], frequencies: list[int], pair_counts: dict[str, int], where: dict) -> set[str]:
    """Merge a pair in all words that hold it, keep the counts true, and return the pairs that became more frequent."""
    grown = set()
    for i in where.pop(pair):
        old, frequency = words[i], frequencies[i]
        words[i] = new = old.replace(pair, token)
        if len(new) == len(old):
            continue
        for gone in map(add, old, old[1:]):
            pair_counts[gone] -= frequency
        for here in map(add, new, new[1:]):
            pair_counts[here] += frequency
            if token in here:
                where[here].append(i)
                grown.add(here)
    return grown


def _descending(token: bytes) -> str:
    """A key that sorts byte strings backwards: bytes are turned round, and an end sorts after everything."""
    return "".join(chr(255 - byte) for byte in token) + "\u0100"


def _words(text: str, pattern: str) -> Iterator[tuple[str, list[str]]]:
    """Cut text before lone spaces: yield slices, as the first word and the rest without the space that begins each of them."""
    if pattern not in (GPT2_PATTERN, GPT4_PATTERN):
        yield text, []
        return
    for part in _slices(text, pattern):
        first, *rest = LONE_SPACE.split(part) if OTHER_SPACE.search(part) else part.split(" ")
        yield first, rest


def _slices(text: str, pattern: str) -> Iterator[str]:
    start = 0
    if pattern in (GPT2_PATTERN, GPT4_PATTERN):
        while space := LONE_SPACE.search(text, start + SLICE):
            yield text[start : space.start()]
            start = space.start()
    yield text[start:]


def _parts(texts: Iterable[str], pattern: str, progress: Progress | None) -> Iterator[str]:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"a text is {type(text).__name__}; texts must be str")
        for part in _slices(text, pattern):
            if progress:
                progress("characters", len(part))
            yield part


def _count(texts: list[str], pattern: str) -> Counter[str]:
    """Count words, which is fast, then the pre-tokens in each different word."""
    words, pre_tokens = Counter(), Counter()
    find_pre_tokens = regex.compile(pattern).findall
    for text in texts:
        for first, rest in _words(text, pattern):
            pre_tokens.update(find_pre_tokens(first))
            words.update(rest)
    for word, count in words.items():
        for pre_token in [" " + word] if word.isalpha() else find_pre_tokens(" " + word):  # letters stay together, and are most words
            pre_tokens[pre_token] += count
    return pre_tokens


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start} of {text[max(0, error.start - 10):error.start + 10]!r}... is half a surrogate pair, which no valid text holds; "
            "read the text as UTF-8, or replace such characters"
        ) from None


class Tokenizer:
    """Turns text into ids and back: ids 0 to 255 are the bytes, then comes one id for each merge in order, then the special tokens.

    merges: pairs of byte strings, in order of learning. special_tokens: strings that get ids of their own. pattern: how text is cut into
    pre-tokens, for the module `regex`. Raises ValueError for merges of unknown tokens or to the same bytes twice, and for special tokens that
    are equal or empty.

    >>> tokenizer = Tokenizer([(b"l", b"o"), (b"lo", b"w")])
    >>> tokenizer.encode("low lot")
    [257, 32, 256, 116]
    >>> tokenizer.decode([257, 32, 256, 116])
    'low lot'
    """

    def __init__(self, merges: Iterable[Pair], special_tokens: Iterable[str] = (END_OF_TEXT,), pattern: str = GPT4_PATTERN):
        self.merges = [(bytes(left), bytes(right)) for left, right in merges]
        self.pattern = pattern
        self._ranks = {bytes([byte]): byte for byte in range(256)}
        for left, right in self.merges:
            if left not in self._ranks or right not in self._ranks:
                raise ValueError(f"the merge of {left!r} and {right!r} comes before its parts; merges must stand in order of learning")
            if left + right in self._ranks:
                raise ValueError(f"the merge of {left!r} and {right!r} gives bytes that are a token already; leave it out")
            self._ranks[left + right] = len(self._ranks)
        special_tokens = tuple(special_tokens)
        if "" in special_tokens or len(set(special_tokens)) < len(special_tokens):
            raise ValueError(f"the special tokens are {special_tokens}; they must differ, and none may be empty")
        self.special_tokens = {token: len(self._ranks) + i for i, token in enumerate(special_tokens)}
        self.vocab = [*self._ranks, *(token.encode() for token in special_tokens)]
        self._find_pre_tokens = regex.compile(pattern).findall
        self._ids_of_word = lru_cache(CACHED)(self._encode_word)
        self._ids_of_pre_token = lru_cache(CACHED)(self._encode_pre_token)

    def __reduce__(self):  # for copies in other processes: the remembered words stay here
        return Tokenizer, (self.merges, tuple(self.special_tokens), self.pattern)

    @property
    def vocab_size(self) -> int:
        return len(self.vocab)

    @property
    def end_of_text(self) -> int:
        return self.special_tokens[END_OF_TEXT]

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with anything that changes ids."""
        return hashlib.sha256(self._to_json().encode()).hexdigest()[:16]

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """Turn text into ids.

        allow_special: the strings of special tokens become their ids; otherwise they are text like any other.
        """
        if not allow_special or not self.special_tokens:
            return self._encode_ordinary(text)
        ids = []
        for piece in re.split(f"({'|'.join(map(re.escape, self.special_tokens))})", text):
            ids.extend([self.special_tokens[piece]] if piece in self.special_tokens else self._encode_ordinary(piece))
        return ids

    def encode_stories(self, stories: Iterable[str]) -> array:
        """Lay stories end to end, each followed by the end-of-text id, in as few bytes an id as the vocabulary allows: 2 or 4.

        >>> Tokenizer([]).encode_stories(["ab", "c"])
        array('H', [97, 98, 256, 99, 256])
        """
        ids = array("H" if self.vocab_size <= 2**16 else "I")
        for story in stories:
            ids.extend(self.encode(story))
            ids.append(self.end_of_text)
        return ids

    def _encode_ordinary(self, text: str) -> list[int]:
        ids = []
        for first, rest in _words(text, self.pattern):
            ids.extend(self._encode_text(first))
            ids.extend(chain.from_iterable(map(self._ids_of_word, rest)))
        return ids

    def _encode_word(self, word: str) -> list[int]:
        return self._encode_text(" " + word)

    def _encode_text(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._ids_of_pre_token, self._find_pre_tokens(text))))

    def _encode_pre_token(self, pre_token: str) -> list[int]:
        piece = _utf8(pre_token)
        ranks = self._ranks
        if piece in ranks:
            return [ranks[piece]]
        # A part is a stretch of bytes from start to ends[start]; the pair of parts from start to stop waits under the rank of its bytes.
        n = len(piece)
        ends = list(range(1, n + 1))
        starts = list(range(-1, n))  # starts[stop] is where the part that ends at stop begins
        heap = [(ranks[piece[i : i + 2]], i, i + 2) for i in range(n - 1) if piece[i : i + 2] in ranks]
        heapq.heapify(heap)
        while heap:
            _, start, stop = heapq.heappop(heap)
            middle = ends[start]
            if not middle or middle == n or ends[middle] != stop:
                continue  # one of the two parts was merged with another in the meantime
            ends[start], ends[middle], starts[stop] = stop, 0, start
            for a, b in ((starts[start], stop), (start, ends[stop] if stop < n else n + 1)):
                if 0 <= a and b <= n and (rank := ranks.get(piece[a:b])) is not None:
                    heapq.heappush(heap, (rank, a, b))
        return [ranks[piece[i : ends[i]]] for i in range(n) if ends[i]]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Join the bytes of ids. Raises ValueError for an id that is not in the vocabulary."""
        ids = list(ids)
        if ids and not 0 <= min(ids) <= max(ids) < self.vocab_size:
            wrong = next(i for i in ids if not 0 <= i < self.vocab_size)
            raise ValueError(f"there is no token {wrong}; ids go from 0 to {self.vocab_size - 1}")
        return b"".join(map(self.vocab.__getitem__, ids))

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids back into text; bytes that are not UTF-8 become the replacement character, U+FFFD."""
        return self.decode_bytes(ids).decode(errors="replace")

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """Turn ids into text piece by piece, as they come, up to the end-of-text mark if there is one.

        A letter whose bytes are spread over tokens comes out when its last byte does; bytes that are not UTF-8 become U+FFFD, as in `decode`.

        >>> list(Tokenizer([]).decode_stream("né!".encode()))
        ['n', 'é', '!']
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for token in ids:
            if token == self.special_tokens.get(END_OF_TEXT):
                break
            if piece := decoder.decode(self.decode_bytes([token])):
                yield piece
        if piece := decoder.decode(b"", final=True):
            yield piece

    def save(self, path: str | Path) -> None:
        """Write a readable JSON file, all of it or nothing."""
        with whole_file(Path(path)) as file:
            file.write(self._to_json())

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Read what `save` wrote. Raises FileNotFoundError, and ValueError for what is no whole tokenizer file."""
        saved = read_json(path, "a whole tokenizer file")
        try:
            if not isinstance(saved["special_tokens"], list) or not all(isinstance(token, str) for token in saved["special_tokens"]):
                raise ValueError(f"special_tokens is {saved['special_tokens']!r:.100}; it must be a list of strings")
            merges = [tuple(part.encode("latin-1") for part in pair) for pair in saved["merges"]]
            return cls(merges, saved["special_tokens"], saved["pattern"])
        except (ValueError, KeyError, TypeError, AttributeError, regex.error) as error:
            raise ValueError(f"{path} is not a whole tokenizer file: {error}") from error

    def _to_json(self) -> str:
        merges = ",\n".join(json.dumps([part.decode("latin-1") for part in pair]) for pair in self.merges)
        head = json.dumps({"pattern": self.pattern, "special_tokens": list(self.special_tokens)}, indent=1)
        return f'{head[:-2]},\n "merges": [\n{merges}\n]\n}}\n'

    def to_tiktoken(self) -> "tiktoken.Encoding":
        """Make a `tiktoken.Encoding` that gives the same ids, but for letters newer than the Unicode that it knows."""
        import tiktoken

        return tiktoken.Encoding(
            f"minilm-{self.fingerprint}", pat_str=self.pattern, mergeable_ranks=self._ranks, special_tokens=self.special_tokens
        )
